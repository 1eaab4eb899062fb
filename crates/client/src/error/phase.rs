//! What a wait was for, as messages tell it.

use std::fmt;

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
    /// The reply that begins a transfer, once the data connection stands.
    Begin,
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
            Self::Begin => "the transfer to begin",
            Self::Data => "data",
            Self::Finish => "the end of the transfer",
        })
    }
}
