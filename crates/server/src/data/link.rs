//! A data connection in block mode: it stays open behind a file and waits in its [`Slot`] for the
//! next one.
//!
//! Everything here runs on the session's task. A link that broke, or was stopped inside a file, is
//! dropped and not put back: nobody could tell where the next file begins.

use std::{
    future::poll_fn,
    io::{self, Read as _},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::{
    io::{AsyncReadExt as _, AsyncWrite as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::meter::{Broken, Meter, network};

/// Bytes asked of the socket at once.
const READ: usize = 64 << 10;

/// An open data connection that carries many files.
#[derive(Debug)]
pub enum Link {
    /// In clear.
    Plain(TcpStream),
    /// Over TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Where a session's link waits between files; clones share the place.
#[derive(Clone, Debug, Default)]
pub struct Slot(Arc<Mutex<Option<Link>>>);

impl Slot {
    /// Tells whether a link waits here that the client has not closed.
    pub fn has_link(&self) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_mut().is_some_and(|link| !link.is_quiet()) {
            *held = None;
        }
        held.is_some()
    }

    /// Takes the link that waits here.
    pub fn take(&self) -> Option<Link> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.take()
    }

    /// Puts a link here that has just ended a file.
    pub fn put(&self, link: Link) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }

    /// Closes the link that waits here.
    pub fn close(&self) {
        self.take();
    }
}

impl Link {
    /// Makes ready for files behind each other: none of their ends is to wait for an acknowledgement.
    ///
    /// # Errors
    /// What the socket says.
    pub fn plain(socket: std::net::TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self::Plain(TcpStream::from_std(socket)?))
    }

    /// Tells whether the client has its side open and says nothing between files: what it sent before it
    /// was asked would be the beginning of another one.
    fn is_quiet(&mut self) -> bool {
        let socket = match self {
            Self::Plain(stream) => &*stream,
            Self::Tls(stream) => {
                let (socket, connection) = stream.get_mut();
                match connection.reader().read(&mut [0]) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => &*socket,
                    _ => return false,
                }
            }
        };
        let mut fds = [PollFd::new(socket, PollFlags::IN | PollFlags::RDHUP)];
        poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready == 0)
    }

    /// Writes all of `bytes`; a client that takes nothing for `stalled` breaks it.
    ///
    /// # Errors
    /// [`Broken`]: aborted, stalled, network.
    pub async fn send(
        &mut self,
        mut bytes: &[u8],
        meter: &Meter,
        stalled: Duration,
    ) -> Result<(), Broken> {
        while !bytes.is_empty() {
            let write = poll_fn(|cx| self.poll_send(cx, bytes));
            let written = within(stalled, meter, write).await?;
            bytes = &bytes[written..];
        }
        let flush = poll_fn(|cx| self.poll_out(cx));
        within(stalled, meter, flush).await
    }

    /// Reads what there is behind what `raw` holds, one byte at least.
    ///
    /// # Errors
    /// [`Broken`]: aborted, stalled, network; the client's end too, which comes inside a file.
    pub async fn receive(
        &mut self,
        raw: &mut Vec<u8>,
        meter: &Meter,
        stalled: Duration,
    ) -> Result<(), Broken> {
        raw.reserve(meter.block_bytes(READ));
        let read = match self {
            Self::Plain(stream) => within(stalled, meter, stream.read_buf(raw)).await?,
            Self::Tls(stream) => within(stalled, meter, stream.read_buf(raw)).await?,
        };
        if read == 0 {
            let words = "it was closed before the block that ends the file";
            return Err(Broken::Network(io::Error::other(words)));
        }
        Ok(())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }
}

/// Waits for the socket, the stall limit or the brake.
async fn within<T>(
    stalled: Duration,
    meter: &Meter,
    act: impl Future<Output = io::Result<T>>,
) -> Result<T, Broken> {
    tokio::select! {
        biased;
        () = meter.brake.pulled() => Err(Broken::Aborted),
        done = timeout(stalled, act) => match done {
            Ok(done) => done.map_err(network),
            Err(_) => Err(Broken::Stalled),
        },
    }
}

/// Counts bytes of a file, and waits as the limits say.
///
/// # Errors
/// [`Broken::Aborted`].
pub async fn pay(meter: &Meter, bytes: u64) -> Result<(), Broken> {
    let wait = meter.charge(bytes);
    while let Some(step) = wait.step(Instant::now()) {
        tokio::select! {
            biased;
            () = meter.brake.pulled() => return Err(Broken::Aborted),
            () = tokio::time::sleep(step) => {}
        }
    }
    Ok(())
}
