//! The program `ftpc` as a daily tool, one concern a file: against our `ftpd`, against the servers
//! people own, and against servers that mean harm.

// The servers of the client library's own suites.
#[path = "../../../crates/client/tests/fake/mod.rs"]
mod fake;

mod codes;
mod files;
mod hostile;
mod json;
mod restart;
mod resume;
mod sync;
mod trees;
mod trust;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use fake::peers::{self, Peer, Tls};
use harness::{Server, Site, client::Ftpc, ftpc, site::Engine};

/// A server of any make, with a directory that may be written.
struct Host {
    name: &'static str,
    address: SocketAddr,
    user: &'static str,
    /// The directory as the server names it; empty for the root.
    top: String,
    /// The same directory on disk.
    disk: PathBuf,
    _alive: Alive,
}

#[allow(dead_code, reason = "held until the end of the test")]
enum Alive {
    Ours(Box<Server>),
    Theirs(Box<Peer>),
}

impl Host {
    fn ours() -> Self {
        Self::site("ftpd", Site::with_ann())
    }

    /// libunftp, over our share.
    fn libunftp() -> Self {
        Self::site("libunftp", Site::with_ann().engine(Engine::Libunftp))
    }

    fn site(name: &'static str, site: Site) -> Self {
        let server = site.start();
        Self {
            name,
            address: server.address,
            user: "ann",
            top: String::new(),
            disk: server.site.share(),
            _alive: Alive::Ours(Box::new(server)),
        }
    }

    fn theirs(name: &'static str, peer: Option<Peer>) -> Option<Self> {
        let peer = peer?;
        Some(Self {
            name,
            address: peer.address,
            user: peer.user,
            top: peer.top.clone(),
            disk: peer.disk.clone(),
            _alive: Alive::Theirs(Box::new(peer)),
        })
    }

    /// A URL of a path below the directory, through a proxy if there is one.
    fn url(&self, through: Option<SocketAddr>, path: &str) -> String {
        let address = through.unwrap_or(self.address);
        format!("ftp://{}@{address}/{}/{path}", self.user, self.top)
    }
}

/// Our server and every other one that is on this machine.
fn hosts(tls: Tls) -> Vec<Host> {
    let theirs = [
        Host::theirs("vsftpd", peers::vsftpd(tls)),
        Host::theirs("proftpd", peers::proftpd(tls)),
        Host::theirs("pure-ftpd", peers::pure_ftpd(tls)),
        Host::theirs("pyftpdlib", peers::pyftpdlib(tls)),
    ];
    let mut all = vec![Host::ours(), Host::libunftp()];
    all.extend(theirs.into_iter().flatten());
    all
}

/// A run with the password of the peers; ours takes its own.
fn run(host: &Host, dir: &Path, tls: &str) -> Ftpc {
    let run = ftpc(dir).args(["--tls", tls]);
    match host._alive {
        Alive::Ours(_) => run,
        Alive::Theirs(_) => run.env("FTPC_PASSWORD", "pw"),
    }
}

/// Every file below a directory with its bytes, every directory with `None`.
fn contents(dir: &Path) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    use std::os::unix::ffi::OsStrExt as _;
    let mut all = BTreeMap::new();
    let mut waiting = vec![dir.to_path_buf()];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().as_os_str().as_bytes();
            if path.is_dir() {
                all.insert(name.to_vec(), None);
                waiting.push(path);
            } else {
                all.insert(name.to_vec(), Some(std::fs::read(&path).unwrap()));
            }
        }
    }
    all
}

/// The names below a directory, for messages that can be read.
fn names(dir: &Path) -> Vec<String> {
    let names = contents(dir).into_keys();
    names
        .map(|name| String::from_utf8_lossy(&name).into_owned())
        .collect()
}
