//! What is said on the status socket: one JSON line each way.

use serde::{Deserialize, Serialize};

use super::row::Row;

/// What `ftpd who`, `status`, `kick`, `unlock` and `reload` ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// The live table.
    Who,
    /// The state of the server.
    Status,
    /// End a session by number, or a user's sessions.
    Kick {
        /// A number or a name.
        target: String,
    },
    /// Lift lock-outs.
    Unlock {
        /// Whose; `None`: everybody's.
        user: Option<String>,
    },
    /// Read the configuration again.
    Reload,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The live table.
    Who {
        /// One row a session.
        sessions: Vec<Row>,
    },
    /// The state of the server.
    Status(Box<Status>),
    /// Done, in words.
    Done {
        /// What was done.
        text: String,
    },
    /// Not done, in words.
    Refused {
        /// Why not.
        text: String,
    },
}

/// The state of a running server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// The configuration file; `None` under `ftpd share`.
    pub config: Option<String>,
    /// Seconds since the start.
    pub up_secs: u64,
    /// Addresses listened on.
    pub listening: Vec<String>,
    /// The shared directory.
    pub share: String,
    /// Who may log in.
    pub users: Vec<String>,
    /// The protocol engine.
    pub engine: String,
    /// Sessions now.
    pub sessions: u64,
    /// Files on the move now.
    pub moving: u64,
    /// The cap on sessions; 0: none.
    pub max_clients: u32,
    /// Counters since the start.
    pub totals: TotalsRow,
    /// The certificate; `None` when TLS is off.
    pub certificate: Option<CertificateRow>,
    /// Lock-outs that stand.
    pub locks: Vec<LockRow>,
    /// How often the configuration was read again with success.
    pub reloads: u64,
    /// Why the last reload was refused, if it was.
    pub last_reload_error: Option<String>,
    /// How the share was found not to be what stands at its path any more, if it was.
    #[serde(default)]
    pub strayed: Option<String>,
}

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalsRow {
    /// Sessions begun.
    pub sessions: u64,
    /// Connections refused.
    pub refused: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins refused.
    pub failed_logins: u64,
    /// Whole downloads.
    pub downloads: u64,
    /// Bytes downloaded.
    pub bytes_down: u64,
    /// Whole uploads.
    pub uploads: u64,
    /// Bytes uploaded.
    pub bytes_up: u64,
    /// Transfers that were cut or aborted.
    pub incomplete: u64,
}

/// The certificate served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRow {
    /// SHA-256.
    pub fingerprint: String,
    /// Until when it is good, seconds since 1970.
    pub not_after_unix: i64,
    /// Whole days left; negative when expired.
    pub days_left: i64,
}

/// One lock-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRow {
    /// The name that was tried.
    pub user: String,
    /// From where.
    pub address: String,
    /// Seconds left.
    pub left_secs: u64,
}
