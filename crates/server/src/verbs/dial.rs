//! Opening the data connection of one transfer, with everything taken out of the session first.

use std::{
    io,
    net::{IpAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::ServerConfig;
use socket2::SockRef;
use tokio_rustls::server::TlsStream;
use tracing::{Span, trace};

use crate::{
    code,
    data::{
        self, Brake, Pending,
        link::{Link, Slot},
        meter::{Broken, Meter},
        pump::Conduit,
        secure,
    },
    direction::Direction,
    hands::{self, Place},
    protocol::Reply,
    session::Session,
    tls::OneSession,
};

/// What it takes to open a transfer's data connection.
#[derive(Debug)]
pub(super) struct Dial {
    /// `None`: the link in the slot is used again.
    pending: Option<Pending>,
    /// In MODE B, where the link waits before the file and behind it.
    slot: Option<Slot>,
    peer: IpAddr,
    tls: Option<Arc<ServerConfig>>,
    /// Where reuse is required: who does not resume this is not the client.
    own_tls: Option<OneSession>,
    connect: Duration,
    handshake: Duration,
    /// The longest time without progress.
    pub(super) stalled: Duration,
    pub(super) brake: Arc<Brake>,
    span: Span,
}

/// An open data connection.
#[derive(Debug)]
pub(super) enum Channel {
    Plain(TcpStream),
    Tls(Box<TlsStream<tokio::net::TcpStream>>),
}

/// What a transfer goes through.
#[derive(Debug)]
pub(super) enum Opened {
    /// A connection for this file alone.
    Stream(Channel),
    /// MODE B.
    Block(Linked),
}

/// A link that carries a file, with the place to put it back behind that.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) link: Link,
    pub(super) slot: Slot,
}

/// What has moved, and what is left of the data connection.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) bytes: Result<u64, Broken>,
    pub(super) meter: Meter,
    pub(super) linger: Option<Arc<TcpStream>>,
    pub(super) spent: Option<tokio::net::TcpStream>,
    /// The data connection stays open.
    pub(super) is_kept: bool,
}

impl Moved {
    pub(super) fn new(bytes: Result<u64, Broken>, meter: Meter) -> Self {
        Self {
            bytes,
            meter,
            linger: None,
            spent: None,
            is_kept: false,
        }
    }
}

impl Dial {
    /// Tells whether there is something to open, before anything else of a transfer is looked at.
    pub(super) fn check(session: &Session) -> Result<(), Reply> {
        if session.demands_privacy() && !session.is_private {
            // RFC 2228 §5.3.1.2, RFC 4217 §9.
            let words = "Data is encrypted here; use PROT P";
            return Err(Reply::new(code::NOT_PROTECTED, words));
        }
        let has_link = session.is_block && session.slot.has_link();
        if session.pending.is_none() && !has_link {
            return Err(nothing_to_open());
        }
        Ok(())
    }

    /// Takes the pending data connection, once nothing can refuse the transfer any more: of a refused
    /// one it is left as it is. A client that sees it break before it has read why gives the session up,
    /// and others ask for something else over it.
    pub(super) fn take(session: &mut Session, direction: Direction) -> Self {
        let pending = session.pending.take();
        let slot = session.is_block.then(|| session.slot.clone());
        let own = session.own_tls.as_ref().map(|own| &own.configs);
        let tls = own.or(session.snapshot.tls.as_ref());
        let tls = tls.filter(|_| session.is_private);
        let timeouts = &session.snapshot.config.timeouts;
        Self {
            pending,
            slot,
            peer: session.peer,
            tls: tls.map(|configs| match direction {
                Direction::Up => Arc::clone(&configs.upload),
                Direction::Down => Arc::clone(&configs.download),
            }),
            own_tls: session.own_tls.clone(),
            connect: timeouts.data_connect,
            handshake: timeouts.tls_handshake,
            stalled: timeouts.stalled,
            brake: Arc::new(Brake::default()),
            span: Span::current(),
        }
    }

    /// Returns the code of the first reply: whether a data connection is to be opened.
    pub(super) fn first_code(&self) -> u16 {
        match self.pending {
            Some(_) => code::OPENING,
            None => code::ALREADY_OPEN,
        }
    }

    /// Opens it, or says why not: 425, or 426 when the brake was pulled.
    pub(super) async fn open(self) -> Result<Opened, Reply> {
        let (brake, span) = (Arc::clone(&self.brake), self.span.clone());
        let opened = tokio::select! {
            biased;
            () = brake.pulled() => Err(Reply::new(code::ABORTED, "Transfer aborted")),
            opened = self.opened() => opened,
        }?;
        trace!(parent: &span, data = opened.shown(), "data connection open");
        Ok(opened)
    }

    async fn opened(mut self) -> Result<Opened, Reply> {
        let slot = self.slot.take();
        let Some(pending) = self.pending.take() else {
            let slot = slot.ok_or_else(nothing_to_open)?;
            let link = slot.take().ok_or_else(nothing_to_open)?;
            return Ok(Opened::Block(Linked { link, slot }));
        };
        let channel = self.connected(pending).await?;
        let Some(slot) = slot else {
            return Ok(Opened::Stream(channel));
        };
        let link = match channel {
            Channel::Plain(socket) => Link::plain(socket),
            Channel::Tls(stream) => Ok(Link::Tls(stream)),
        };
        let failed = |error: io::Error| Reply::new(code::NO_DATA_CONNECTION, error.to_string());
        let link = link.map_err(failed)?;
        Ok(Opened::Block(Linked { link, slot }))
    }

    async fn connected(self, pending: Pending) -> Result<Channel, Reply> {
        let failed = |words: &str, error: &io::Error| {
            let text = match error.kind() {
                io::ErrorKind::TimedOut => format!("{words}: not in time"),
                _ => format!("{words}: {error}"),
            };
            Reply::new(code::NO_DATA_CONNECTION, text)
        };
        let socket = data::open(pending, self.peer, self.connect)
            .await
            .map_err(|e| failed("No data connection", &e))?;
        let Some(config) = self.tls else {
            return Ok(Channel::Plain(socket));
        };
        let shaken = secure::handshake(socket, config, self.handshake).await;
        let stream = shaken.map_err(|e| {
            // Who ended first has said nothing yet, or not the last word, and has no ticket.
            if e.kind() != io::ErrorKind::UnexpectedEof {
                self.own_tls.iter().for_each(OneSession::spoil);
            }
            failed("No TLS on the data connection", &e)
        })?;
        let is_shown = |own: &OneSession| own.is_shown_by(stream.get_ref().1);
        if !self.own_tls.as_ref().is_none_or(is_shown) {
            let words = "The data connection does not resume this TLS session (tls.require_reuse)";
            return Err(Reply::new(code::NOT_PROTECTED, words));
        }
        Ok(Channel::Tls(Box::new(stream)))
    }
}

impl Opened {
    /// Words for the log: the client's end, how it is encrypted, and whether it stays open.
    fn shown(&self) -> String {
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
    pub(super) async fn on_thread<F>(self, stalled: Duration, meter: Meter, body: F) -> Moved
    where
        F: FnOnce(&mut Conduit, &Meter) -> Result<u64, Broken> + Send + 'static,
    {
        hands::run(move |place| {
            if place == Place::Here {
                let words = hands::NO_THREAD.to_owned();
                let refused = Broken::Refused(code::LOCAL_ERROR, words);
                return Moved::new(Err(refused), meter);
            }
            let mut linger = None;
            let bytes = self
                .into_conduit(stalled, &meter)
                .map_err(Broken::Network)
                .and_then(|mut conduit| {
                    let bytes = body(&mut conduit, &meter);
                    // Only a whole transfer says goodbye: a cut one must not look whole.
                    if bytes.is_ok() {
                        linger = Some(conduit.close());
                    }
                    bytes
                });
            meter.brake.release();
            Moved {
                linger,
                ..Moved::new(bytes, meter)
            }
        })
        .await
    }

    fn into_conduit(self, stalled: Duration, meter: &Meter) -> io::Result<Conduit> {
        match self {
            Self::Plain(socket) => Conduit::new(socket, None, stalled, &meter.brake),
            Self::Tls(stream) => {
                let (socket, connection) = stream.into_inner();
                let socket = socket.into_std()?;
                Conduit::new(socket, Some(Box::new(connection)), stalled, &meter.brake)
            }
        }
    }
}

fn nothing_to_open() -> Reply {
    let words = "PASV, EPSV, PORT or EPRT comes first";
    Reply::new(code::NO_DATA_CONNECTION, words)
}

/// Turns the end of a data connection into its reply.
pub(super) fn broken_reply(broken: &Broken, stalled: Duration) -> Reply {
    match broken {
        Broken::Aborted => Reply::new(code::ABORTED, "Transfer aborted"),
        Broken::Stalled => Reply::new(
            code::ABORTED,
            format!("No progress for {} s; transfer aborted", stalled.as_secs()),
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
