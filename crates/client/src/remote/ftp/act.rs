//! What a transfer asks for: the command with REST before it, and what its first reply means.

use super::FtpRemote;
use crate::{
    error::RemoteError,
    remote::{Reply, Start},
};

/// What [`FtpRemote::open`] begins.
#[derive(Clone, Copy)]
pub(super) enum Act<'a> {
    /// RETR, MLSD, LIST: bytes come.
    Receive(&'static str, &'a str),
    /// STOR, APPE: bytes go.
    Store(&'a str, Start),
}

impl Act<'_> {
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Receive(verb, _) => verb,
            Self::Store(_, Start::Append) => "APPE",
            Self::Store(..) => "STOR",
        }
    }

    /// Tells whether names come and not a file.
    pub(super) fn lists(&self) -> bool {
        matches!(self, Self::Receive(verb, _) if *verb != "RETR")
    }

    pub(super) fn path(&self) -> &str {
        match self {
            Self::Receive(_, path) | Self::Store(path, _) => path,
        }
    }

    pub(super) fn line(&self) -> String {
        match self.path() {
            "" => self.verb().to_owned(),
            path => format!("{} {path}", self.verb()),
        }
    }
}

impl FtpRemote {
    /// Sends the command, and REST before it. With 125 or 150 the session is busy from then on; any other
    /// reply leaves it ready, or has ended it.
    pub(super) async fn start(&mut self, act: Act<'_>, offset: u64) -> Result<Reply, RemoteError> {
        if offset > 0 {
            let line = format!("REST {offset}");
            let reply = self.command(&line).await?;
            if reply.code != 350 {
                return Err(self.refused(act, reply));
            }
        }
        self.health.enter()?;
        let limit = self.deadlines.data_connect + self.deadlines.reply;
        match self.exchange(&act.line(), limit).await {
            Ok(reply) => {
                match reply.code {
                    125 | 150 => {}
                    421 | ..200 => self.health.broken(),
                    // An empty listing, told at once.
                    226 | 250 if act.lists() => self.health.ready(),
                    // Not implemented: small servers say that so.
                    202 => self.health.ready(),
                    // A reply of before, or one too many: nothing that follows can be trusted.
                    200..400 => self.health.broken(),
                    _ => self.health.ready(),
                }
                Ok(reply)
            }
            Err(error @ RemoteError::BadName { .. }) => {
                self.health.ready();
                Err(error)
            }
            Err(error) => self.give_up(error),
        }
    }

    /// Makes the error of an act that was refused.
    pub(super) fn refused(&self, act: Act<'_>, reply: Reply) -> RemoteError {
        self.refusal(act.verb(), Some(act.path().to_owned()), reply)
    }

    /// Makes the error of a refusal. A server that wants TLS sessions resumed, and has given no ticket for
    /// that, is met anew.
    pub(super) fn refusal(&self, verb: &str, path: Option<String>, reply: Reply) -> RemoteError {
        let error = self.reuse.refusal(verb.to_owned(), path, reply);
        if matches!(error, RemoteError::SessionReuse { .. }) {
            self.health.broken();
        }
        error
    }
}
