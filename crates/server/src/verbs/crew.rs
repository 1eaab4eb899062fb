//! Many hands for a large listing: threads take batches of entries, and the batches come out in
//! their order.
//!
//! [`Rows`](super::rows::Rows) makes one for a large directory and asks it for blocks. Whoever asks
//! works too, so that no hand waits for another as long as there is work.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::hands;

/// Entries of one batch.
const BATCH: usize = 512;
/// Batches that may be done before their turn: a client that reads slowly holds the crew up.
const AHEAD: usize = 16;

/// Threads at work on one listing. They leave it when it drops, which does not wait for them.
#[derive(Debug)]
pub(super) struct Crew {
    board: Arc<Board>,
    due: usize,
}

/// Writes one entry.
type Work = Box<dyn Fn(usize, &mut Vec<u8>) + Send + Sync>;

struct Board {
    work: Work,
    entries: Range<usize>,
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The next batch that nobody has taken.
    next: usize,
    /// The next batch to hand out.
    due: usize,
    /// Done before their turn; `None` for one whose thread broke off.
    done: BTreeMap<usize, Option<Vec<u8>>>,
}

/// A batch in a thread's hands; dropped without its block, it is told as lost.
struct Taken<'a> {
    board: &'a Board,
    batch: usize,
    block: Option<Vec<u8>>,
}

impl Crew {
    /// Calls `others` threads, which write `entries` by `work`. One that comes late, or never, is a
    /// hand less.
    pub(super) fn start(others: usize, entries: Range<usize>, work: Work) -> Self {
        let board = Arc::new(Board {
            work,
            entries,
            state: Mutex::default(),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        for _ in 0..others {
            let board = Arc::clone(&board);
            hands::help(move || board.help());
        }
        Self { board, due: 0 }
    }

    /// Returns the next block; `None` behind the last.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if self.due == self.board.batches() {
            return None;
        }
        let batch = self.due;
        self.due += 1;
        let block = self.board.wait_for(batch);
        // Whose thread broke off is done here.
        Some(block.unwrap_or_else(|| self.board.write(batch)))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.board.stop.store(true, Ordering::Relaxed);
        drop(self.board.state());
        self.board.changed.notify_all();
    }
}

impl Board {
    fn batches(&self) -> usize {
        self.entries.len().div_ceil(BATCH)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the next batch, or waits for a change when there is none to take.
    fn work_or_wait<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if let Some(taken) = self.take(&mut state) {
            drop(state);
            taken.do_it();
            return self.state();
        }
        let woken = self.changed.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until there is nothing more to take.
    fn help(&self) {
        let mut state = self.state();
        while !self.stop.load(Ordering::Relaxed) && state.next < self.batches() {
            state = self.work_or_wait(state);
        }
    }

    /// Works until `due` is done, and hands it out.
    fn wait_for(&self, due: usize) -> Option<Vec<u8>> {
        let mut state = self.state();
        loop {
            if let Some(block) = state.done.remove(&due) {
                state.due = due + 1;
                self.changed.notify_all();
                return block;
            }
            state = self.work_or_wait(state);
        }
    }

    fn take(&self, state: &mut State) -> Option<Taken<'_>> {
        let batch = state.next;
        (batch < self.batches() && batch < state.due + AHEAD).then(|| {
            state.next += 1;
            Taken {
                board: self,
                batch,
                block: None,
            }
        })
    }

    fn write(&self, batch: usize) -> Vec<u8> {
        let begin = self.entries.start + batch * BATCH;
        let end = (begin + BATCH).min(self.entries.end);
        let mut block = Vec::with_capacity(BATCH * 96);
        for entry in begin..end {
            // Nobody reads what is written after the stop.
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            (self.work)(entry, &mut block);
        }
        block
    }
}

impl Taken<'_> {
    fn do_it(mut self) {
        self.block = Some(self.board.write(self.batch));
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let block = self.block.take();
        self.board.state().done.insert(self.batch, block);
        self.board.changed.notify_all();
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        thread,
        time::{Duration, Instant},
    };

    fn numbers(others: usize, entries: Range<usize>) -> Vec<u8> {
        let work = |entry: usize, out: &mut Vec<u8>| out.extend(format!("{entry}\n").as_bytes());
        let mut crew = Crew::start(others, entries, Box::new(work));
        std::iter::from_fn(|| crew.next()).flatten().collect()
    }

    #[tokio::test]
    async fn blocks_come_in_order_however_many_hands_there_are() {
        for entries in [0..0, 3..4, 5..BATCH + 5, 1..BATCH * (AHEAD + 3)] {
            let all: String = entries.clone().map(|n| format!("{n}\n")).collect();
            for others in [0, 1, 3] {
                assert!(
                    numbers(others, entries.clone()) == all.as_bytes(),
                    "{entries:?} by {others}"
                );
            }
        }
    }

    #[tokio::test]
    async fn what_a_lost_hand_had_taken_is_done_again() {
        let (first, here) = (AtomicBool::new(true), thread::current().id());
        let deadline = Instant::now() + Duration::from_secs(20);
        let work = move |entry: usize, out: &mut Vec<u8>| {
            let in_crew = thread::current().id() != here;
            assert!(!in_crew || !first.swap(false, Ordering::Relaxed), "lost");
            // There is nothing left for a hand that comes late.
            while first.load(Ordering::Relaxed) && Instant::now() < deadline {
                thread::yield_now();
            }
            out.push(b'0' + (entry / BATCH) as u8);
        };
        let mut crew = Crew::start(1, 0..BATCH * 4, Box::new(work));
        let all: Vec<u8> = std::iter::from_fn(|| crew.next()).flatten().collect();
        let want: Vec<u8> = (0..4).flat_map(|n| vec![b'0' + n; BATCH]).collect();
        assert_eq!(all, want);
    }

    #[test]
    fn nobody_runs_far_ahead_and_a_drop_ends_everybody() {
        let pool = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let written = Arc::new(Mutex::new(0));
        let count = Arc::clone(&written);
        let work = move |_: usize, _: &mut Vec<u8>| *count.lock().unwrap() += 1;
        let mut crew =
            pool.block_on(async { Crew::start(2, 0..BATCH * AHEAD * 9, Box::new(work)) });
        assert!(crew.next().is_some());
        drop(crew);
        // Ends when its threads have ended their work, or the test does not.
        drop(pool);
        assert!(*written.lock().unwrap() <= BATCH * (AHEAD + 1));
    }
}
