//! The switch that stops a run: what can be resumed is kept.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::sleep};

/// How long work may still take once it was stopped, to end by itself.
const PARTING: Duration = Duration::from_secs(1);
/// How long work may that keeps something for a resume. It is kept long before that; then only the server
/// is silent.
const KEEPING: Duration = Duration::from_secs(5);

/// The switch that stops a run. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stopped: AtomicBool,
    notify: Notify,
    held: Mutex<Holding>,
    /// How many wait for a person's keys.
    resting: AtomicUsize,
}

/// Whether a Ctrl-C is another program's.
#[derive(Debug, Default)]
enum Holding {
    #[default]
    No,
    Yes,
    /// It was until then: one that ended the other program may come in a moment later.
    Until(Instant),
}

/// For so long.
const LATE: Duration = Duration::from_millis(200);

/// While it lives, a Ctrl-C is another program's.
#[derive(Debug)]
pub struct Held(Cancel);

impl Drop for Held {
    fn drop(&mut self) {
        *self.0.holding() = Holding::Until(Instant::now() + LATE);
    }
}

/// While it lives, a person is waited for.
#[derive(Debug)]
pub struct Resting(Cancel);

impl Drop for Resting {
    fn drop(&mut self) {
        self.0.0.resting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Cancel {
    /// Says that nothing goes on but a wait for a person's keys, which holds its thread.
    #[must_use]
    pub fn rest(&self) -> Resting {
        self.0.resting.fetch_add(1, Ordering::AcqRel);
        Resting(self.clone())
    }

    /// Tells whether nothing goes on that could end by itself.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.0.resting.load(Ordering::Acquire) > 0
    }

    /// So long stopped work may take at most, with a second for what comes behind it.
    pub const LONGEST: Duration = KEEPING.saturating_add(PARTING);

    /// Stops the run. May be called from anywhere, and again.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
        self.0.notify.notify_waiters();
    }

    /// Leaves every Ctrl-C to a program that runs in front of this one.
    #[must_use]
    pub fn hold(&self) -> Held {
        *self.holding() = Holding::Yes;
        Held(self.clone())
    }

    /// Tells whether a Ctrl-C is left to another program.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match *self.holding() {
            Holding::No => false,
            Holding::Yes => true,
            Holding::Until(end) => Instant::now() < end,
        }
    }

    fn holding(&self) -> MutexGuard<'_, Holding> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Does work that keeps nothing for a resume: once stopped it has a second to end by itself. `None`:
    /// it was left where it waited.
    pub async fn or_leave<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.or_leave_after(PARTING, work).await
    }

    /// Does work that may keep something for a resume: once stopped it has five seconds to end by itself.
    /// `None`: it was left where it waited.
    pub async fn or_keep<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.or_leave_after(KEEPING, work).await
    }

    async fn or_leave_after<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let late = async {
            self.stopped().await;
            sleep(limit).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = late => None,
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

    #[tokio::test(start_paused = true)]
    async fn work_that_was_stopped_may_end_and_is_not_waited_for_long() {
        let cancel = Cancel::default();
        let long = PARTING * 100;
        assert_eq!(cancel.or_leave(async { sleep(long).await }).await, Some(()));
        cancel.stop();
        let short = PARTING / 2;
        assert_eq!(
            cancel.or_leave(async { sleep(short).await }).await,
            Some(())
        );
        assert_eq!(cancel.or_leave(async { sleep(long).await }).await, None);
    }
}
