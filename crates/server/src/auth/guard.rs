//! What all gates of the process share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    lockout::Lockout,
    password::{HashError, Verifier},
};
use crate::status::Registry;

/// What all gates of the process share, across reloads: proofs, failures, counters.
#[derive(Debug)]
pub struct Guard {
    pub(super) verifier: Verifier,
    lockout: Mutex<Lockout>,
    pub(super) registry: Registry,
}

impl Guard {
    /// Makes the process's guard.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(registry: Registry) -> Result<Self, HashError> {
        Ok(Self {
            verifier: Verifier::new()?,
            lockout: Mutex::default(),
            registry,
        })
    }

    /// Forgets proven credentials; called when the accounts change.
    pub fn forget(&self) {
        self.verifier.forget();
    }

    /// Returns the table of failures.
    pub fn lockout(&self) -> MutexGuard<'_, Lockout> {
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
