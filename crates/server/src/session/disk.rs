//! Where disk work runs: on the session's own task while the disk answers at once, on a blocking
//! thread when it does not.
//!
//! A stat or an open of a cached directory takes a few microseconds, less than waking a thread.
//! A cold or slow disk (spinning, network) would hold up every session on the same runtime thread.
//! So every act is timed, and one slow act sends the next ones of the whole process to threads.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// An act that took longer than this makes the disk a slow one,
const QUICK: Duration = Duration::from_millis(3);
/// for this long.
const CAUTION: Duration = Duration::from_secs(5);

static BORN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Milliseconds since [`BORN`] until which disk work goes to threads. How fast the machine's disk
/// answers is a fact of the process, not of one session.
static SLOW_UNTIL: AtomicU64 = AtomicU64::new(0);

/// Tells whether the disk has answered at once lately.
pub(crate) fn is_quick() -> bool {
    millis(Instant::now()) >= SLOW_UNTIL.load(Ordering::Relaxed)
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

/// Runs long work (listing, fsync, a whole transfer) on a blocking thread.
pub(crate) async fn thread<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Blocking tasks are never cancelled here, so this is a panic: let it end the session.
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let ended = Instant::now();
    if ended.duration_since(began) > QUICK {
        SLOW_UNTIL.store(millis(ended + CAUTION), Ordering::Relaxed);
    }
    done
}

fn millis(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*BORN).as_millis()).unwrap_or(u64::MAX)
}
