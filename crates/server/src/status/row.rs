//! What a session and its transfers looked like at one moment, as `ftpd who` shows it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::direction::Direction;

/// What one session looked like at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The session's number, for `ftpd kick`.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// The login name; `None` before the login.
    pub user: Option<String>,
    /// When the connection came, in seconds since 1970.
    pub since_unix: u64,
    /// Whether the control connection is encrypted.
    pub tls: bool,
    /// The last command's verb.
    pub command: String,
    /// Files on the move now.
    pub moving: Vec<MovingRow>,
}

/// What one transfer looked like at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MovingRow {
    /// Which way.
    pub direction: Direction,
    /// The path inside the share.
    pub path: String,
    /// Bytes moved so far.
    pub bytes: u64,
    /// Bytes to move in all, when known.
    pub size: Option<u64>,
    /// Milliseconds since the transfer began.
    pub elapsed_ms: u64,
    /// Bytes a second since the transfer began.
    pub bytes_per_sec: u64,
    /// Seconds left at that rate, when the size is known.
    pub eta_secs: Option<u64>,
}
