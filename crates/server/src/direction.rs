//! Which way bytes move.

use serde::{Deserialize, Serialize};

/// Which way bytes move, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the share to the client.
    Down,
    /// From the client to the share.
    Up,
}

impl Direction {
    /// Returns `down` or `up`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
        }
    }
}
