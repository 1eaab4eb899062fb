//! One line out and one reply in, under a limit; and what shows that the two are out of step.

use std::{borrow::Cow, io, sync::Arc, time::Duration};

use suppaftp::{FtpError, types::Response};
use tokio::time::timeout;

use super::{
    FtpRemote,
    reply::{self, check_line},
};
use crate::{
    error::{Phase, RemoteError},
    remote::{
        Reply,
        connect::{Wire, WireTrace},
        names,
    },
};

impl FtpRemote {
    /// Sends one line and returns whatever reply comes. The verb is the line's first word.
    pub(in crate::remote) async fn command(&mut self, line: &str) -> Result<Reply, RemoteError> {
        self.command_within(line, self.deadlines.reply).await
    }

    /// Does so within this limit. What is no reply to a command, as a 1xx, ends the session.
    pub(super) async fn command_within(
        &mut self,
        line: &str,
        limit: Duration,
    ) -> Result<Reply, RemoteError> {
        check_line(line)?;
        self.health.enter()?;
        let outcome = self.exchange(line, limit).await;
        match &outcome {
            Ok(reply) if reply.code >= 200 && reply.code != 421 => self.health.ready(),
            Ok(reply) if reply.code < 200 => {
                self.health.broken();
                let verb = line.split(' ').next().unwrap_or_default();
                return Err(RemoteError::Protocol {
                    verb: verb.to_owned(),
                    what: format!("an unexpected {reply}"),
                });
            }
            // Nothing was sent.
            Err(RemoteError::BadName { .. }) => self.health.ready(),
            _ => self.health.broken(),
        }
        outcome
    }

    /// Sends one line and reads one reply, within an act.
    pub(super) async fn exchange(
        &mut self,
        line: &str,
        limit: Duration,
    ) -> Result<Reply, RemoteError> {
        let verb = line.split(' ').next().unwrap_or_default();
        let shown = without_secret(line);
        self.trace(Wire::Sent(&shown));
        let sent = {
            let mut stream = self.stream.lock().await;
            // With no code expected every reply comes back whole.
            timeout(limit, stream.custom_command(line, &[])).await
        };
        match sent {
            Err(_) => Err(RemoteError::Timeout {
                phase: Phase::Reply,
                after: limit,
            }),
            Ok(Err(FtpError::UnexpectedResponse(response))) => self.read(verb, &response),
            Ok(Err(FtpError::ConnectionError(error)))
                if error.kind() == io::ErrorKind::InvalidInput =>
            {
                Err(RemoteError::BadName {
                    name: names::escaped(&shown),
                    why: "the site's encoding lacks one of its characters",
                })
            }
            Ok(Err(error)) => Err(broken(verb, error)),
            Ok(Ok(_)) => Err(RemoteError::Poisoned),
        }
    }

    /// Reads a reply; one that cannot be is a protocol error.
    pub(super) fn read(&self, verb: &str, response: &Response) -> Result<Reply, RemoteError> {
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
        show_reply(self.trace.as_ref(), &reply);
        Ok(reply)
    }

    /// Sends `VERB path` and wants it done.
    pub(super) async fn expect(&mut self, verb: &str, path: &str) -> Result<Reply, RemoteError> {
        let line = if path.is_empty() {
            verb.to_owned()
        } else {
            format!("{verb} {path}")
        };
        let reply = self.answer(verb, &line).await?;
        if reply.is_ok() {
            return Ok(reply);
        }
        Err(RemoteError::Refused {
            verb: verb.to_owned(),
            path: (!path.is_empty()).then(|| path.to_owned()),
            reply,
        })
    }

    /// Sends a line that moves no data. A reply that may be left over from before is looked behind: some small
    /// servers (those of game consoles) say 226 to DELE, RNTO and MKD, and so does one that answers twice.
    pub(super) async fn answer(&mut self, verb: &str, line: &str) -> Result<Reply, RemoteError> {
        let reply = self.command(line).await?;
        let is_in_step = match reply.code {
            // Asked by a code that is not the verb's own, of verbs that even the smallest servers know.
            226 if matches!(verb, "MKD" | "PWD") => self.command("TYPE I").await?.code == 200,
            226 => self.command("PWD").await?.code == 257,
            _ => reply.answers_at_rest(),
        };
        match is_in_step {
            true => Ok(reply),
            false => self.give_up(reply::out_of_step(verb, &reply)),
        }
    }

    /// After a dropped transfer: whatever it still answers is read until a command behind it is answered.
    /// The library does not know of those that it has not opened and sends at once, where a server may
    /// answer NOOP out of turn.
    pub(super) async fn resync(&mut self) -> Result<(), RemoteError> {
        let line = "TYPE I";
        let control = Arc::clone(&self.stream);
        let mut stream = control.lock().await;
        let mut next = stream.custom_command(line, &[]).await;
        for _ in 0..3 {
            let Err(FtpError::UnexpectedResponse(response)) = next else {
                return Err(RemoteError::Poisoned);
            };
            match self.read(line, &response)?.code {
                200 => return Ok(()),
                225 | 226 | 250 | 425 | 426 | 450 | 451 | 550 | 552 => {
                    next = stream.read_response_in(&[]).await;
                }
                _ => return Err(RemoteError::Poisoned),
            }
        }
        Err(RemoteError::Poisoned)
    }

    fn trace(&self, wire: Wire<'_>) {
        if let Some(trace) = &self.trace {
            trace(wire);
        }
    }
}

/// Makes the error of a connection that broke.
pub(in crate::remote) fn broken(verb: &str, error: FtpError) -> RemoteError {
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

/// Returns a line as it may be shown: what follows PASS and ACCT is a secret (RFC 959 §5.3.1).
fn without_secret(line: &str) -> Cow<'_, str> {
    let verb = line.split_whitespace().next().unwrap_or_default();
    let secret = |name: &&str| verb.eq_ignore_ascii_case(name);
    match ["PASS", "ACCT"].iter().find(|name| secret(name)) {
        Some(name) => format!("{name} ***").into(),
        None => line.into(),
    }
}

/// Shows a reply, line for line.
pub(super) fn show_reply(trace: Option<&WireTrace>, reply: &Reply) {
    let Some(trace) = trace else {
        return;
    };
    for line in &reply.lines {
        trace(Wire::Received(&format!("{} {line}", reply.code)));
    }
}
