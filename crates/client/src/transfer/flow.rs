//! What a transfer counts into, waits for and obeys, block by block. It moves no bytes.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::pace::Pace;
use crate::cancel::Cancel;

/// How much a copy moves at once.
pub(super) const BLOCK: usize = 256 * 1024;

/// Up to this size a file is one block, and moves without a thread of its own.
const SMALL: u64 = BLOCK as u64;

/// What a transfer counts into, waits for and obeys.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    pub(super) cancel: Cancel,
    pub(super) pace: Option<Arc<Pace>>,
    /// Bytes of the file on the other side.
    pub(super) done: Arc<AtomicU64>,
    /// Bytes that were on the other side when the last try of an upload began: those alone are kept,
    /// whatever went into the network after them.
    pub(super) begun: Arc<AtomicU64>,
    /// Bytes of the file that went over the wire in this run, those of broken tries included.
    pub(super) wire: Arc<AtomicU64>,
}

impl Flow {
    /// Counts a block and waits as the limit wants.
    pub(super) fn moved(&self, bytes: u64) -> io::Result<()> {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        self.wire.fetch_add(bytes, Ordering::Relaxed);
        if let Some(pace) = &self.pace {
            self.wait(pace.take(bytes, Instant::now()))?;
        }
        self.check()
    }

    /// Ends a copy that was stopped.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.cancel.is_stopped() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    /// Sleeps, and wakes for a stop.
    fn wait(&self, pause: Duration) -> io::Result<()> {
        let until = Instant::now() + pause;
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    /// Returns how many bytes move at once: fewer under a low limit.
    pub(super) fn block(&self) -> usize {
        self.pace.as_ref().map_or(BLOCK, |pace| pace.block())
    }

    /// Tells whether a file of this size moves as one block. A rate limit makes its thread sleep.
    pub(super) fn is_small(&self, size: u64) -> bool {
        size <= SMALL && self.pace.is_none()
    }

    /// Zero-copy calls move up to 1 MiB at once, too coarse for a low limit.
    pub(super) fn may_splice(&self) -> bool {
        self.pace.is_none()
    }
}
