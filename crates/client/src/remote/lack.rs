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
        }
    }
}
