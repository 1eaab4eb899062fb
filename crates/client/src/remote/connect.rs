//! From a host name to a session that is ready: resolve, connect, greeting, TLS, login, `TYPE I`,
//! features.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use ftp_config::{Encoding, Secret, SiteTls};

use super::{Dial, Remote};
use crate::{
    error::RemoteError,
    trust::{TrustCheck, verifier::Roots},
};

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

/// One line of the control connection, for `-v`. Passwords are never in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// Client to server.
    Sent(&'a str),
    /// Server to client.
    Received(&'a str),
}

/// Where the lines of the control connection go.
pub type WireTrace = Arc<dyn Fn(Wire<'_>) + Send + Sync>;

/// Everything needed to make sessions with one server as one user.
#[derive(Clone)]
pub struct Dialer {
    /// The host: a name or an address, IPv6 without brackets.
    pub host: String,
    /// The control port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// How TLS is spoken.
    pub tls: SiteTls,
    /// The encoding of names; `None`: UTF-8, other bytes kept as they are.
    pub encoding: Option<Encoding>,
    /// Limits of every wait.
    pub deadlines: Deadlines,
    /// The roots certificates may be vouched by.
    pub roots: Roots,
    /// The pins.
    pub trust: Arc<dyn TrustCheck>,
    /// Where the lines of the control connection go.
    pub trace: Option<WireTrace>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("endpoint", &self.endpoint())
            .field("user", &self.user)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Dial for Dialer {
    async fn dial(&self) -> Result<Box<dyn Remote>, RemoteError> {
        Err(RemoteError::Unsupported { what: "session" })
    }

    fn endpoint(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
