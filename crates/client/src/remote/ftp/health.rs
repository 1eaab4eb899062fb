//! Whether a session is in step with its server.
//!
//! A command that did not come to its end (time, cancellation, broken connection) leaves its
//! answer to the next one; so anything but a clean end breaks the session for good.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use crate::error::RemoteError;

const READY: u8 = 0;
const BUSY: u8 = 1;
const UNSETTLED: u8 = 2;
const BROKEN: u8 = 3;

/// The state of one session, shared with its running transfer.
#[derive(Clone, Debug, Default)]
pub(super) struct Health(Arc<AtomicU8>);

impl Health {
    /// Begins an act. Until [`Health::ready`] the session answers nothing else.
    pub(super) fn enter(&self) -> Result<(), RemoteError> {
        self.swap(READY, BUSY)
            .then_some(())
            .ok_or(RemoteError::Poisoned)
    }

    /// Begins to bring a session in step whose transfer was dropped; `false`: it needs none.
    pub(super) fn enter_unsettled(&self) -> bool {
        self.swap(UNSETTLED, BUSY)
    }

    fn swap(&self, from: u8, to: u8) -> bool {
        self.0
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Ends an act cleanly.
    pub(super) fn ready(&self) {
        self.0.store(READY, Ordering::Release);
    }

    /// A transfer was dropped: its reply is still to come.
    pub(super) fn unsettled(&self) {
        self.0.store(UNSETTLED, Ordering::Release);
    }

    /// Gives the session up.
    pub(super) fn broken(&self) {
        self.0.store(BROKEN, Ordering::Release);
    }

    /// Tells whether the session may be used.
    pub(super) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire) == READY
    }
}
