//! An open data connection, and what has moved through it.

use std::{io, net::TcpStream, sync::Arc, time::Duration};

use ftp_config::value::format_duration;
use socket2::SockRef;
use tokio_rustls::server::TlsStream;

use crate::{
    code,
    data::{
        Brake,
        link::{Link, Slot},
        meter::{Broken, Meter},
        pump::Conduit,
    },
    hands::{self, Place},
    protocol::Reply,
};

/// An open data connection.
#[derive(Debug)]
pub(in crate::verbs) enum Channel {
    Plain(TcpStream),
    Tls(Box<TlsStream<tokio::net::TcpStream>>),
}

/// What a transfer goes through.
#[derive(Debug)]
pub(in crate::verbs) enum Opened {
    /// A connection for this file alone.
    Stream(Channel),
    /// MODE B.
    Block(Linked),
}

/// A link that carries a file, with the place to put it back behind that.
#[derive(Debug)]
pub(in crate::verbs) struct Linked {
    pub(in crate::verbs) link: Link,
    pub(in crate::verbs) slot: Slot,
}

/// What has moved, and what is left of the data connection.
#[derive(Debug)]
pub(in crate::verbs) struct Moved {
    pub(in crate::verbs) bytes: Result<u64, Broken>,
    pub(in crate::verbs) meter: Meter,
    pub(in crate::verbs) linger: Option<Arc<TcpStream>>,
    pub(in crate::verbs) spent: Option<tokio::net::TcpStream>,
    /// What the client of an upload that the server has ended may still send through.
    pub(in crate::verbs) rest: Option<Conduit>,
    /// The data connection stays open.
    pub(in crate::verbs) is_kept: bool,
}

impl Moved {
    pub(in crate::verbs) fn new(bytes: Result<u64, Broken>, meter: Meter) -> Self {
        Self {
            bytes,
            meter,
            linger: None,
            spent: None,
            rest: None,
            is_kept: false,
        }
    }
}

impl Opened {
    /// Takes what will not be used to its end, so that its client may send on.
    pub(in crate::verbs) fn into_rest(self, stalled: Duration, brake: &Brake) -> Option<Conduit> {
        let channel = match self {
            Self::Stream(channel) => channel,
            Self::Block(linked) => match linked.link {
                Link::Plain(stream) => Channel::Plain(stream.into_std().ok()?),
                Link::Tls(stream) => Channel::Tls(stream),
            },
        };
        channel.into_conduit(stalled, brake).ok()
    }

    /// Words for the log: the client's end, how it is encrypted, and whether it stays open.
    pub(super) fn shown(&self) -> String {
        let (socket, is_tls, mode) = match self {
            Self::Stream(Channel::Plain(socket)) => (SockRef::from(socket), false, ""),
            Self::Stream(Channel::Tls(stream)) => (SockRef::from(stream.get_ref().0), true, ""),
            Self::Block(linked) => match &linked.link {
                Link::Plain(socket) => (SockRef::from(socket), false, ", MODE B"),
                Link::Tls(stream) => (SockRef::from(stream.get_ref().0), true, ", MODE B"),
            },
        };
        let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
        let peer = peer.map_or_else(|| "gone".to_owned(), |peer| peer.to_string());
        let protection = if is_tls { "TLS" } else { "clear" };
        format!("{peer}, {protection}{mode}")
    }
}

impl Channel {
    /// Moves bytes on a blocking thread; `body` keeps the thread to the end of the transfer.
    pub(in crate::verbs) async fn on_thread<F>(
        self,
        stalled: Duration,
        meter: Meter,
        body: F,
    ) -> Moved
    where
        F: FnOnce(&mut Conduit, &Meter) -> Result<u64, Broken> + Send + 'static,
    {
        hands::run(move |place| {
            if place == Place::Here {
                let words = hands::NO_THREAD.to_owned();
                let refused = Broken::Refused(code::LOCAL_ERROR, words);
                return Moved::new(Err(refused), meter);
            }
            let (mut linger, mut rest) = (None, None);
            let bytes = self
                .into_conduit(stalled, &meter.brake)
                .map_err(Broken::Network)
                .and_then(|mut conduit| {
                    let bytes = body(&mut conduit, &meter);
                    // Only a whole transfer says goodbye: a cut one must not look whole.
                    match &bytes {
                        Ok(_) => linger = Some(conduit.close()),
                        Err(broken) => rest = broken.is_ours().then_some(conduit),
                    }
                    bytes
                });
            meter.brake.release();
            Moved {
                linger,
                rest,
                ..Moved::new(bytes, meter)
            }
        })
        .await
    }

    fn into_conduit(self, stalled: Duration, brake: &Brake) -> io::Result<Conduit> {
        match self {
            Self::Plain(socket) => Conduit::new(socket, None, stalled, brake),
            Self::Tls(stream) => {
                let (socket, connection) = stream.into_inner();
                let socket = socket.into_std()?;
                Conduit::new(socket, Some(Box::new(connection)), stalled, brake)
            }
        }
    }
}

/// Turns the end of a data connection into its reply.
pub(in crate::verbs) fn broken_reply(broken: &Broken, stalled: Duration) -> Reply {
    match broken {
        Broken::Aborted => Reply::new(code::ABORTED, "Transfer aborted"),
        Broken::Stalled => Reply::new(
            code::ABORTED,
            format!(
                "No progress for {}; transfer aborted",
                format_duration(stalled)
            ),
        ),
        Broken::Network(error) => {
            Reply::new(code::ABORTED, format!("Data connection lost: {error}"))
        }
        Broken::Truncated => Reply::new(
            code::ABORTED,
            "The data connection ended without a TLS goodbye; the transfer is not whole",
        ),
        Broken::Disk(error) => Reply::new(code::LOCAL_ERROR, format!("Disk: {error}")),
        Broken::Refused(code, text) => Reply::new(*code, text.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_told_with_the_limit_as_the_file_says_it() {
        let said = |ms| broken_reply(&Broken::Stalled, Duration::from_millis(ms));
        let words = |ms| said(ms).text();
        assert!(words(500).contains("No progress for 500ms; "));
        assert!(words(1500).contains("No progress for 1500ms; "));
        assert!(words(300_000).contains("No progress for 5m; "));
    }
}
