//! Jobs that workers share.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::{Outcome, job::Job, originals::Original};

/// What the workers of one batch share.
pub(super) struct Batch {
    pub(super) queue: Mutex<VecDeque<Job>>,
    /// Those that will look at the queue once more. Lowered by one who found it empty, with the queue
    /// locked, so that what is put back is never left.
    pub(super) workers: AtomicUsize,
    pub(super) stop: AtomicBool,
    /// Originals stay until the end.
    pub(super) wary: bool,
    pub(super) results: Mutex<Results>,
}

impl Batch {
    /// Takes the next file; with none left a worker goes home.
    pub(super) fn next(&self) -> Option<Job> {
        let mut queue = lock(&self.queue);
        let job = queue.pop_front();
        if job.is_none() {
            self.workers.fetch_sub(1, Ordering::AcqRel);
        }
        job
    }

    /// Gives up a worker's place, unless it is the last.
    pub(super) fn leave(&self) -> bool {
        let (order, looks) = (Ordering::AcqRel, Ordering::Acquire);
        self.workers
            .fetch_update(order, looks, |left| (left > 1).then(|| left - 1))
            .is_ok()
    }

    /// Takes a file back from a worker who gave up its place; `false`: the others have gone home
    /// meanwhile, and it must stay.
    pub(super) fn put_back(&self, job: Job) -> bool {
        let mut queue = lock(&self.queue);
        queue.push_front(job);
        let others = self.workers.load(Ordering::Acquire) > 0;
        if !others {
            self.workers.store(1, Ordering::Release);
        }
        others
    }
}

/// A file that a worker has in hands. A worker that breaks off leaves its name behind: nothing may go missing without a
/// word.
pub(super) struct InHands<'a> {
    batch: &'a Batch,
    name: Option<String>,
}

impl<'a> InHands<'a> {
    pub(super) fn new(batch: &'a Batch, name: String) -> Self {
        let name = Some(name);
        Self { batch, name }
    }

    /// It has come to an end, whichever.
    pub(super) fn release(mut self) {
        self.name = None;
    }
}

impl Drop for InHands<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            lock(&self.batch.results).lost.push(name);
            self.batch.leave();
        }
    }
}

#[derive(Default)]
pub(super) struct Results {
    pub(super) files: u64,
    pub(super) verified: u64,
    pub(super) skipped: u64,
    pub(super) failed: Vec<Outcome>,
    /// Files whose workers broke off.
    pub(super) lost: Vec<String>,
    pub(super) given_up: Option<String>,
    /// Originals that are to go at the end.
    pub(super) originals: Vec<Original>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
