//! TLS over the sockets of one FTP session: limited in time, with a note of what each handshake
//! was, since servers that want session reuse refuse data connections that did not resume.

mod tickets;

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, pki_types::ServerName};
use suppaftp::{
    FtpError, FtpResult,
    tokio::{AsyncTlsConnector, ImplAsyncFtpStream, TokioTlsStream},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use self::tickets::Tickets;

/// The library's client, over our TLS.
pub(super) type FtpStream = ImplAsyncFtpStream<SecureStream>;

/// What the handshakes of a session were.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    pub(super) tickets: Arc<Tickets>,
    done: AtomicU32,
    last_was_resumed: AtomicBool,
    tls13: AtomicBool,
    /// The last one failed since the connection was lost over it.
    lost: AtomicBool,
    unclosed: Arc<Unclosed>,
}

/// Why the last stream could not be closed as TLS wants it.
#[derive(Debug, Default)]
struct Unclosed(Mutex<Option<io::Error>>);

impl Unclosed {
    fn put(&self, error: Option<io::Error>) -> Option<io::Error> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, error)
    }
}

impl Handshakes {
    /// Returns how many came to their end.
    pub(super) fn done(&self) -> u32 {
        self.done.load(Ordering::Acquire)
    }

    /// Tells whether the last one resumed a session.
    pub(super) fn last_was_resumed(&self) -> bool {
        self.last_was_resumed.load(Ordering::Acquire)
    }

    /// Returns the version of the session.
    pub(super) fn version(&self) -> &'static str {
        if self.is_tls13() {
            "TLS 1.3"
        } else {
            "TLS 1.2"
        }
    }

    /// Tells whether the last one failed since the connection was lost over it.
    pub(super) fn was_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }

    /// Takes why the last stream could not be closed: what it carried may have lost its end.
    pub(super) fn take_unclosed(&self) -> Option<io::Error> {
        self.unclosed.put(None)
    }

    /// Tells whether the session speaks TLS 1.3.
    pub(super) fn is_tls13(&self) -> bool {
        self.tls13.load(Ordering::Acquire)
    }
}

/// Makes TLS streams for the control connection and then for each data connection.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) config: Arc<ClientConfig>,
    pub(super) handshakes: Arc<Handshakes>,
    pub(super) limit: Duration,
}

/// Tells a connection that was lost from a peer that speaks no TLS, or another one.
fn is_of_the_line(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
    let kinds = [
        BrokenPipe,
        ConnectionAborted,
        ConnectionReset,
        TimedOut,
        UnexpectedEof,
    ];
    kinds.contains(&kind)
}

/// The name that a certificate must have. The scope of an address (`fe80::1%eth0`) is in none.
fn server_name(host: &str) -> FtpResult<ServerName<'static>> {
    let bare = host.split('%').next().unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|error| FtpError::SecureError(error.to_string()))
}

#[async_trait]
impl AsyncTlsConnector for Connector {
    type Stream = SecureStream;

    async fn connect(&self, domain: &str, stream: TcpStream) -> FtpResult<Self::Stream> {
        let name = server_name(domain)?;
        let shake = TlsConnector::from(Arc::clone(&self.config)).connect(name, stream);
        let stream = timeout(self.limit, shake)
            .await
            .map_err(|_| FtpError::SecureError(TIMED_OUT.to_owned()))?
            .map_err(|error| {
                let lost = is_of_the_line(error.kind());
                self.handshakes.lost.store(lost, Ordering::Release);
                FtpError::SecureError(error.to_string())
            })?;
        let session = stream.get_ref().1;
        let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
        let tls13 = session.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        self.handshakes
            .last_was_resumed
            .store(resumed, Ordering::Release);
        self.handshakes.tls13.store(tls13, Ordering::Release);
        self.handshakes.done.fetch_add(1, Ordering::AcqRel);
        let unclosed = Arc::clone(&self.handshakes.unclosed);
        Ok(SecureStream { stream, unclosed })
    }
}

/// A TLS stream whose close never fails, but leaves a note.
///
/// A server that breaks an upload off says why on the control connection. The library reads that
/// reply, and then would return the error of the close in its place.
#[derive(Debug)]
pub(super) struct SecureStream {
    stream: TlsStream<TcpStream>,
    unclosed: Arc<Unclosed>,
}

impl AsyncRead for SecureStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for SecureStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream)
            .poll_shutdown(context)
            .map(|closed| {
                self.unclosed.put(closed.err());
                Ok(())
            })
    }
}

impl TokioTlsStream for SecureStream {
    type InnerStream = TlsStream<TcpStream>;

    fn tcp_stream(self) -> FtpResult<TcpStream> {
        Ok(self.stream.into_inner().0)
    }

    fn get_ref(&self) -> &TcpStream {
        self.stream.get_ref().0
    }

    fn mut_ref(&mut self) -> &mut Self::InnerStream {
        &mut self.stream
    }
}

/// How a handshake that took too long is told: the library's error is text only.
pub(super) const TIMED_OUT: &str = "the handshake timed out";

/// Takes off what the library puts before the reason that the connector gave.
pub(super) fn bare(reason: &str) -> &str {
    reason.strip_prefix("Secure error: ").unwrap_or(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_an_address_is_in_no_certificate() {
        let address: std::net::IpAddr = "fe80::1".parse().unwrap();
        for host in ["fe80::1", "fe80::1%eth0", "fe80::1%2"] {
            assert_eq!(server_name(host).unwrap(), ServerName::from(address));
        }
        assert!(server_name("nas.local").is_ok() && server_name("a b").is_err());
    }
}
