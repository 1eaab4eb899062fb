//! The switch that stops a run: what can be resumed is kept.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

/// The switch that stops a run. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stopped: AtomicBool,
    notify: Notify,
}

impl Cancel {
    /// Stops the run. May be called from anywhere, and again.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
        self.0.notify.notify_waiters();
    }

    /// Makes the switch as it was, for the next run. Nothing of the one before may still go on.
    pub fn reset(&self) {
        self.0.stopped.store(false, Ordering::Release);
    }

    /// Tells whether the run was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    /// Waits until the run is stopped. Cancel-safe.
    pub async fn stopped(&self) {
        loop {
            let notified = self.0.notify.notified();
            tokio::pin!(notified);
            // Registered before the look, so that a stop in between is not missed.
            notified.as_mut().enable();
            if self.is_stopped() {
                return;
            }
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_reaches_those_who_wait_and_those_who_come_later() {
        let cancel = Cancel::default();
        let waiter = tokio::spawn({
            let cancel = cancel.clone();
            async move { cancel.stopped().await }
        });
        tokio::task::yield_now().await;
        cancel.stop();
        waiter.await.unwrap();
        cancel.stopped().await;
        assert!(cancel.is_stopped());
        cancel.reset();
        assert!(!cancel.is_stopped());
    }
}
