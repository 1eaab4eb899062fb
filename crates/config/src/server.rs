//! What the server uses of `ftp.toml`: every default filled in, every value typed.

mod accounts;
mod words;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;

pub use self::{
    accounts::{Anonymous, Auth, Lockout, Password, User},
    words::{EngineKind, Fsync, LogFormat, LogLevel, OnDuplicate, TlsMode},
};
use crate::{ByteRate, Encoding, PortRange, Reserve};

/// The whole configuration of `ftpd`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// `[server]`
    pub server: Server,
    /// `[share]`
    pub share: Share,
    /// `[auth]`
    pub auth: Auth,
    /// `[[user]]`, in file order; names are unique.
    pub users: Vec<User>,
    /// `[anonymous]`
    pub anonymous: Anonymous,
    /// `[passive]`
    pub passive: Passive,
    /// `[active]`
    pub active: Active,
    /// `[tls]`
    pub tls: Tls,
    /// `[limits]`
    pub limits: Limits,
    /// `[timeouts]`
    pub timeouts: Timeouts,
    /// `[uploads]`
    pub uploads: Uploads,
    /// `[names]`
    pub names: Names,
    /// `[log]`
    pub log: Log,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[announce]`
    pub announce: Announce,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Addresses to listen on, never empty; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Whether TYPE A converts line ends (off: bytes move as they are).
    pub ascii_conversion: bool,
    /// The protocol engine.
    pub engine: EngineKind,
    /// The text of the 220 reply; no version by default.
    pub greeting: String,
    /// Who may connect; empty: everyone.
    pub allow_from: Vec<AllowFrom>,
    /// The system user to become after binding, when started as root.
    pub run_as: Option<String>,
}

/// One entry of `allow_from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowFrom {
    /// `"lan"`: loopback, private and link-local addresses.
    Lan,
    /// A network in CIDR form, or one address.
    Net(IpNet),
}

/// `[share]`
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The shared directory on disk, absolute; made if missing.
    pub root: PathBuf,
    /// Free room that uploads must leave on the disk.
    pub reserve: Reserve,
    /// Bits taken off the mode of new files and directories.
    pub umask: u32,
    /// Whether LIST and MLSD show names that begin with a dot.
    pub show_dotfiles: bool,
    /// Whether listings show the real owner and group, as numbers (off: `ftp`).
    pub show_owner: bool,
}

/// `[passive]`
#[derive(Clone, Debug, PartialEq)]
pub struct Passive {
    /// Ports of passive listeners.
    pub ports: PortRange,
    /// What PASV names.
    pub address: PassiveAddress,
}

/// The address that the PASV reply names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassiveAddress {
    /// The address the client dialled.
    Auto,
    /// A fixed IPv4 address.
    Fixed(IpAddr),
}

/// `[active]`
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// Whether PORT and EPRT are accepted (to the client's own address only).
    pub enabled: bool,
}

/// `[tls]`
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// Off, optional or required.
    pub mode: TlsMode,
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
    /// True when neither path was given: the pair is made at these paths on first start.
    pub self_signed: bool,
    /// Data connections must resume the TLS session of their control connection (RFC 4217 §10.1).
    pub require_reuse: bool,
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Sessions at once over all; 0: no limit.
    pub max_clients: u32,
    /// Sessions at once from one address; 0: no limit.
    pub max_per_ip: u32,
    /// Limit of all downloads of the server together.
    pub rate_down: ByteRate,
    /// Limit of all uploads of the server together.
    pub rate_up: ByteRate,
    /// Limit of one session's downloads.
    pub session_rate_down: ByteRate,
    /// Limit of one session's uploads.
    pub session_rate_up: ByteRate,
}

/// `[timeouts]`
#[derive(Clone, Debug, PartialEq)]
pub struct Timeouts {
    /// From connect to a finished login.
    pub login: Duration,
    /// A logged-in session without a command or a transfer.
    pub idle: Duration,
    /// A data connection without progress.
    pub stalled: Duration,
    /// From a transfer command to its open data connection.
    pub data_connect: Duration,
    /// A TLS handshake, control or data.
    pub tls_handshake: Duration,
    /// How long running transfers may go on after a stop signal.
    pub shutdown_grace: Duration,
}

/// `[uploads]`
#[derive(Clone, Debug, PartialEq)]
pub struct Uploads {
    /// What STOR does when the name is taken.
    pub on_duplicate: OnDuplicate,
    /// How long an interrupted upload's partial is kept; zero: removed at once.
    pub keep_partial_for: Duration,
    /// What is forced to the disk.
    pub fsync: Fsync,
    /// Mode of new files before the umask.
    pub mode: u32,
}

/// `[names]`
#[derive(Clone, Debug, PartialEq)]
pub struct Names {
    /// How bytes that are not UTF-8 are read; `None` (`"none"`): refused with 553.
    pub fallback: Option<Encoding>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Least level that is written.
    pub level: LogLevel,
    /// Form of the lines.
    pub format: LogFormat,
    /// The transfer record in wu-ftpd's form.
    pub xferlog: Option<PathBuf>,
}

/// `[metrics]`
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Loopback address of the Prometheus text endpoint.
    pub listen: Option<SocketAddr>,
}

/// `[announce]`
#[derive(Clone, Debug, PartialEq)]
pub struct Announce {
    /// Whether `_ftp._tcp` is announced by mDNS.
    pub mdns: bool,
    /// The name announced; `None`: the host's name.
    pub name: Option<String>,
}
