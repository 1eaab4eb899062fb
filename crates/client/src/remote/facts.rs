//! What a session is, for people: server, protection, and how its data connections go.

use crate::trust::Fingerprint;

/// How a session is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// The server's certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Whether a known root vouches for it.
    pub by_root: bool,
}

/// Facts of a session for `doctor`, `status` and `-v`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFacts {
    /// The server's address.
    pub peer: String,
    /// The first `220`.
    pub greeting: Vec<String>,
    /// `None`: clear text.
    pub security: Option<Security>,
    /// `EPSV` or `PASV`: what the last data connection used; empty before the first.
    pub passive: &'static str,
    /// The address that data connections went to.
    pub data_peer: Option<std::net::SocketAddr>,
}
