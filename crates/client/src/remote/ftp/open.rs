//! How a data connection comes up: EPSV or PASV, REST, the command, the handshake.

use std::{io, sync::Arc, time::Duration};

use suppaftp::{FtpError, Mode, Status, types::Response};
use tokio::{
    runtime::Handle,
    time::{error::Elapsed, timeout},
};

use super::{
    FtpRemote,
    act::Act,
    check_line,
    data::{self, FtpData},
    dial::{Passive, plain_port},
    exchange::broken,
    reply,
};
use crate::{
    error::{Phase, RemoteError},
    remote::{Reply, Start, connect::Wire, names::escaped, tls::FtpStream},
};

/// The text of a reply, where the library hands it out, and the data connection.
type Opening = (Option<String>, data::Stream);

impl FtpRemote {
    /// Opens a data connection: EPSV first; PASV for good once EPSV was refused.
    pub(super) async fn open(&mut self, act: Act<'_>, offset: u64) -> Result<FtpData, RemoteError> {
        check_line(&act.line())?;
        // Our own server insists on session reuse only if told to, and then says so (522).
        if !self.abilities.atomic_stor()
            && let Err(error) = self.reuse.check_tickets()
        {
            return self.give_up(error);
        }
        loop {
            self.health.enter()?;
            let limit = self.deadlines.data_connect + self.deadlines.reply;
            let error = match self.dance(act, offset, limit).await {
                Ok(Ok((text, stream))) => {
                    return Ok(self.opened(act, offset, text.as_deref(), stream));
                }
                Ok(Err(FtpError::UnexpectedResponse(response))) => {
                    self.show_opening(act, offset);
                    match self.not_opened(act, &response)? {
                        Some(refusal) => return Err(refusal),
                        None => continue,
                    }
                }
                Ok(Err(error)) => self.open_failed(act, error).await,
                Err(_) => RemoteError::Timeout {
                    phase: match self.note.read().is_up() {
                        true => Phase::Begin,
                        false => Phase::DataConnect,
                    },
                    after: limit,
                },
            };
            return self.give_up(error);
        }
    }

    /// Runs the library's dance, within the limit, and notes which way it went and to whom.
    async fn dance(
        &mut self,
        act: Act<'_>,
        offset: u64,
        limit: Duration,
    ) -> Result<Result<Opening, FtpError>, Elapsed> {
        self.note.clear();
        let opened = {
            let mut stream = self.stream.lock().await;
            stream.set_mode(match self.passive {
                Passive::Extended => Mode::ExtendedPassive,
                Passive::Plain | Passive::Odd => Mode::Passive,
            });
            timeout(limit, begin(&mut stream, act, offset)).await
        };
        self.facts.data_peer = self.note.read().address;
        self.facts.passive = self.passive.verb();
        opened
    }

    /// Makes the error of a reply that opens nothing; `None`: PASV is to be tried.
    fn not_opened(
        &mut self,
        act: Act<'_>,
        response: &Response,
    ) -> Result<Option<RemoteError>, RemoteError> {
        let reply = match self.read(act.verb(), response) {
            Ok(reply) => reply,
            Err(error) => return self.give_up(error),
        };
        if self.falls_back(&reply) {
            self.health.ready();
            return Ok(None);
        }
        match reply.code {
            227 if self.note.read().address.is_none() && plain_port(&reply).is_some() => {
                self.passive = Passive::Odd;
                self.health.ready();
            }
            // Not implemented: small servers say that so.
            202 | 400.. if reply.code != 421 => self.health.ready(),
            // A reply of before, or one too many: nothing that follows can be trusted.
            _ => self.health.broken(),
        }
        Ok(Some(self.refused(act, reply)))
    }

    /// Shows what was sent; without a peer the server has refused to open a port.
    fn show_opening(&self, act: Act<'_>, offset: u64) {
        let Some(trace) = &self.trace else {
            return;
        };
        let passive = self.facts.passive;
        let Some(peer) = &self.facts.data_peer else {
            return trace(Wire::Sent(passive));
        };
        trace(Wire::Sent(&format!("{passive} ({peer})")));
        if offset > 0 {
            trace(Wire::Sent(&format!("REST {offset}")));
        }
        trace(Wire::Sent(&act.line()));
    }

    /// Tells whether EPSV was refused, so that PASV is to be tried. No address was dialled then.
    fn falls_back(&mut self, reply: &Reply) -> bool {
        let never_dialled = self.note.read().address.is_none();
        if self.passive == Passive::Extended && never_dialled && reply::is_no_epsv(reply) {
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
        // Our own server sends each reply at once, and an acknowledgement is a segment more.
        let nagles = (!self.abilities.atomic_stor()).then(|| Arc::clone(&self.control));
        if let Some(control) = &nagles {
            data::acknowledge_quickly(control);
        }
        self.show_opening(act, offset);
        if let (Some(trace), Some(text)) = (&self.trace, text) {
            trace(Wire::Received(text.trim_end()));
        }
        FtpData {
            stream: Some(stream),
            secure: self.reuse.handshakes.is_some(),
            nagles,
            runtime: Handle::current(),
            stalled: self.deadlines.stalled,
            announced: text.and_then(reply::announced_size),
            parting: self.parting(act),
            later: None,
        }
    }

    async fn open_failed(&mut self, act: Act<'_>, error: FtpError) -> RemoteError {
        let verb = act.verb();
        match error {
            FtpError::ConnectionError(source) if source.kind() == io::ErrorKind::InvalidInput => {
                self.health.ready();
                RemoteError::BadName {
                    name: escaped(act.path()),
                    why: "the site's encoding lacks one of its characters",
                }
            }
            FtpError::ConnectionError(source) => match self.note.read().failed_at() {
                Some(_) if source.kind() == io::ErrorKind::TimedOut => RemoteError::Timeout {
                    phase: Phase::DataConnect,
                    after: self.deadlines.data_connect,
                },
                Some(address) => RemoteError::Connect {
                    address: address.to_string(),
                    source,
                },
                None => broken(verb, FtpError::ConnectionError(source)),
            },
            FtpError::SecureError(reason) => self.handshake_failed(verb, reason).await,
            error => broken(verb, error),
        }
    }

    /// The data handshake failed behind a 150; the server's reason is still on the control
    /// connection.
    pub(super) async fn handshake_failed(
        &mut self,
        verb: &'static str,
        reason: String,
    ) -> RemoteError {
        let limit = self.deadlines.handshake;
        let error = self.reuse.handshake(&reason, Phase::DataConnect, limit);
        let may_be_refused = matches!(
            error,
            RemoteError::Tls { .. } | RemoteError::Io { .. } | RemoteError::Timeout { .. }
        );
        if !may_be_refused {
            return error;
        }
        let grace = self.deadlines.reply.min(Duration::from_secs(2));
        let late = timeout(grace, async {
            let mut stream = self.stream.lock().await;
            stream.read_response_in(&[]).await
        })
        .await;
        let Ok(Err(FtpError::UnexpectedResponse(response))) = late else {
            return error;
        };
        match self.read(verb, &response) {
            Ok(reply) => self.reuse.refusal(verb.to_owned(), None, reply),
            Err(_) => error,
        }
    }
}

/// Runs the library's data-connection dance for an act.
async fn begin(stream: &mut FtpStream, act: Act<'_>, offset: u64) -> Result<Opening, FtpError> {
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
