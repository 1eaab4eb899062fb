//! TLS sessions that a server wants resumed: what a refusal means, and when to change to TLS 1.2.

use std::{io, sync::Arc, time::Duration};

use crate::{
    error::{Phase, RemoteError},
    remote::{
        Reply,
        tls::{Handshakes, TIMED_OUT, bare},
    },
    trust::{Trust, TrustCheck, verifier::Verdict},
};

/// Tells a refusal for want of TLS session reuse from others.
#[derive(Clone, Debug)]
pub(in crate::remote) struct ReuseWatch {
    pub(in crate::remote) handshakes: Option<Arc<Handshakes>>,
    pub(in crate::remote) verdict: Option<Arc<Verdict>>,
    pub(in crate::remote) trust: Arc<dyn TrustCheck>,
    pub(in crate::remote) endpoint: String,
}

impl ReuseWatch {
    /// Makes the error for a refused data command. After a full TLS 1.3 handshake 425 and 522 mean
    /// that the tickets ran out; a session of TLS 1.2 resumes as often as it likes.
    pub(in crate::remote) fn refusal(
        &self,
        verb: String,
        path: Option<String>,
        reply: Reply,
    ) -> RemoteError {
        let starved = self.handshakes.as_ref().is_some_and(|shakes| {
            shakes.done() > 1 && !shakes.last_was_resumed() && shakes.is_tls13()
        });
        if starved && matches!(reply.code, 425 | 522) {
            self.trust.note_tls12(&self.endpoint, true);
            return RemoteError::SessionReuse {
                reason: reply.to_string(),
            };
        }
        RemoteError::Refused { verb, path, reply }
    }

    /// Looks before a data command whether it could resume. A server that resumes but is thrifty
    /// with TLS 1.3 tickets (ProFTPD gives none on a resumed upload) is better spoken to in
    /// TLS 1.2, and some refuse what does not resume.
    pub(in crate::remote) fn check_tickets(&self) -> Result<(), RemoteError> {
        let starved = self.handshakes.as_ref().is_some_and(|shakes| {
            shakes.is_tls13() && shakes.last_was_resumed() && shakes.tickets.ran_out()
        });
        if !starved {
            return Ok(());
        }
        self.trust.note_tls12(&self.endpoint, true);
        Err(RemoteError::SessionReuse {
            reason: "no TLS 1.3 ticket is left, so TLS 1.2 is used".to_owned(),
        })
    }

    fn is_line_lost(&self) -> bool {
        let shakes = self.handshakes.as_ref();
        shakes.is_some_and(|shakes| shakes.was_lost())
    }

    /// Makes the error for a failed handshake. One that took too long may do better on a new session: that it
    /// is what the server's TLS lacks is not told by it.
    pub(in crate::remote) fn handshake(
        &self,
        reason: &str,
        phase: Phase,
        after: Duration,
    ) -> RemoteError {
        let endpoint = self.endpoint.clone();
        let reason = bare(reason).to_owned();
        if reason == TIMED_OUT {
            return RemoteError::Timeout { phase, after };
        }
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
            Some(Trust::Known) | None if self.is_line_lost() => RemoteError::Io {
                verb: "TLS handshake".to_owned(),
                source: io::Error::new(io::ErrorKind::ConnectionReset, reason),
            },
            Some(Trust::Known) | None => RemoteError::Tls { endpoint, reason },
        }
    }
}
