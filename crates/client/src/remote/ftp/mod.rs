//! A session that speaks FTP: one command at a time, under a limit, never out of step.
//!
//! The only rooms that name suppaftp are this one, `connect` and `tls`. Of it we use the low
//! half: sockets, framing, the data-connection dance. Replies, listings, errors are ours.

mod commands;
mod data;
mod health;
mod reply;

use std::{
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use suppaftp::{FtpError, Mode, Status, types::Response};
use tokio::{net::TcpStream, runtime::Handle, time::timeout};

use self::{data::FtpData, health::Health};
use super::{
    Abilities, HashAlgorithm, Reply, SessionFacts, Start,
    connect::{Deadlines, Wire, WireTrace},
    names::Codec,
    tls::{FtpStream, Handshakes},
};
use crate::{
    cancel::Cancel,
    error::{Phase, RemoteError},
    trust::{Trust, TrustCheck, verifier::Verdict},
};

pub(super) use reply::{check_line, parse as parse_reply};

/// One FTP session.
pub(super) struct FtpRemote {
    stream: FtpStream,
    control: Arc<OwnedFd>,
    codec: Arc<Codec>,
    deadlines: Deadlines,
    trace: Option<WireTrace>,
    health: Health,
    note: Arc<DialNote>,
    passive: Passive,
    reuse: ReuseWatch,
    pub(super) abilities: Abilities,
    pub(super) facts: SessionFacts,
    dir: Option<String>,
    set_time: commands::SetTime,
    hash_set: Option<HashAlgorithm>,
    mlst_refused: bool,
    clock: commands::Clock,
}

/// How data connections are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passive {
    Extended,
    Plain,
}

/// What the data connection attempt came to; the library only says "failed".
#[derive(Debug, Default)]
pub(super) struct DialNote(Mutex<(Option<SocketAddr>, bool)>);

impl DialNote {
    fn edit<T>(&self, change: impl FnOnce(&mut (Option<SocketAddr>, bool)) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Connects, within the limit.
    async fn connect(&self, address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
        self.edit(|note| *note = (Some(address), true));
        let socket = timeout(limit, TcpStream::connect(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        self.edit(|note| note.1 = false);
        Ok(socket)
    }
}

/// Tells a refusal for want of TLS session reuse from others.
#[derive(Clone, Debug)]
pub(super) struct ReuseWatch {
    pub(super) handshakes: Option<Arc<Handshakes>>,
    pub(super) verdict: Option<Arc<Verdict>>,
    pub(super) trust: Arc<dyn TrustCheck>,
    pub(super) endpoint: String,
}

impl ReuseWatch {
    /// Makes the error for a refused data command. After a full TLS 1.3 handshake 425 and 522 mean
    /// that the tickets ran out; a session of TLS 1.2 resumes as often as it likes.
    fn refusal(&self, verb: String, path: Option<String>, reply: Reply) -> RemoteError {
        let starved = self.handshakes.as_ref().is_some_and(|shakes| {
            shakes.done() > 1 && !shakes.last_was_resumed() && shakes.is_tls13()
        });
        if starved && matches!(reply.code, 425 | 522) {
            self.trust.note_tls12(&self.endpoint);
            return RemoteError::SessionReuse {
                reason: reply.to_string(),
            };
        }
        RemoteError::Refused { verb, path, reply }
    }

    /// Looks before a data command whether it could resume. A server that resumes but is thrifty
    /// with TLS 1.3 tickets (ProFTPD gives none on a resumed upload) is better spoken to in
    /// TLS 1.2, and some refuse what does not resume.
    fn check_tickets(&self) -> Result<(), RemoteError> {
        let starved = self.handshakes.as_ref().is_some_and(|shakes| {
            shakes.is_tls13() && shakes.last_was_resumed() && shakes.tickets.ran_out()
        });
        if !starved {
            return Ok(());
        }
        self.trust.note_tls12(&self.endpoint);
        Err(RemoteError::SessionReuse {
            reason: "no TLS 1.3 ticket is left, so TLS 1.2 is used".to_owned(),
        })
    }

    /// Makes the error for a failed handshake.
    pub(super) fn handshake(&self, reason: String) -> RemoteError {
        let endpoint = self.endpoint.clone();
        match self.verdict.as_ref().and_then(|verdict| verdict.refused()) {
            Some(Trust::New { fingerprint }) => RemoteError::Untrusted {
                endpoint,
                fingerprint,
            },
            Some(Trust::Changed { old, new, place }) => RemoteError::CertificateChanged {
                endpoint,
                old,
                new,
                place,
            },
            Some(Trust::Known) | None => RemoteError::Tls { endpoint, reason },
        }
    }
}

/// Makes the error of a connection that broke.
pub(super) fn broken(verb: &str, error: FtpError) -> RemoteError {
    let verb = verb.to_owned();
    match error {
        FtpError::ConnectionError(source) if source.kind() == io::ErrorKind::InvalidData => {
            RemoteError::TooLarge {
                verb,
                limit: 256 * 1024,
                unit: "bytes in one reply",
            }
        }
        FtpError::ConnectionError(source) => RemoteError::Io { verb, source },
        FtpError::DataConnectionAlreadyOpen => RemoteError::Poisoned,
        FtpError::SecureError(what) => RemoteError::Protocol { verb, what },
        _ => RemoteError::Protocol {
            verb,
            what: "the server's reply cannot be read".to_owned(),
        },
    }
}

/// What [`FtpRemote::open`] begins.
#[derive(Clone, Copy)]
enum Act<'a> {
    /// RETR, MLSD, LIST: bytes come.
    Receive(&'static str, &'a str),
    /// STOR, APPE: bytes go.
    Store(&'a str, Start),
}

impl Act<'_> {
    fn verb(&self) -> &'static str {
        match self {
            Self::Receive(verb, _) => verb,
            Self::Store(_, Start::Append) => "APPE",
            Self::Store(..) => "STOR",
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Receive(_, path) | Self::Store(path, _) => path,
        }
    }

    fn line(&self) -> String {
        match self.path() {
            "" => self.verb().to_owned(),
            path => format!("{} {path}", self.verb()),
        }
    }
}

impl FtpRemote {
    /// Takes over a connection that is logged in.
    pub(super) async fn new(
        stream: FtpStream,
        codec: Arc<Codec>,
        deadlines: Deadlines,
        trace: Option<WireTrace>,
        reuse: ReuseWatch,
    ) -> Result<Self, RemoteError> {
        let note = Arc::new(DialNote::default());
        let dial = Arc::clone(&note);
        let limit = deadlines.data_connect;
        let mut stream = stream.passive_stream_builder(move |address| {
            let dial = Arc::clone(&dial);
            Box::pin(async move {
                let connected = dial.connect(address, limit).await;
                connected.map_err(FtpError::ConnectionError)
            })
        });
        // The address in a 227 is never believed: it may be private, or somebody else's.
        stream.set_passive_nat_workaround(true);
        let control = {
            use std::os::fd::AsFd;
            let socket = stream.get_ref().await;
            let cloned = socket.as_fd().try_clone_to_owned();
            Arc::new(cloned.map_err(|source| RemoteError::Io {
                verb: "connect".to_owned(),
                source,
            })?)
        };
        Ok(Self {
            stream,
            control,
            codec,
            deadlines,
            trace,
            health: Health::default(),
            note,
            passive: Passive::Extended,
            reuse,
            abilities: Abilities::default(),
            facts: SessionFacts::default(),
            dir: None,
            set_time: commands::SetTime::Unknown,
            hash_set: None,
            mlst_refused: false,
            clock: commands::Clock::Unknown,
        })
    }

    fn trace(&self, wire: Wire<'_>) {
        if let Some(trace) = &self.trace {
            trace(wire);
        }
    }

    fn trace_reply(&self, reply: &Reply) {
        if let Some(trace) = &self.trace {
            for line in &reply.lines {
                trace(Wire::Received(&format!("{} {line}", reply.code)));
            }
        }
    }

    /// Reads a reply; one that cannot be is a protocol error.
    fn read(&self, verb: &str, response: &Response) -> Result<Reply, RemoteError> {
        let reply = reply::parse(&self.codec, &response.body).ok_or_else(|| {
            let said: String = String::from_utf8_lossy(&response.body)
                .escape_debug()
                .take(120)
                .collect();
            RemoteError::Protocol {
                verb: verb.to_owned(),
                what: format!("the server is out of step: `{said}`"),
            }
        })?;
        self.trace_reply(&reply);
        Ok(reply)
    }

    /// Sends one line and returns whatever reply comes. The verb is the line's first word.
    pub(super) async fn command(&mut self, line: &str) -> Result<Reply, RemoteError> {
        self.command_within(line, self.deadlines.reply).await
    }

    async fn command_within(&mut self, line: &str, limit: Duration) -> Result<Reply, RemoteError> {
        check_line(line)?;
        self.health.enter()?;
        let verb = line.split(' ').next().unwrap_or_default();
        self.trace(Wire::Sent(line));
        // With no code expected every reply comes back whole.
        let sent = timeout(limit, self.stream.custom_command(line, &[])).await;
        let outcome = match sent {
            Err(_) => Err(RemoteError::Timeout {
                phase: Phase::Reply,
                after: limit,
            }),
            Ok(Err(FtpError::UnexpectedResponse(response))) => self.read(verb, &response),
            Ok(Err(FtpError::ConnectionError(error)))
                if error.kind() == io::ErrorKind::InvalidInput =>
            {
                self.health.ready();
                return Err(RemoteError::BadName {
                    name: line.escape_debug().to_string(),
                    why: "the site's encoding lacks one of its characters",
                });
            }
            Ok(Err(error)) => Err(broken(verb, error)),
            Ok(Ok(_)) => Err(RemoteError::Poisoned),
        };
        match &outcome {
            Ok(reply) if reply.code >= 200 && reply.code != 421 => self.health.ready(),
            Ok(reply) if reply.code < 200 => {
                self.health.broken();
                return Err(RemoteError::Protocol {
                    verb: verb.to_owned(),
                    what: format!("an unexpected {reply}"),
                });
            }
            _ => self.health.broken(),
        }
        outcome
    }

    /// Sends `VERB path` and wants a 2xx.
    async fn expect(&mut self, verb: &str, path: &str) -> Result<Reply, RemoteError> {
        let line = if path.is_empty() {
            verb.to_owned()
        } else {
            format!("{verb} {path}")
        };
        let reply = self.command(&line).await?;
        if reply.is_ok() {
            return Ok(reply);
        }
        Err(RemoteError::Refused {
            verb: verb.to_owned(),
            path: (!path.is_empty()).then(|| path.to_owned()),
            reply,
        })
    }

    /// Opens a data connection: EPSV first; PASV for good once EPSV was refused.
    async fn open(&mut self, act: Act<'_>, offset: u64) -> Result<FtpData, RemoteError> {
        check_line(&act.line())?;
        // Our own server does not insist on session reuse: a full handshake will do.
        if !self.abilities.atomic_stor()
            && let Err(error) = self.reuse.check_tickets()
        {
            return self.give_up(error);
        }
        loop {
            self.health.enter()?;
            self.note.edit(|note| *note = (None, false));
            self.stream.set_mode(match self.passive {
                Passive::Extended => Mode::ExtendedPassive,
                Passive::Plain => Mode::Passive,
            });
            let limit = self.deadlines.data_connect + self.deadlines.reply;
            let opened = timeout(limit, begin(&mut self.stream, act, offset)).await;
            self.facts.data_peer = self.note.edit(|note| note.0.map(|peer| peer.to_string()));
            let error = match opened {
                Ok(Ok((text, stream))) => {
                    return Ok(self.opened(act, offset, text.as_deref(), stream));
                }
                Ok(Err(FtpError::UnexpectedResponse(response))) => {
                    let reply = match self.read(act.verb(), &response) {
                        Ok(reply) => reply,
                        Err(error) => return self.give_up(error),
                    };
                    if reply.code == 421 {
                        self.health.broken();
                    } else {
                        self.health.ready();
                    }
                    if self.falls_back(&reply) {
                        continue;
                    }
                    let path = Some(act.path().to_owned());
                    let error = self.reuse.refusal(act.verb().to_owned(), path, reply);
                    if matches!(error, RemoteError::SessionReuse { .. }) {
                        self.health.broken();
                    }
                    return Err(error);
                }
                Ok(Err(error)) => self.open_failed(act.verb(), error).await,
                Err(_) => RemoteError::Timeout {
                    phase: Phase::DataConnect,
                    after: limit,
                },
            };
            return self.give_up(error);
        }
    }

    fn give_up<T>(&self, error: RemoteError) -> Result<T, RemoteError> {
        if !matches!(error, RemoteError::BadName { .. }) {
            self.health.broken();
        }
        Err(error)
    }

    /// Tells whether EPSV was refused, so that PASV is to be tried. No address was dialled then.
    fn falls_back(&mut self, reply: &Reply) -> bool {
        let refused = reply.code >= 500 || reply.code == 229;
        let never_dialled = self.note.edit(|note| note.0.is_none());
        if self.passive == Passive::Extended && never_dialled && refused {
            self.passive = Passive::Plain;
            return true;
        }
        false
    }

    fn opened(
        &mut self,
        act: Act<'_>,
        offset: u64,
        text: Option<&str>,
        stream: data::Stream,
    ) -> FtpData {
        data::acknowledge_quickly(&self.control);
        self.facts.passive = match self.passive {
            Passive::Extended => "EPSV",
            Passive::Plain => "PASV",
        };
        if let Some(peer) = &self.facts.data_peer {
            self.trace(Wire::Sent(&format!("{} ({peer})", self.facts.passive)));
        }
        if offset > 0 {
            self.trace(Wire::Sent(&format!("REST {offset}")));
        }
        self.trace(Wire::Sent(&act.line()));
        if let Some(text) = text {
            self.trace(Wire::Received(text.trim_end()));
        }
        FtpData {
            stream: Some(stream),
            secure: self.reuse.handshakes.is_some(),
            control: Arc::clone(&self.control),
            runtime: Handle::current(),
            cancel: Cancel::default(),
            stalled: self.deadlines.stalled,
            finish: self.deadlines.finish,
            announced: text.and_then(reply::announced_size),
            verb: act.verb(),
            path: act.path().to_owned(),
            health: self.health.clone(),
            codec: Arc::clone(&self.codec),
            reuse: self.reuse.clone(),
            later: None,
        }
    }

    async fn open_failed(&mut self, verb: &'static str, error: FtpError) -> RemoteError {
        match error {
            FtpError::ConnectionError(source) if source.kind() == io::ErrorKind::InvalidInput => {
                self.health.ready();
                RemoteError::BadName {
                    name: source.to_string(),
                    why: "the site's encoding lacks one of its characters",
                }
            }
            FtpError::ConnectionError(source) => match self.note.edit(|note| *note) {
                (Some(_), true) if source.kind() == io::ErrorKind::TimedOut => {
                    RemoteError::Timeout {
                        phase: Phase::DataConnect,
                        after: self.deadlines.data_connect,
                    }
                }
                (Some(address), true) => RemoteError::Connect {
                    address: address.to_string(),
                    source,
                },
                _ => broken(verb, FtpError::ConnectionError(source)),
            },
            FtpError::SecureError(reason) => self.handshake_failed(verb, reason).await,
            error => broken(verb, error),
        }
    }

    /// The data handshake failed behind a 150; the server's reason is still on the control
    /// connection.
    async fn handshake_failed(&mut self, verb: &'static str, reason: String) -> RemoteError {
        let error = self.reuse.handshake(reason);
        if !matches!(error, RemoteError::Tls { .. }) {
            return error;
        }
        let grace = self.deadlines.reply.min(Duration::from_secs(2));
        let late = timeout(grace, self.stream.read_response_in(&[])).await;
        let Ok(Err(FtpError::UnexpectedResponse(response))) = late else {
            return error;
        };
        match self.read(verb, &response) {
            Ok(reply) => self.reuse.refusal(verb.to_owned(), None, reply),
            Err(_) => error,
        }
    }

    /// After a dropped transfer: whatever it still answers is read until NOOP is answered.
    async fn resync(&mut self) -> Result<(), RemoteError> {
        let mut next = self.stream.custom_command("NOOP", &[]).await;
        for _ in 0..3 {
            let Err(FtpError::UnexpectedResponse(response)) = next else {
                return Err(RemoteError::Poisoned);
            };
            match self.read("NOOP", &response)?.code {
                200 => return Ok(()),
                225 | 226 | 250 | 425 | 426 | 450 | 451 | 550 | 552 => {
                    next = self.stream.read_response_in(&[]).await;
                }
                _ => return Err(RemoteError::Poisoned),
            }
        }
        Err(RemoteError::Poisoned)
    }
}

/// Runs the library's data-connection dance for an act.
async fn begin(
    stream: &mut FtpStream,
    act: Act<'_>,
    offset: u64,
) -> Result<(Option<String>, data::Stream), FtpError> {
    let rest = usize::try_from(offset).map_err(|_| {
        let error = io::Error::new(io::ErrorKind::Unsupported, "the offset is too large here");
        FtpError::ConnectionError(error)
    })?;
    stream.resume_transfer(rest).await?;
    match act {
        Act::Receive(..) => {
            let (response, data) = stream
                .custom_data_command(act.line(), &[Status::AboutToSend, Status::AlreadyOpen])
                .await?;
            Ok((
                Some(String::from_utf8_lossy(&response.body).into_owned()),
                data,
            ))
        }
        Act::Store(path, Start::Append) => Ok((None, stream.append_with_stream(path).await?)),
        Act::Store(path, _) => Ok((None, stream.put_with_stream(path).await?)),
    }
}
