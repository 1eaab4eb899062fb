//! Listings that may not be whole.

use std::fmt;

/// Why names may be missing in a listing that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The server said that it left some out.
    Told(String),
    /// A TLS data connection ended without close_notify (RFC 8446 §6.1), as with many small servers; but
    /// somebody in between may have cut it.
    Unended,
    /// Of some names it does not tell whether they are files or directories: `type` is a fact that a server may
    /// leave out (RFC 3659 §7.5.1), and LIST told no more.
    Kinds,
    /// Nothing came, where other listings of the server begin with the `total` of `ls -l`: it runs `ls`, whose
    /// complaint of a directory that it may not read is not sent (busybox).
    Silent,
}

impl Lack {
    /// What is left out of a work that goes by such a listing.
    #[must_use]
    pub fn left_out(&self) -> String {
        match self {
            Self::Told(reply) => format!("names that the server did not list: {reply}"),
            Self::Unended => {
                "what the listing may have held behind its end, which came without TLS's close_notify"
                    .to_owned()
            }
            Self::Kinds => "what the server lists and does not tell whether it is a file".to_owned(),
            Self::Silent => {
                "what the directory may hold: the server listed nothing, not even the `total` of an empty one"
                    .to_owned()
            }
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(reply) => write!(f, "the server left entries out: {reply}"),
            Self::Unended => {
                f.write_str("entries may be missing: the listing ended without TLS's close_notify")
            }
            Self::Kinds => {
                f.write_str("the server does not tell of all names whether they are files")
            }
            Self::Silent => {
                f.write_str("entries may be missing: the server listed nothing, not even a `total`")
            }
        }
    }
}
