//! Announces the server on the LAN as `_ftp._tcp` by mDNS, and says goodbye at the end. The only
//! room that names the mDNS library.

use std::{net::SocketAddr, time::Duration};

use mdns_sd::{ServiceDaemon, ServiceInfo};
use tracing::{info, warn};

const SERVICE: &str = "_ftp._tcp.local.";
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A standing announcement; [`Announcement::end`] takes it back.
pub struct Announcement {
    daemon: ServiceDaemon,
    full_name: String,
}

impl std::fmt::Debug for Announcement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Announcement({})", self.full_name)
    }
}

/// What is announced.
#[derive(Clone, Debug)]
pub struct What<'a> {
    /// The name people see; `None`: the host's.
    pub name: Option<&'a str>,
    /// The addresses listened on; loopback ones cannot be announced.
    pub addresses: &'a [SocketAddr],
    /// Facts for the TXT record.
    pub facts: &'a [(&'a str, &'a str)],
}

/// Announces, or says in the log why not: a server without an announcement still serves.
#[must_use]
pub fn begin(what: &What<'_>) -> Option<Announcement> {
    let reachable = |a: &&SocketAddr| !a.ip().is_loopback();
    let Some(address) = what.addresses.iter().find(reachable) else {
        warn!("not announced: the server listens on loopback only");
        return None;
    };
    match try_begin(what, *address) {
        Ok(announcement) => {
            info!(name = announcement.full_name, "announced by mDNS");
            Some(announcement)
        }
        Err(error) => {
            warn!(%error, "not announced by mDNS");
            None
        }
    }
}

fn try_begin(what: &What<'_>, address: SocketAddr) -> mdns_sd::Result<Announcement> {
    let daemon = ServiceDaemon::new()?;
    let host = host_label();
    let name = what.name.unwrap_or(&host);
    let host_name = format!("{host}.local.");
    let facts: std::collections::HashMap<String, String> = what
        .facts
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let fixed = if address.ip().is_unspecified() {
        String::new()
    } else {
        address.ip().to_string()
    };
    let mut info = ServiceInfo::new(SERVICE, name, &host_name, &fixed[..], address.port(), facts)?;
    if fixed.is_empty() {
        info = info.enable_addr_auto();
    }
    let full_name = info.get_fullname().to_owned();
    daemon.register(info)?;
    Ok(Announcement { daemon, full_name })
}

fn host_label() -> String {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let label = host.split('.').next().unwrap_or_default();
    if label.is_empty() {
        "ftpd".to_owned()
    } else {
        label.to_owned()
    }
}

impl Announcement {
    /// Takes the announcement back; waits a moment for the goodbye to be sent.
    pub async fn end(self) {
        if let Ok(done) = self.daemon.unregister(&self.full_name) {
            let _ = tokio::time::timeout(GOODBYE, done.recv_async()).await;
        }
        if let Ok(done) = self.daemon.shutdown() {
            let _ = tokio::time::timeout(GOODBYE, done.recv_async()).await;
        }
    }
}
