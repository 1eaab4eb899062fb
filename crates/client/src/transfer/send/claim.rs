//! The right to write to a part: of several runs that send one file, one alone goes on with it.

use std::{
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{Send, begin::part_of, source::Source};
use crate::{hex, transfer::Tools, work::chance_tag};

/// A name of the system's that one process has at a time, gone with it however it ends (unix(7),
/// abstract addresses). Held until it drops.
#[derive(Debug)]
pub(super) struct Claim {
    what: String,
    _held: Option<UnixListener>,
}

impl Claim {
    /// Claims `what`; `None`: another transfer of this machine has it.
    pub(super) fn take(what: String) -> Option<Self> {
        let digest = hex::of(&Sha256::digest(&what));
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

    /// Tells whether this is the claim to `what`.
    pub(super) fn is_to(&self, what: &str) -> bool {
        self.what == what
    }
}

impl Send {
    /// Returns the name of the part to write to.
    pub(super) fn take_part(&mut self, tools: &Tools, source: &Source) -> String {
        self.claim_part(tools, source);
        let part = self.part(source, self.left);
        if self.mark.is_some() && !self.orphans.contains(&part) {
            self.orphans.push(part.clone());
        }
        part
    }

    pub(super) fn part(&self, source: &Source, left: u32) -> String {
        match &self.mark {
            None => part_of(&self.remote, &source.identity, left),
            Some(mark) => part_of(&self.remote, &format!("{} {mark}", source.identity), left),
        }
    }

    /// Makes sure that no other run of this machine writes to the parts of this file: the one that was sent
    /// last would cut the other's short, and both would take what is there for their own.
    fn claim_part(&mut self, tools: &Tools, source: &Source) {
        let (server, remote, identity) = (&tools.endpoint, &self.remote, &source.identity);
        let what = format!("{server} {remote} {identity}");
        if self.mark.is_some() || self.claim.as_ref().is_some_and(|held| held.is_to(&what)) {
            return;
        }
        self.claim = Claim::take(what).map(Arc::new);
        if self.claim.is_none() {
            self.mark = Some(chance_tag());
        }
    }
}

#[cfg(test)]
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
