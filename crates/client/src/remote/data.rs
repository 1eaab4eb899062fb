//! The data connection of one transfer, whatever carries it.

use std::{fs::File, io, time::Duration};

use async_trait::async_trait;

use crate::{cancel::Cancel, error::RemoteError};

/// The data connection of one transfer. Reading and writing BLOCK: call them from a blocking
/// thread only. Dropping it without [`Data::finish`] resets the connection, so that the server
/// cannot take what it has for the whole file.
#[async_trait]
pub trait Data: Send {
    /// Reads some bytes; 0 is the end.
    ///
    /// # Errors
    /// The connection broke, or stalled beyond the limit (`TimedOut`), or was stopped
    /// (`Interrupted`).
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// As [`Data::read`].
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Reads some bytes without a thread; 0 is the end.
    ///
    /// # Errors
    /// As [`Data::read`].
    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    /// Writes all bytes without a thread.
    ///
    /// # Errors
    /// As [`Data::read`].
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    /// Moves bytes from the socket to `file` at its position without copying them through this
    /// program, as many as come until the end, telling `moved` each block. `None`: not possible
    /// here (TLS, platform); nothing was read then.
    fn splice_into(
        &mut self,
        file: &File,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>> {
        let _ = (file, moved);
        None
    }

    /// Moves up to `length` bytes of `file` from its position to the socket, as
    /// [`Data::splice_into`].
    fn splice_from(
        &mut self,
        file: &File,
        length: u64,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>> {
        let _ = (file, length, moved);
        None
    }

    /// Makes every wait of this transfer end with `Interrupted` once `cancel` is stopped.
    fn obey(&mut self, cancel: &Cancel);

    /// Limits how long the reply that ends the transfer is waited for.
    fn end_within(&mut self, limit: Duration) {
        let _ = limit;
    }

    /// Returns the size the server named in its 150, if it did.
    fn announced(&self) -> Option<u64>;

    /// Closes the data connection and reads the reply that ends the transfer.
    ///
    /// # Errors
    /// Any reply but 226 and 250; no reply in time.
    async fn finish(self: Box<Self>) -> Result<(), RemoteError>;

    /// Ends a transfer that broke, an upload by a reset: the server must not take what it has for the whole
    /// file. Always an error: the server's reason, if it says one.
    async fn cut(self: Box<Self>) -> Result<(), RemoteError>;
}
