//! Typed values of the file: sizes, rates, ports, names, paths, secrets.
//!
//! Each parses from the words a person writes, says what is wrong when it cannot, and prints back
//! to the same words.

mod encoding;
mod mode;
mod name;
mod path;
mod ports;
mod secret;
mod size;
mod span;

pub use encoding::Encoding;
pub use mode::parse_mode;
pub use name::UserName;
pub use path::SharePath;
pub use ports::PortRange;
pub use secret::Secret;
pub use size::{ByteRate, ByteSize, Reserve};
pub use span::{format_duration, parse_duration};

/// Why a value of the file cannot be used: what is wrong and the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct ValueError {
    /// What is wrong, lower case, the user's words in backticks.
    pub what: String,
    /// What to write instead.
    pub fix: String,
}

impl ValueError {
    pub(crate) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fix: fix.into(),
        }
    }
}
