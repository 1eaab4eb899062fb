//! The control connection, plain or TLS: bytes in for the line reader, one write out for what is told
//! together.

use std::{
    future::poll_fn,
    io::{self, BufRead as _},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::protocol::line::LineReader;

/// Bytes taken from the socket at once; on the stack of a poll, so a waiting session keeps none.
const READ: usize = 4096;
/// How long a client may take to see our goodbye.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The control connection.
#[derive(Debug)]
pub(crate) enum Wire {
    /// As it was accepted.
    Plain(TcpStream),
    /// After AUTH. Boxed: most of its size is rustls' state.
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed.
    Closed,
}

impl Wire {
    /// Reads what there is into `lines`; returns how many bytes, 0 at the end. Cancel-safe.
    pub(crate) async fn read(&mut self, lines: &mut LineReader) -> io::Result<usize> {
        poll_fn(|cx| {
            let mut bytes = [0_u8; READ];
            let n = match self {
                Self::Plain(stream) => ready!(poll_plain(stream, cx, &mut bytes))?,
                Self::Tls(stream) => {
                    let mut block = ReadBuf::new(&mut bytes);
                    ready!(Pin::new(stream.as_mut()).poll_read(cx, &mut block))?;
                    block.filled().len()
                }
                Self::Closed => 0,
            };
            lines.feed(&bytes[..n]);
            Poll::Ready(Ok(n))
        })
        .await
    }

    /// Tells whether bytes or the client's end have come that nobody has read yet.
    pub(crate) fn has_news(&mut self) -> bool {
        let socket = match self {
            Self::Plain(stream) => &*stream,
            Self::Tls(stream) => {
                let (socket, connection) = stream.get_mut();
                // The rest of a record is no news of the socket.
                match connection.reader().fill_buf() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => &*socket,
                    _ => return true,
                }
            }
            Self::Closed => return true,
        };
        let mut fds = [PollFd::new(socket, PollFlags::IN | PollFlags::RDHUP)];
        poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Writes and flushes, in `limit`.
    pub(crate) async fn write(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        let written = match self {
            // The common case: the whole reply fits, in one system call, now.
            Self::Plain(stream) => match stream.try_write(bytes) {
                Ok(n) if n == bytes.len() => return Ok(()),
                Ok(n) => timeout(limit, stream.write_all(&bytes[n..])).await,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    timeout(limit, stream.write_all(bytes)).await
                }
                Err(e) => return Err(e),
            },
            Self::Tls(stream) => {
                timeout(limit, async {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                })
                .await
            }
            Self::Closed => return Err(io::ErrorKind::NotConnected.into()),
        };
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Shakes hands. On an error the connection is closed.
    pub(crate) async fn secure(
        &mut self,
        config: Arc<ServerConfig>,
        limit: Duration,
    ) -> io::Result<()> {
        let Self::Plain(stream) = std::mem::replace(self, Self::Closed) else {
            return Err(io::ErrorKind::AlreadyExists.into());
        };
        let shaken = timeout(limit, TlsAcceptor::from(config).accept(stream)).await;
        let stream = shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        *self = Self::Tls(Box::new(stream));
        Ok(())
    }

    /// Says that nothing more comes and waits a moment for the client to have it: closing with
    /// unread commands would reset the connection and eat the last reply.
    pub(crate) async fn close(&mut self) {
        let _ = timeout(LAST_WORDS, async {
            let _ = match self {
                Self::Plain(stream) => stream.shutdown().await,
                Self::Tls(stream) => stream.shutdown().await,
                Self::Closed => return,
            };
            let mut rest = LineReader::default();
            while matches!(self.read(&mut rest).await, Ok(n) if n > 0) {
                rest.clear();
            }
        })
        .await;
    }
}

/// Not `poll_read`: that takes a short read for an empty socket, but a read also stops short at the
/// mark of urgent data (RFC 854 Synch), and what is behind the mark would wait for ever.
fn poll_plain(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    bytes: &mut [u8],
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(cx))?;
        match stream.try_read(bytes) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            read => return Poll::Ready(read),
        }
    }
}
