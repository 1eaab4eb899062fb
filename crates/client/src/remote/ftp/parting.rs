//! How a transfer ends, whatever carried its bytes.

use std::{io, sync::Arc, time::Duration};

use suppaftp::FtpError;
use tokio::time::{error::Elapsed, timeout};

use super::{FtpRemote, ReuseWatch, act::Act, exchange, health::Health, reply};
use crate::{
    cancel::Cancel,
    error::{Phase, RemoteError},
    remote::{Reply, connect::WireTrace, names::Codec},
};

/// How long the reply to a transfer that has ended is waited for after a stop: with it the session
/// can still clean up.
const PARTING: Duration = Duration::from_secs(1);

/// How a transfer ends, and what its end means for the session.
pub(super) struct Parting {
    pub(super) verb: &'static str,
    pub(super) path: String,
    pub(super) cancel: Cancel,
    pub(super) finish: Duration,
    pub(super) health: Health,
    pub(super) codec: Arc<Codec>,
    pub(super) reuse: ReuseWatch,
    pub(super) trace: Option<WireTrace>,
    /// Dropped, it ends its session.
    pub(super) ends_session: bool,
}

impl Parting {
    /// Makes the error of a transfer that was stopped.
    pub(super) fn interrupted(&self) -> RemoteError {
        self.broke(io::ErrorKind::Interrupted.into())
    }

    /// Makes the error of a connection that broke under the transfer.
    pub(super) fn broke(&self, source: io::Error) -> RemoteError {
        RemoteError::Io {
            verb: self.verb.to_owned(),
            source,
        }
    }

    /// A server may praise an upload whose end never reached it.
    pub(super) fn closed_whole(&self) -> Result<(), RemoteError> {
        let handshakes = self.reuse.handshakes.as_ref();
        let unclosed = handshakes.and_then(|shakes| shakes.take_unclosed());
        match unclosed.filter(|_| matches!(self.verb, "STOR" | "APPE")) {
            None => Ok(()),
            Some(source) => Err(self.broke(source)),
        }
    }

    /// Takes a transfer that was dropped: its reply is still to come.
    pub(super) fn dropped(&self) {
        match self.ends_session {
            true => self.health.broken(),
            false => self.health.unsettled(),
        }
    }

    /// Waits for the end of the transfer; `None`: it was stopped, and no end came soon after.
    pub(super) async fn wait<T>(&self, end: impl Future<Output = T>) -> Option<Result<T, Elapsed>> {
        // From here on only a clean end makes the session usable again.
        let parting = async {
            self.cancel.stopped().await;
            tokio::time::sleep(PARTING).await;
        };
        tokio::select! {
            biased;
            () = parting => None,
            ended = timeout(self.finish, end) => Some(ended),
        }
    }

    /// Takes the reply that ends the transfer, if it is 226 or 250. A refusal ends it too; what is neither
    /// may have another one behind it, so the session is given up. Another 2xx is the server's last word all the
    /// same: to try again would bring it again.
    pub(super) fn end(&self, body: &[u8]) -> Result<Reply, RemoteError> {
        let Some(reply) = reply::parse(&self.codec, body) else {
            self.health.broken();
            return Err(RemoteError::Protocol {
                verb: self.verb.to_owned(),
                what: "the reply that ends the transfer cannot be read".to_owned(),
            });
        };
        exchange::show_reply(self.trace.as_ref(), &reply);
        if matches!(reply.code, 226 | 250) {
            self.health.ready();
            return Ok(reply);
        }
        if matches!(reply.code, ..200 | 300..400) {
            self.health.broken();
            return Err(reply::out_of_step(self.verb, &reply));
        }
        let gone = reply.code < 400 || reply.code == 421;
        let (verb, path) = (self.verb.to_owned(), self.path.clone());
        let error = self.reuse.refusal(verb, Some(path), reply);
        if gone || matches!(error, RemoteError::SessionReuse { .. }) {
            self.health.broken();
        } else {
            self.health.ready();
        }
        Err(error)
    }

    /// Makes the error of an end that did not come, or not as a reply.
    pub(super) fn failed<T>(
        &self,
        ended: Option<Result<Result<T, FtpError>, Elapsed>>,
    ) -> RemoteError {
        self.health.broken();
        match ended {
            Some(Ok(Err(error))) => exchange::broken(self.verb, error),
            Some(Ok(Ok(_))) => RemoteError::Poisoned,
            Some(Err(_)) => RemoteError::Timeout {
                phase: Phase::Finish,
                after: self.finish,
            },
            None => self.interrupted(),
        }
    }
}

impl FtpRemote {
    /// Makes the end of a transfer that begins.
    pub(super) fn parting(&self, act: Act<'_>) -> Parting {
        Parting {
            verb: act.verb(),
            path: act.path().to_owned(),
            cancel: Cancel::default(),
            finish: self.deadlines.finish,
            health: self.health.clone(),
            codec: Arc::clone(&self.codec),
            reuse: self.reuse.clone(),
            trace: self.trace.clone(),
            ends_session: false,
        }
    }
}
