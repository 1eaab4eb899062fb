//! How long each step of a session may take.

use std::time::Duration;

/// Limits of every wait of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// One TCP connection attempt, all addresses together.
    pub connect: Duration,
    /// The greeting, 120 included.
    pub greeting: Duration,
    /// A TLS handshake.
    pub handshake: Duration,
    /// A reply to a command.
    pub reply: Duration,
    /// A data connection, with its handshake.
    pub data_connect: Duration,
    /// Between two blocks of data.
    pub stalled: Duration,
    /// The reply that ends a transfer; the server may hash or sync a large file first.
    pub finish: Duration,
}

impl Deadlines {
    /// The same limit for every wait.
    #[must_use]
    pub fn all(limit: Duration) -> Self {
        Self {
            connect: limit,
            greeting: limit,
            handshake: limit,
            reply: limit,
            data_connect: limit,
            stalled: limit,
            finish: limit,
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            greeting: Duration::from_secs(30),
            handshake: Duration::from_secs(15),
            reply: Duration::from_secs(60),
            data_connect: Duration::from_secs(20),
            stalled: Duration::from_secs(60),
            finish: Duration::from_secs(300),
        }
    }
}
