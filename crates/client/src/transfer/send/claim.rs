//! The right to write to a part: of several runs that send one file, one alone goes on with it.

use sha2::{Digest as _, Sha256};

/// A name of the system's that one process has at a time, gone with it however it ends (unix(7),
/// abstract addresses). Held until it drops.
#[derive(Debug)]
pub(super) struct Claim {
    what: String,
    #[cfg(target_os = "linux")]
    _held: Option<std::os::unix::net::UnixListener>,
}

impl Claim {
    /// Claims `what`; `None`: another transfer of this machine has it.
    #[cfg(target_os = "linux")]
    pub(super) fn take(what: String) -> Option<Self> {
        use std::os::{
            linux::net::SocketAddrExt as _,
            unix::net::{SocketAddr, UnixListener},
        };
        let digest = Sha256::digest(&what);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let bound = SocketAddr::from_abstract_name(format!("ftpc-part-{digest}"))
            .and_then(|address| UnixListener::bind_addr(&address));
        match bound {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => None,
            // A system that refuses such names lets nothing be claimed.
            held => Some(Self {
                what,
                _held: held.ok(),
            }),
        }
    }

    /// Claims `what`, which cannot be told from another's here.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn take(what: String) -> Option<Self> {
        Some(Self { what })
    }

    /// Tells whether this is the claim to `what`.
    pub(super) fn is_to(&self, what: &str) -> bool {
        self.what == what
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_one_runs_until_it_is_dropped() {
        let what = || format!("server {} part", std::process::id());
        let first = Claim::take(what()).unwrap();
        assert!(first.is_to(&what()) && Claim::take(what()).is_none());
        assert!(Claim::take("server other".to_owned()).is_some());
        drop(first);
        assert!(Claim::take(what()).is_some());
    }
}
