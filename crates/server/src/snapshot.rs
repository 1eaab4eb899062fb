//! One consistent, immutable view of the configuration and what is built from it.
//!
//! A session keeps the snapshot it began with; `reload` puts a new one in the [`Holder`].

use std::sync::{Arc, PoisonError, RwLock};

use ftp_config::ServerConfig;

use crate::{auth::accounts::Accounts, tls};

/// Configuration, accounts and certificate that belong together.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration.
    pub config: Arc<ServerConfig>,
    /// Who may log in.
    pub accounts: Accounts,
    /// The TLS set-ups; `None` when TLS is off.
    pub tls: Option<tls::Configs>,
}

/// The current snapshot; clones share it.
#[derive(Clone, Debug)]
pub struct Holder(Arc<RwLock<Arc<Snapshot>>>);

impl Holder {
    /// Begins with `first`.
    #[must_use]
    pub fn new(first: Arc<Snapshot>) -> Self {
        Self(Arc::new(RwLock::new(first)))
    }

    /// Returns the current snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts `next` in the place of the current snapshot, which is returned.
    pub fn replace(&self, next: Arc<Snapshot>) -> Arc<Snapshot> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, next)
    }
}
