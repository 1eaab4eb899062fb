//! Everything that can go wrong between the client, its server and its disk, as facts.
//!
//! [`RemoteError`] is what a session reports; [`Error`] adds the local side. The sentence of each
//! kind is made here and nowhere else; `source()` is never repeated in it. Which exit code a kind
//! becomes is the business of `exit`.

use std::{fmt, io, path::PathBuf, time::Duration};

use ftp_config::ByteSize;

use crate::{remote::Reply, trust::Fingerprint};

/// What a wait was for when its limit passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The TCP connection.
    Connect,
    /// The first `220`.
    Greeting,
    /// A TLS handshake on the control connection.
    TlsHandshake,
    /// The reply to a command.
    Reply,
    /// The data connection, with its handshake.
    DataConnect,
    /// Bytes on the data connection.
    Data,
    /// The reply that ends a transfer.
    Finish,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Greeting => "the greeting",
            Self::TlsHandshake => "the TLS handshake",
            Self::Reply => "a reply",
            Self::DataConnect => "the data connection",
            Self::Data => "data",
            Self::Finish => "the end of the transfer",
        })
    }
}

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
            Some(path) => write!(f, "{} `{}`", self.0, path.escape_debug()),
            None => f.write_str(self.0),
        }
    }
}

struct Aside<'a>(Option<&'a str>);

impl fmt::Display for Aside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, ", what was there is now `{}`", name.escape_debug()),
            None => Ok(()),
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
            | Self::Poisoned => true,
            Self::Refused { reply, .. } | Self::Login { reply, .. } => {
                matches!(reply.code, 421 | 425 | 426 | 450 | 451) || reply.is_too_many()
            }
            _ => false,
        }
    }

    /// Tells whether the server could not even be reached.
    #[must_use]
    pub fn is_unreached(&self) -> bool {
        matches!(
            self,
            Self::Resolve { .. }
                | Self::Connect { .. }
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

/// Why a file or a tree could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The remote side.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The local side.
    #[error("{verb} local `{}`", path.display())]
    Local {
        /// `open`, `read`, `write`, `rename`...
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The target exists and may not be replaced.
    #[error("`{path}` exists already")]
    Exists {
        /// The target.
        path: String,
    },
    /// The target exists on a server that keeps what is there.
    #[error("`{path}` exists already, and the server replaces nothing")]
    Kept {
        /// The target.
        path: String,
    },
    /// The server's disk cannot hold what would be sent.
    #[error("`{path}`: not enough room on the server: {needed} to send, {free} free")]
    NoRoom {
        /// The target.
        path: String,
        /// What would be sent.
        needed: ByteSize,
        /// What may be stored.
        free: ByteSize,
    },
    /// All of it was sent, and it could not get its name.
    #[error("`{path}` could not be published; all of it was sent to `{part}`{}", Aside(aside.as_deref()))]
    Unpublished {
        /// The name it should have.
        path: String,
        /// The name it has.
        part: String,
        /// The name that what was there before has now, if it could not be moved back.
        aside: Option<String>,
        /// The server's refusal.
        source: Box<RemoteError>,
    },
    /// A name from the server that must not be used as a local one.
    #[error("the name `{name}` is not safe here: {why}")]
    UnsafeName {
        /// The name, escaped.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// Fewer or more bytes than announced.
    #[error("`{path}` has {want} bytes, {got} arrived")]
    Truncated {
        /// The file.
        path: String,
        /// The size announced.
        want: u64,
        /// The bytes counted.
        got: u64,
    },
    /// The hashes of both sides differ.
    #[error("`{path}` differs after the transfer: {algorithm} is {local} here, {remote} there")]
    HashMismatch {
        /// The file.
        path: String,
        /// The hash's name.
        algorithm: &'static str,
        /// The local digest.
        local: String,
        /// The remote digest.
        remote: String,
    },
    /// The file changed while it was being moved.
    #[error("`{path}` changed during the transfer")]
    ChangedMeanwhile {
        /// The file.
        path: String,
    },
    /// Not tried, since the whole run was given up.
    #[error("not tried: {reason}")]
    GivenUp {
        /// Why the run was given up.
        reason: String,
    },
    /// Something on the other side that cannot be had here.
    #[error("left out {what}")]
    LeftOut {
        /// Its name, escaped, and why.
        what: String,
    },
    /// Something here that was to be removed once it was sent, and was not.
    #[error("`{path}` stays: {why}")]
    Stays {
        /// The file or directory.
        path: String,
        /// The reason.
        why: &'static str,
    },
    /// Removals that were left out, since not everything was copied.
    #[error("left out {count}, since not everything was copied")]
    Spared {
        /// How many.
        count: u64,
    },
    /// Stopped by the user.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Makes a local failure.
    pub fn local(verb: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Local {
            verb,
            path: path.into(),
            source,
        }
    }

    /// Tells whether another try may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Remote(error) => error.is_transient(),
            Self::Unpublished { source, .. } => source.is_transient(),
            Self::Truncated { .. } => true,
            _ => false,
        }
    }

    /// Returns the whole chain in one line: `outer: inner: innermost`.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&plain(&error.to_string()));
            source = error.source();
        }
        text
    }
}

/// The system's words without its number, beginning in lower case.
fn plain(words: &str) -> String {
    let words = words.split(" (os error").next().unwrap_or(words);
    let mut chars = words.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(words.chars().skip(1)).collect()
        }
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, text: &str) -> RemoteError {
        RemoteError::Refused {
            verb: "STOR".into(),
            path: Some("/in/a\n".into()),
            reply: Reply::new(code, text),
        }
    }

    #[test]
    fn only_passing_causes_are_tried_again() {
        for code in [421, 425, 426, 450, 451] {
            assert!(refused(code, "x").is_transient(), "{code}");
        }
        for code in [452, 500, 530, 550, 552, 553] {
            assert!(!refused(code, "x").is_transient(), "{code}");
        }
        assert!(refused(530, "Sorry, too many connections").is_too_many());
        assert!(RemoteError::Poisoned.is_transient());
    }

    #[test]
    fn a_refusal_reads_verb_object_cause_and_is_escaped() {
        assert_eq!(
            refused(552, "quota exceeded").to_string(),
            "STOR `/in/a\\n`: 552 quota exceeded"
        );
        let local = Error::local("open", "a.iso", io::ErrorKind::PermissionDenied.into());
        assert_eq!(local.chain(), "open local `a.iso`: permission denied");
    }
}
