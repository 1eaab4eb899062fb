//! Why a session could not do what was asked.

use std::{fmt, io, time::Duration};

use super::Phase;
use crate::{
    remote::{Reply, names},
    trust::Fingerprint,
};

/// Why a session could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The host has no address.
    #[error("resolve `{host}`")]
    Resolve {
        /// The host as asked.
        host: String,
        /// The resolver's answer.
        source: io::Error,
    },
    /// No address of the host accepted the connection.
    #[error("connect to {address}")]
    Connect {
        /// The address tried last.
        address: String,
        /// Its refusal.
        source: io::Error,
    },
    /// Nothing came in time.
    #[error("no answer for {}s while waiting for {phase}", after.as_secs_f32())]
    Timeout {
        /// What was waited for.
        phase: Phase,
        /// The limit.
        after: Duration,
    },
    /// What answers is not an FTP server.
    #[error("{endpoint} does not speak FTP: it said `{said}`")]
    NotFtp {
        /// Host and port.
        endpoint: String,
        /// The beginning of what it said, escaped.
        said: String,
    },
    /// The TLS handshake failed for another reason than trust.
    #[error("TLS with {endpoint}: {reason}")]
    Tls {
        /// Host and port.
        endpoint: String,
        /// What the TLS library said.
        reason: String,
    },
    /// The certificate is valid for no known root and was never seen before.
    #[error("the certificate of {endpoint} is not known: {fingerprint}")]
    Untrusted {
        /// Host and port.
        endpoint: String,
        /// What it showed.
        fingerprint: Fingerprint,
    },
    /// The certificate differs from the one remembered.
    #[error(
        "the certificate of {endpoint} has CHANGED: it was {old}, now it is {new} (remembered in {place})"
    )]
    CertificateChanged {
        /// Host and port.
        endpoint: String,
        /// What is remembered.
        old: Fingerprint,
        /// What it showed.
        new: Fingerprint,
        /// Where the old one is remembered: file and line.
        place: String,
    },
    /// TLS is wanted and the server has none.
    #[error("{endpoint} refuses TLS: {reply}")]
    TlsRefused {
        /// Host and port.
        endpoint: String,
        /// Its answer to `AUTH TLS`.
        reply: Reply,
    },
    /// The server spoke TLS before and does not now.
    #[error("{endpoint} spoke TLS before and refuses it now: {reply}")]
    TlsDowngrade {
        /// Host and port.
        endpoint: String,
        /// Its answer to `AUTH TLS`.
        reply: Reply,
    },
    /// The server wants data connections to resume the control connection's TLS session, and
    /// TLS 1.3 ran out of tickets; a new session with TLS 1.2 mends it.
    #[error("TLS session reuse: {reason}")]
    SessionReuse {
        /// The server's 425 or 522, or that no ticket is left.
        reason: String,
    },
    /// USER or PASS was refused.
    #[error("login as `{user}`: {reply}")]
    Login {
        /// The user's name.
        user: String,
        /// The server's answer.
        reply: Reply,
        /// The same name and password were accepted a while ago, by the same dialer.
        again: bool,
    },
    /// A command was refused.
    #[error("{}: {reply}", Subject(verb, path.as_deref()))]
    Refused {
        /// The FTP verb.
        verb: String,
        /// What it was about.
        path: Option<String>,
        /// The server's answer.
        reply: Reply,
    },
    /// The connection broke.
    #[error("{verb}: the connection broke")]
    Io {
        /// The FTP verb that was running.
        verb: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server broke the protocol; the session is given up.
    #[error("{verb}: {what}")]
    Protocol {
        /// The FTP verb that was running.
        verb: String,
        /// What was wrong.
        what: String,
    },
    /// A reply or listing beyond every reason.
    #[error("{verb}: the server sent more than {limit} {unit}")]
    TooLarge {
        /// The FTP verb that was running.
        verb: String,
        /// The limit.
        limit: u64,
        /// Of what: bytes a line, entries.
        unit: &'static str,
    },
    /// A name that cannot be sent.
    #[error("`{name}` cannot be sent: {why}")]
    BadName {
        /// The name, escaped.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// The server cannot do it.
    #[error("the server has no {what}")]
    Unsupported {
        /// What is lacking.
        what: &'static str,
    },
    /// The session broke earlier; only a new one helps.
    #[error("the session is broken by an earlier failure")]
    Poisoned,
}

struct Subject<'a>(&'a str, Option<&'a str>);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(path) => write!(f, "{} `{}`", self.0, names::escaped(path)),
            None => f.write_str(self.0),
        }
    }
}

impl RemoteError {
    /// Tells whether the same act on a new session may succeed: connections and limits, never
    /// a 5xx refusal.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // A name that was found before is not found while the network is down.
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::SessionReuse { .. }
            | Self::Io { .. }
            | Self::Protocol { .. }
            | Self::Poisoned
            // A server that has just started may not have its users yet.
            | Self::Login { again: true, .. } => true,
            Self::Refused { reply, .. } | Self::Login { reply, .. } => {
                matches!(reply.code, 421 | 425 | 426 | 450 | 451) || reply.is_too_many()
            }
            _ => false,
        }
    }

    /// Tells whether an offset may be what was refused: ProFTPD's `AllowStoreRestart off` and
    /// `AllowRetrieveRestart off` answer 451, as if that would pass.
    #[must_use]
    pub fn may_refuse_restart(&self) -> bool {
        match self {
            Self::Refused { reply, .. } => reply.code == 451 || !self.is_transient(),
            _ => false,
        }
    }

    /// Tells whether the server could not even be reached, or does not know now whom it knew before.
    #[must_use]
    pub fn is_unreached(&self) -> bool {
        matches!(
            self,
            Self::Resolve { .. }
                | Self::Connect { .. }
                | Self::Login { again: true, .. }
                | Self::Timeout {
                    phase: Phase::Connect,
                    ..
                }
        )
    }

    /// Tells whether the server has as many sessions as it wants.
    #[must_use]
    pub fn is_too_many(&self) -> bool {
        match self {
            Self::Refused { reply, .. } | Self::Login { reply, .. } => reply.is_too_many(),
            _ => false,
        }
    }

    /// Tells whether the server says that what was named does not exist (or may not be seen).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { reply, .. } if reply.code == 550)
    }

    /// Returns the reply, where the server gave one.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused { reply, .. }
            | Self::Login { reply, .. }
            | Self::TlsRefused { reply, .. }
            | Self::TlsDowngrade { reply, .. } => Some(reply),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
