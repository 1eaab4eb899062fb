//! Defaults that are words, and the few numbers that more than one room needs.

use crate::PortRange;

/// The file of the whole machine.
pub const SYSTEM_FILE: &str = "/etc/ftp/ftp.toml";
/// Where clients find a server that nobody gave another port: 21 needs privilege.
pub const PORT: u16 = 2121;
/// Loopback, and [`PORT`]: a share is opened to the network on purpose, never by accident.
pub const LISTEN: &str = "127.0.0.1:2121";
/// No version: a scanner learns nothing.
pub const GREETING: &str = "FTP server ready";
/// Beside the directory of the file.
pub const SHARE_ROOT: &str = "../share";
/// A thousand ports: ten times the sessions that most shares see.
pub const PASSIVE_PORTS: &str = "50000-50999";
/// What Chinese, Japanese and Korean clients without UTF-8 send most often on a LAN.
pub const FALLBACK: &str = "gb18030";
/// Where a self-signed certificate is made, beside the file.
pub const CERT: &str = "ftpd-cert.pem";
/// Where its key is made, beside the file.
pub const KEY: &str = "ftpd-key.pem";
/// The shipped sample's user.
pub const SAMPLE_USER: &str = "demo";
/// The shipped sample's password, accepted for that user only.
pub const SAMPLE_PASSWORD: &str = "demo";
/// The least memory cost of a password hash, in KiB.
pub const LEAST_HASH_KIB: u32 = 4096;

/// The most bytes of a greeting.
pub const LONGEST_GREETING: usize = 500;
/// The most sessions that any limit of them may say.
pub const MOST_SESSIONS: u32 = 100_000;
/// The most failed logins that may go before a lock-out.
pub const MOST_FAILURES: u32 = 1_000;
/// The least rate that is a limit, in bytes a second.
pub const LEAST_RATE: u64 = 1024;

/// Sessions at once of one run of `ftpc`; at most [`MOST_JOBS`].
pub const JOBS: u32 = 4;
/// The most of them.
pub const MOST_JOBS: u32 = 64;
/// The name that all guests get (RFC 1635).
pub const GUEST: &str = "anonymous";
/// The other name that guests use.
pub const GUEST_ALIAS: &str = "ftp";

/// Tells whether a login name is that of guests, in whatever case.
#[must_use]
pub fn is_guest(name: &str) -> bool {
    name.eq_ignore_ascii_case(GUEST) || name.eq_ignore_ascii_case(GUEST_ALIAS)
}

pub(crate) fn passive_ports() -> PortRange {
    PASSIVE_PORTS
        .parse()
        .expect("the default range is in order")
}
