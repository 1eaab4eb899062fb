//! The servers people own: trees up and down, twice; resume both ways behind a proxy that cuts;
//! TLS with session reuse required.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

#[path = "../fake/mod.rs"]
mod fake;

mod early;
mod resume;
mod session;
mod trees;
mod unclosed;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ftp_config::{Secret, SiteTls};
use ftpc::{
    error::RemoteError,
    plan::{filter::Filter, walk},
    remote::{Dial, Remote, connect::Dialer},
    trust::{MemoryTrust, TrustCheck},
};

use fake::peers::{Peer, Tls};

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}

fn dialer(peer: &Peer, port: u16, tls: Tls, tls12: bool) -> Dialer {
    let mut dialer = Dialer::new("127.0.0.1", port, peer.user, Secret::new("pw"));
    dialer.tls = match tls {
        Tls::Off => SiteTls::Off,
        Tls::On | Tls::Only13 => SiteTls::Required,
        Tls::Implicit => SiteTls::Implicit,
    };
    let trust = MemoryTrust::default();
    if tls12 {
        trust.note_tls12(&dialer.endpoint(), true);
    }
    dialer.trust = Arc::new(trust);
    dialer
}

/// Dials, trusting the certificate it meets.
async fn trusting(mut dialer: Dialer) -> (Dialer, Box<dyn Remote>) {
    match dialer.dial().await {
        Ok(session) => (dialer, session),
        Err(RemoteError::Untrusted {
            endpoint,
            fingerprint,
        }) => {
            let trust = MemoryTrust::default();
            trust.pin(&endpoint, fingerprint);
            if dialer.trust.needs_tls12(&endpoint) {
                trust.note_tls12(&endpoint, true);
            }
            dialer.trust = Arc::new(trust);
            let session = dialer.dial().await.unwrap();
            (dialer, session)
        }
        Err(error) => panic!("{error}"),
    }
}

fn walk_files(top: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let tree = walk::local(top, &Filter::default()).unwrap();
    let files = tree.nodes.iter().filter(|node| !node.is_dir);
    files
        .map(|node| {
            let path = walk::local_name(&node.path);
            let content = fs::read(top.join(&path)).unwrap();
            (path, content)
        })
        .collect()
}
