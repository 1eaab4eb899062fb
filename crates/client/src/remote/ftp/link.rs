//! A data connection that carries one file after the other (block mode), and where it waits.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::Instant,
};

use crate::remote::tls::SecureStream;

/// How long a link may wait for its next file. Routers forget connections that say nothing, and then it
/// would end in silence.
const FRESH: Duration = Duration::from_secs(15);

/// Both directions of a data connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A data connection that stays open between files.
pub(super) struct Link {
    pub(super) stream: Box<dyn Stream>,
    /// The socket under the stream, for its options.
    pub(super) socket: socket2::Socket,
    is_secure: bool,
}

impl Link {
    pub(super) fn plain(stream: TcpStream) -> io::Result<Self> {
        let socket = option_handle(&stream)?;
        Ok(Self {
            stream: Box::new(stream),
            socket,
            is_secure: false,
        })
    }

    pub(super) fn secure(stream: SecureStream) -> io::Result<Self> {
        use suppaftp::tokio::TokioTlsStream as _;
        let socket = option_handle(stream.get_ref())?;
        Ok(Self {
            stream: Box::new(stream),
            socket,
            is_secure: true,
        })
    }

    /// Tells whether the server has its side open and says nothing between files. Under TLS it may have
    /// sent tickets.
    fn is_quiet(&self) -> bool {
        let flags = match self.is_secure {
            false => PollFlags::IN | PollFlags::RDHUP,
            true => PollFlags::RDHUP,
        };
        let mut fds = [PollFd::new(&self.socket, flags)];
        poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready == 0)
    }
}

/// Small blocks must not wait for an acknowledgement. Blocks tell the end of a file themselves, and what a
/// listing brings needs no reset.
fn option_handle(stream: &TcpStream) -> io::Result<socket2::Socket> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_linger(None)?;
    socket.try_clone()
}

/// Where a session's link waits between files.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<(Link, Instant)>>>);

impl Slot {
    /// Takes the link and since when it waits, unless that is too long or the server has closed it.
    pub(super) fn take(&self) -> Option<(Link, Instant)> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.take()
            .filter(|(link, since)| since.elapsed() < FRESH && link.is_quiet())
    }

    /// Puts a link here that carried nothing: it has waited all the time.
    pub(super) fn put_back(&self, link: Link, since: Instant) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((link, since));
    }

    pub(super) fn put(&self, link: Link) {
        self.put_back(link, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_link_that_waited_too_long_is_not_used_again() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let slot = Slot::default();
        slot.put(Link::plain(TcpStream::from_std(stream).unwrap()).unwrap());
        tokio::time::advance(FRESH / 2).await;
        let (link, since) = slot.take().unwrap();
        assert!(slot.take().is_none());
        // A refusal is no use of it.
        slot.put_back(link, since);
        tokio::time::advance(FRESH / 2).await;
        assert!(slot.take().is_none());
    }
}
