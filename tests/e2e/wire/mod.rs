//! The wire suite: raw bytes, codes and effects, on the native engine plain and over TLS, and on
//! libunftp's where it can.
//!
//! `docs/engines.md` lists what libunftp's engine does otherwise; the tests that say
//! [`Way::NATIVE`] are those rows.

mod abort;
mod active;
mod block;
mod broken;
mod differences;
mod facts;
mod hash;
mod hostile;
mod limits;
mod listing;
mod login;
mod names;
mod navigation;
mod passive;
mod quit;
mod restart;
mod retries;
mod reuse;
mod secure;
mod site;
mod transfer;

use harness::{Server, Site, Wire, site::Engine, tls};

/// One way in which a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    NativePlain,
    NativeTls,
    LibunftpPlain,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::NativePlain, Self::NativeTls, Self::LibunftpPlain];
    /// What libunftp's engine cannot do, or does otherwise.
    pub(crate) const NATIVE: [Self; 2] = [Self::NativePlain, Self::NativeTls];

    pub(crate) fn start(self, site: Site) -> Server {
        let engine = if self == Self::LibunftpPlain {
            Engine::Libunftp
        } else {
            Engine::Native
        };
        site.engine(engine).start()
    }

    /// A control connection that has not logged in.
    pub(crate) fn open(self, server: &Server) -> Wire {
        let mut wire = server.wire();
        if self == Self::NativeTls {
            wire.secure(&tls::client(&[&rustls::version::TLS13]));
        }
        wire
    }

    /// A control connection that has logged in as ann.
    pub(crate) fn ann(self, server: &Server) -> Wire {
        let mut wire = self.open(server);
        wire.login("ann");
        wire.expect("TYPE I", 200);
        wire
    }
}
