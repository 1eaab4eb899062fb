//! Where disk work runs: on the session's own task while the disk answers at once, on a blocking
//! thread when it does not.
//!
//! A stat or an open of a cached directory takes a few microseconds, less than waking a thread.
//! A cold or slow disk (spinning, network) would hold up every session on the same runtime thread.
//! So every act is timed, and a few slow acts in a row send the next ones of the whole process to
//! threads. One alone says nothing: a busy machine may take the processor away in mid-act. A disk
//! behind a network or FUSE may not answer at all; its acts are always on threads.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::hands;

/// An act that took longer than this was slow;
const QUICK: Duration = Duration::from_millis(10);
/// so many of them, each within [`CAUTION`] of the one before, make the disk a slow one
const SLOW_ACTS: u32 = 3;
/// for this long.
const CAUTION: Duration = Duration::from_secs(2);

/// How fast the machine's disk answers is a fact of the process, not of one session.
static PACE: Pace = Pace {
    slow_acts: AtomicU32::new(0),
    last_slow_ms: AtomicU64::new(0),
};
/// The share is on a disk that may not answer for minutes (network, FUSE): no act on it waits in place.
static FAR: AtomicBool = AtomicBool::new(false);
/// Mean microseconds of the last forced acts; begins slow, so that the first one is on a thread.
static FORCE_MICROS: AtomicU64 = AtomicU64::new(QUICK_FORCE_MICROS);
const QUICK_FORCE_MICROS: u64 = 300;
static BORN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The memory of slow acts; times are milliseconds since the start.
#[derive(Debug)]
struct Pace {
    slow_acts: AtomicU32,
    last_slow_ms: AtomicU64,
}

impl Pace {
    fn is_quick(&self, now_ms: u64) -> bool {
        self.slow_acts.load(Ordering::Relaxed) < SLOW_ACTS || !self.is_recent(now_ms)
    }

    fn note_slow(&self, now_ms: u64) {
        if self.is_recent(now_ms) {
            self.slow_acts.fetch_add(1, Ordering::Relaxed);
        } else {
            self.slow_acts.store(1, Ordering::Relaxed);
        }
        self.last_slow_ms.store(now_ms, Ordering::Relaxed);
    }

    fn is_recent(&self, now_ms: u64) -> bool {
        let last = self.last_slow_ms.load(Ordering::Relaxed);
        u128::from(now_ms.saturating_sub(last)) < CAUTION.as_millis()
    }
}

/// Learns whether the share's disk is far, on start and on reload.
pub(crate) fn set_far(is_far: bool) {
    FAR.store(is_far, Ordering::Relaxed);
}

/// Tells whether the disk has answered at once lately.
pub(crate) fn is_quick() -> bool {
    if FAR.load(Ordering::Relaxed) {
        return false;
    }
    PACE.slow_acts.load(Ordering::Relaxed) < SLOW_ACTS || PACE.is_quick(millis(Instant::now()))
}

/// Runs a short act that may block.
pub(crate) async fn act<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    if is_quick() {
        return timed(work);
    }
    thread(move || timed(work)).await
}

/// Runs an act that may wait for the platter (fsync): in place while such acts have taken next to
/// no time (memory file systems, `fsync = "never"`), else on a blocking thread.
pub(crate) async fn force<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let weighed = move || {
        let began = Instant::now();
        let done = work();
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mean = FORCE_MICROS.load(Ordering::Relaxed);
        FORCE_MICROS.store(weigh(mean, took), Ordering::Relaxed);
        done
    };
    if is_quick() && FORCE_MICROS.load(Ordering::Relaxed) < QUICK_FORCE_MICROS {
        return weighed();
    }
    thread(weighed).await
}

/// A running mean in which the newest counts an eighth.
fn weigh(mean: u64, newest: u64) -> u64 {
    (mean / 8).saturating_mul(7).saturating_add(newest / 8)
}

/// Runs long work (listing, fsync) on a blocking thread; where the system gives none, here.
pub(crate) async fn thread<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    hands::run(|_| work()).await
}

/// A value whose end acts on the disk (it closes a file, or removes one): dropped, it ends where such acts run.
#[derive(Debug)]
pub(crate) struct Kept<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Kept<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// Gives the value to who ends it.
    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().expect("only this and drop take it")
    }

    /// Ends it now, and waits for that.
    pub(crate) async fn end(self) {
        let value = self.into_inner();
        act(move || drop(value)).await;
    }
}

impl<T: Clone + Send + 'static> Kept<T> {
    /// Makes another handle of what it holds.
    pub(crate) fn share(&self) -> T {
        self.0.clone().expect("only its end takes it")
    }
}

impl<T: Send + 'static> Drop for Kept<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            end_of(value, is_quick());
        }
    }
}

fn end_of<T: Send + 'static>(value: T, in_place: bool) {
    if in_place {
        return drop(value);
    }
    let _else_dropped_here = hands::help(move || drop(value));
}

fn timed<T>(work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let ended = Instant::now();
    if ended.duration_since(began) > QUICK {
        PACE.note_slow(millis(ended));
    }
    done
}

fn millis(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*BORN).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread::ThreadId};

    use super::*;

    /// Tells on which thread it ended.
    struct Telling(mpsc::Sender<ThreadId>);

    impl Drop for Telling {
        fn drop(&mut self) {
            let _ = self.0.send(std::thread::current().id());
        }
    }

    #[tokio::test]
    async fn a_value_of_a_slow_disk_does_not_end_on_the_event_loop() {
        let here = std::thread::current().id();
        for in_place in [true, false] {
            let (tell, told) = mpsc::channel();
            end_of(Telling(tell), in_place);
            let there = disk_answer(told).await;
            assert_eq!(there == here, in_place);
        }
        let (tell, told) = mpsc::channel();
        Kept::new(Telling(tell)).end().await;
        told.try_recv().unwrap();
    }

    async fn disk_answer(told: mpsc::Receiver<ThreadId>) -> ThreadId {
        thread(move || told.recv().unwrap()).await
    }

    #[test]
    fn only_slow_acts_in_a_row_make_a_slow_disk_and_it_recovers() {
        let pace = Pace {
            slow_acts: AtomicU32::new(0),
            last_slow_ms: AtomicU64::new(0),
        };
        pace.note_slow(10_000);
        pace.note_slow(20_000);
        pace.note_slow(20_500);
        assert!(pace.is_quick(20_500));
        pace.note_slow(21_000);
        assert!(!pace.is_quick(21_001));
        assert!(pace.is_quick(23_001));
    }
}
