//! How a session ends, and its last words.

use crate::{code, protocol::Reply};

/// Why a session ends.
#[derive(Debug)]
pub(super) enum End {
    /// The client is gone, or the session ends without a word.
    Gone,
    /// The client has closed its side in order, and is answered so: with TLS it waits for our close_notify.
    Closed,
    /// With these last words.
    Goodbye(Reply),
}

impl End {
    pub(super) fn goodbye(words: impl Into<Vec<u8>>) -> Self {
        Self::Goodbye(Reply::new(code::CLOSING, words))
    }

    pub(super) fn stopped() -> Self {
        Self::goodbye(STOPS)
    }
}

/// The last words of every session of a server that stops.
pub(crate) const STOPS: &str = "The server stops";

/// Those of one that nobody has logged in to.
pub(crate) const NO_LOGIN: &str = "No login in time; goodbye";

/// Those of one with too many wrong passwords.
pub(crate) const FAILED: &str = "Too many failed logins; goodbye";
