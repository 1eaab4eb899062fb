//! Everything that can go wrong between the client, its server and its disk, as facts.
//!
//! [`RemoteError`] is what a session reports; [`Error`] adds the local side. The sentence of each
//! kind is made here and nowhere else; `source()` is never repeated in it. Which exit code a kind
//! becomes is the business of `exit`.

mod phase;
mod refusal;
mod remote;
mod words;

use std::{io, path::PathBuf};

use ftp_config::ByteSize;

use self::words::{Appended, Aside};
pub use self::{phase::Phase, remote::RemoteError};
use crate::remote::names;

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
    /// What had the final name is still where it was put.
    #[error("what was there as `{path}` is now `{aside}`")]
    Aside {
        /// The name that it had.
        path: String,
        /// The name of what had it.
        aside: String,
        /// Why the new file did not get it.
        source: Box<Error>,
    },
    /// What has the final name is what a try that broke off has left.
    #[error("what the server has as `{path}` is not whole")]
    Torn {
        /// The name.
        path: String,
        /// Why nothing better came there.
        source: Box<Error>,
    },
    /// A part was refused, and what has the final name could not be put aside.
    #[error(
        "`{path}` exists, and the server takes nothing beside it: sent directly, what is there would be lost to an \
         upload that breaks off; remove it first (`ftpc rm`)"
    )]
    NoPart {
        /// The name.
        path: String,
        /// How the part was refused.
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
    /// The server ended an append with success, and does not have what it had and what was sent.
    #[error("`{path}`: {}; it had {had} bytes, {sent} were sent, and now it has {has}", Appended(*had, *sent, *has))]
    NotAppended {
        /// The file.
        path: String,
        /// The size that it had.
        had: u64,
        /// The bytes sent.
        sent: u64,
        /// The size that it has.
        has: u64,
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
    /// Something here that was to be removed once it was sent, or replaced, and was not.
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
    /// The client itself failed in the middle of it.
    #[error("ftpc broke off in the middle of it (the system may have no thread left to give)")]
    BrokeOff,
    /// A fact of a file that the server does not tell.
    #[error("the server does not tell the {what} of `{path}`")]
    Untold {
        /// The fact: `size`, `time`.
        what: &'static str,
        /// The file.
        path: String,
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

    /// Returns the whole chain in one line, `outer: inner: innermost`, for people and scripts: the raw bytes of names
    /// are `\xNN`. Not escaped for a terminal.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&plain(&error.to_string()));
            source = error.source();
        }
        names::display(&text)
    }
}

/// The system's words without its number, beginning in lower case.
pub(crate) fn plain(words: &str) -> String {
    let words = words.split(" (os error").next().unwrap_or(words);
    // A library tells whoever writes programs where to read on.
    let words = words.split(": https://").next().unwrap_or(words);
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

    #[test]
    fn the_whole_chain_is_one_line_without_numbers() {
        let local = Error::local("open", "a.iso", io::ErrorKind::PermissionDenied.into());
        assert_eq!(local.chain(), "open local `a.iso`: permission denied");
    }

    #[test]
    fn names_in_a_chain_read_as_they_do_elsewhere() {
        let name = names::decode_lossless(b"it's \xD6\xD0");
        let refused = || RemoteError::Refused {
            verb: "RNTO".into(),
            path: Some(name.clone()),
            reply: crate::remote::Reply::new(550, "no"),
        };
        let (path, aside) = (name.clone(), name.clone());
        let (source, end) = (Box::new(refused().into()), "RNTO `it's \\xD6\\xD0`: 550 no");
        let error = Error::Aside {
            path,
            aside,
            source,
        };
        let said = "what was there as `it's \\xD6\\xD0` is now `it's \\xD6\\xD0`: ";
        assert_eq!(error.chain(), format!("{said}{end}"));
        let (path, source) = (name.clone(), Box::new(refused().into()));
        let said = "what the server has as `it's \\xD6\\xD0` is not whole: ";
        assert_eq!(Error::Torn { path, source }.chain(), format!("{said}{end}"));
        let error = Error::Unpublished {
            path: name.clone(),
            part: "p".into(),
            aside: Some(name.clone()),
            source: Box::new(refused()),
        };
        let said = "all of it was sent to `p`, what was there is now `it's \\xD6\\xD0`: ";
        let said = format!("`it's \\xD6\\xD0` could not be published; {said}{end}");
        assert_eq!(error.chain(), said);
        let (path, want, got) = (name, 2, 1);
        let truncated = Error::Truncated { path, want, got };
        assert_eq!(
            truncated.chain(),
            "`it's \\xD6\\xD0` has 2 bytes, 1 arrived"
        );
    }
}
