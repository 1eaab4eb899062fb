//! One data connection: blocks for a blocking thread, and the end.

use std::{
    fs::File,
    io,
    net::Shutdown,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use rustix::{
    event::PollFlags,
    net::{connect_unspec, sockopt::set_tcp_cork},
};
use socket2::SockRef;
use suppaftp::{FtpError, tokio::TransferStream};
use tokio::{io::AsyncWriteExt, runtime::Handle};

use super::{parting::Parting, records::fill, stall::limited};
use crate::{
    cancel::Cancel,
    error::RemoteError,
    remote::{Data, tls::SecureStream},
};

/// A block with fewer bytes is the last one of its file, or all of it.
const FULL: usize = 256 << 10;
/// The suppaftp stream of a transfer.
pub(super) type Stream = TransferStream<SecureStream>;

fn socket_of(stream: &Stream) -> SockRef<'_> {
    SockRef::from(stream.get_ref().get_ref())
}

/// The data connection of one transfer.
pub(super) struct FtpData {
    pub(super) stream: Option<Stream>,
    /// Whether TLS lies between the socket and the bytes.
    pub(super) secure: bool,
    /// The control connection, where the server may hold its last reply back.
    pub(super) nagles: Option<Arc<OwnedFd>>,
    pub(super) runtime: Handle,
    pub(super) stalled: Duration,
    pub(super) announced: Option<u64>,
    pub(super) parting: Parting,
    /// An error that came behind bytes that had to be handed out first.
    pub(super) later: Option<io::Error>,
}

/// Asks for an acknowledgement at once: a server with Nagle's algorithm holds its 226 back until
/// our delayed one, 40 ms a file.
pub(super) fn acknowledge_quickly(control: &OwnedFd) {
    let _unsupported = SockRef::from(control).set_tcp_quickack(true);
}

impl FtpData {
    /// Returns the socket where no TLS lies between it and the bytes.
    pub(super) fn plain(&self) -> Option<BorrowedFd<'_>> {
        if self.secure {
            return None;
        }
        Some(self.stream.as_ref()?.get_ref().get_ref().as_fd())
    }

    fn closed() -> io::Error {
        io::Error::new(io::ErrorKind::NotConnected, "the transfer is over")
    }

    /// Closes the connection and waits for the reply.
    async fn end(&self, stream: Stream) -> Result<(), RemoteError> {
        if let Some(control) = &self.nagles {
            acknowledge_quickly(control);
        }
        match self.parting.wait(stream.finish()).await {
            Some(Ok(Ok(()))) => {
                self.parting.health.ready();
                self.parting.closed_whole()
            }
            Some(Ok(Err(FtpError::UnexpectedResponse(response)))) => {
                self.parting.end(&response.body).map(drop)
            }
            other => Err(self.parting.failed(other)),
        }
    }

    fn read_tls(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stream = self.stream.as_mut().ok_or_else(Self::closed)?;
        let fill = fill(stream, &mut self.later, buffer);
        self.runtime
            .block_on(limited(self.stalled, &self.parting.cancel, fill))
    }
}

#[async_trait]
impl Data for FtpData {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(socket) = self.plain() else {
            return self.read_tls(buffer);
        };
        self.retry(socket, PollFlags::IN, || {
            rustix::io::read(socket, &mut *buffer)
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(socket) = self.plain() {
            let mut left = bytes;
            while !left.is_empty() {
                let count =
                    self.retry(socket, PollFlags::OUT, || rustix::io::write(socket, left))?;
                left = &left[count..];
            }
            return Ok(());
        }
        let stream = self.stream.as_mut().ok_or_else(Self::closed)?;
        for part in bytes.chunks(64 * 1024) {
            let write = stream.write_all(part);
            self.runtime
                .block_on(limited(self.stalled, &self.parting.cancel, write))?;
        }
        Ok(())
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stream = self.stream.as_mut().ok_or_else(Self::closed)?;
        let fill = fill(stream, &mut self.later, buffer);
        limited(self.stalled, &self.parting.cancel, fill).await
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.stream.as_mut().ok_or_else(Self::closed)?;
        if bytes.len() < FULL {
            // The last byte and the end of the connection travel in one segment.
            let _unsupported = set_tcp_cork(stream.get_ref().get_ref(), true);
        }
        for part in bytes.chunks(64 * 1024) {
            limited(self.stalled, &self.parting.cancel, stream.write_all(part)).await?;
        }
        Ok(())
    }

    fn splice_into(
        &mut self,
        file: &File,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>> {
        self.pour_into(file, moved)
    }

    fn splice_from(
        &mut self,
        file: &File,
        length: u64,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>> {
        self.pour_from(file, length, moved)
    }

    fn obey(&mut self, cancel: &Cancel) {
        self.parting.cancel = cancel.clone();
    }

    fn end_within(&mut self, limit: Duration) {
        self.parting.finish = limit;
    }

    fn announced(&self) -> Option<u64> {
        self.announced
    }

    async fn finish(mut self: Box<Self>) -> Result<(), RemoteError> {
        // Stopped before its end: dropping it resets the connection.
        if self.parting.cancel.is_stopped() {
            return Err(self.parting.interrupted());
        }
        let Some(stream) = self.stream.take() else {
            return Err(RemoteError::Poisoned);
        };
        // From here on its end is meant. If this fails, the server tells of a broken upload.
        let _told = socket_of(&stream).set_linger(None);
        self.end(stream).await
    }

    async fn cut(mut self: Box<Self>) -> Result<(), RemoteError> {
        let broke = self.parting.broke(io::ErrorKind::ConnectionReset.into());
        let Some(stream) = self.stream.take() else {
            return Err(RemoteError::Poisoned);
        };
        let is_upload = matches!(self.parting.verb, "STOR" | "APPE");
        let was_reset = !is_upload || connect_unspec(stream.get_ref().get_ref()).is_ok();
        if !was_reset || self.parting.cancel.is_stopped() {
            // Dropped it is reset too, and nobody hears the reply.
            self.stream = Some(stream);
            return Err(broke);
        }
        self.end(stream).await.and(Err(broke))
    }
}

impl Drop for FtpData {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else {
            return;
        };
        let socket = socket_of(&stream);
        // A reset, not an end: the server must not take what it has for the whole file.
        if socket.set_linger(Some(Duration::ZERO)).is_err() {
            let _gone = socket.shutdown(Shutdown::Read);
        }
        self.parting.health.unsettled();
    }
}
