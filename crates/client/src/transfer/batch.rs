//! Files that follow each other: the queue that workers share, and what became of it.

mod run;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::{Outcome, job::Job, originals::Original};

/// What the workers of one batch share.
pub(super) struct Batch {
    queue: Mutex<VecDeque<Job>>,
    /// Those that will look at the queue once more. Lowered by one who found it empty, with the queue
    /// locked, so that what is put back is never left.
    workers: AtomicUsize,
    /// Those that have a session.
    places: AtomicUsize,
    /// Files that came over, and sessions that were left to the others.
    moves: AtomicUsize,
    pub(super) stop: AtomicBool,
    /// Originals stay until the end.
    pub(super) wary: bool,
    pub(super) results: Mutex<Results>,
}

impl Batch {
    fn new(jobs: VecDeque<Job>, workers: usize, wary: bool) -> Self {
        Self {
            queue: Mutex::new(jobs),
            workers: AtomicUsize::new(workers),
            places: AtomicUsize::new(0),
            moves: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            wary,
            results: Mutex::default(),
        }
    }

    /// Takes the next file; with none left a worker goes home, and leaves its session to the others first.
    pub(super) fn next(&self, go_home: impl FnOnce()) -> Option<Job> {
        let mut queue = lock(&self.queue);
        let job = queue.pop_front();
        if job.is_none() {
            go_home();
            self.move_on();
            self.workers.fetch_sub(1, Ordering::AcqRel);
        }
        job
    }

    /// Tells whether the server serves a worker.
    pub(super) fn is_served(&self) -> bool {
        self.places.load(Ordering::Acquire) > 0
    }

    /// Counts what the server has done, or may do, for another one.
    pub(super) fn move_on(&self) {
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn moves(&self) -> usize {
        self.moves.load(Ordering::Acquire)
    }

    pub(super) fn has_moved(&self, since: usize) -> bool {
        self.moves() != since
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

/// A worker's session, as the others see it.
pub(super) struct Place(Arc<Batch>);

impl Place {
    pub(super) fn new(batch: Arc<Batch>) -> Self {
        batch.places.fetch_add(1, Ordering::AcqRel);
        Self(batch)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.places.fetch_sub(1, Ordering::AcqRel);
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
    pub(super) bytes: u64,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::{flow::Flow, send::Send};

    /// A batch of one file that a worker has taken, and the file.
    fn taken() -> (Batch, Job) {
        let send = Send::new(1, "a".into(), "/a".to_owned(), None, Flow::default());
        let batch = Batch::new(VecDeque::from([Job::Send(send, 1)]), 2, false);
        let job = batch.next(|| ()).unwrap();
        (batch, job)
    }

    #[test]
    fn a_file_that_is_put_back_is_never_left() {
        let (batch, job) = taken();
        assert!(batch.leave() && batch.put_back(job), "the other takes it");
        assert!(batch.next(|| ()).is_some());

        let (batch, _job) = taken();
        assert!(batch.next(|| ()).is_none(), "the other has gone home");
        assert!(!batch.leave(), "the last one stays");

        let (batch, job) = taken();
        assert!(batch.leave());
        assert!(batch.next(|| ()).is_none(), "the other goes home meanwhile");
        assert!(!batch.put_back(job), "so it stays after all");
        assert!(batch.next(|| ()).is_some() && batch.next(|| ()).is_none());
    }
}
