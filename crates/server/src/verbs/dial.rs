//! Opening the data connection of one transfer, with everything taken out of the session first.

mod opened;

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tracing::{Span, trace};

pub(super) use self::opened::{Channel, Linked, Moved, Opened, broken_reply};
use crate::{
    code,
    data::{
        self, Brake, Pending,
        link::{Link, Slot},
        secure,
    },
    direction::Direction,
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

    /// Tells whether the data connection will be encrypted.
    pub(super) fn is_private(&self) -> bool {
        self.tls.is_some()
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

fn nothing_to_open() -> Reply {
    let words = "PASV, EPSV, PORT or EPRT comes first";
    Reply::new(code::NO_DATA_CONNECTION, words)
}
