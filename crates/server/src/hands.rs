//! Other threads of the runtime's pool, for work that blocks and for a part of one work.
//!
//! tokio panics where its pool is empty and the system has no thread to give (a limit of processes, or of a
//! container): whoever asks here hears of it instead.
//!
//! A large listing is read and written by several: `share::early` and `verbs::crew` ask here. The
//! pool's threads are there already, mostly, and wake on an idle processor; a new thread begins
//! where it was made, which may be behind the very work that it should take a part of.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, task::JoinHandle, time::timeout};
use tracing::warn;

/// How many threads look at a large directory: one for each processor, four at most. Asked once:
/// the answer comes out of a dozen files.
pub(crate) static THREADS: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, |count| count.get().min(4)));

/// What reads a few small files takes no longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long short work waits for a thread.
const MOMENT: Duration = Duration::from_millis(500);
/// How often at most the log hears that there is none.
const TELL_AGAIN: Duration = Duration::from_secs(10);
/// What a client hears of work that nobody can do.
pub(crate) const NO_THREAD: &str = "The server has no thread left for this; try again later";

/// Where a work runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a thread that may block.
    Thread,
    /// On the thread of whoever asked, and of many sessions: there is no other. Short work only.
    Here,
}

/// Runs work that blocks, and waits for it; a panic in it is passed on.
pub(crate) async fn run<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce(Place) -> T + Send + 'static,
{
    run_within(None, work).await
}

/// As [`run`], for work that may take long; `None`: there is no thread, and it was not begun.
pub(crate) async fn on_thread<T, F>(work: F) -> Option<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    run(|place| (place == Place::Thread).then(work)).await
}

/// As [`run`], for short work that somebody waits for: where all threads are busy, and the system gives no more, it
/// is done here after a moment.
pub(crate) async fn run_soon<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce(Place) -> T + Send + 'static,
{
    run_within(Some(MOMENT), work).await
}

async fn run_within<T, F>(limit: Option<Duration>, work: F) -> T
where
    T: Send + 'static,
    F: FnOnce(Place) -> T + Send + 'static,
{
    let untaken = Arc::new(Mutex::new(Some(work)));
    let theirs = Arc::clone(&untaken);
    let begun = begin(&Handle::current(), move || {
        take(&theirs).map(|work| work(Place::Thread))
    });
    let Some(mut task) = begun else {
        let work = take(&untaken).expect("no thread has come since");
        return work(Place::Here);
    };
    let ended = match limit {
        None => (&mut task).await,
        Some(limit) => match timeout(limit, &mut task).await {
            Ok(ended) => ended,
            Err(_) => match take(&untaken) {
                Some(work) => return work(Place::Here),
                None => task.await,
            },
        },
    };
    match ended {
        Ok(done) => done.expect("nobody else takes what is waited for"),
        // Blocking tasks are never cancelled here, so this is a panic: let it end the session.
        Err(error) => resume_unwind(error.into_panic()),
    }
}

/// Takes what nobody has taken yet.
fn take<F>(place: &Mutex<Option<F>>) -> Option<F> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// `None`: there is no thread. The work stays in the queue of the pool all the same.
fn begin<T: Send + 'static>(
    runtime: &Handle,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<JoinHandle<T>> {
    LazyLock::force(&QUIET);
    IS_EXPECTED.set(true);
    let begun = catch_unwind(AssertUnwindSafe(|| runtime.spawn_blocking(work)));
    IS_EXPECTED.set(false);
    if begun.is_err() {
        tell();
    }
    begun.ok()
}

thread_local! {
    /// A panic of tokio's is no fault here.
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps such a panic from being written to standard error.
static QUIET: LazyLock<()> = LazyLock::new(|| {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        if !IS_EXPECTED.get() {
            before(panic);
        }
    }));
});

/// Tells the log, once in a while.
fn tell() {
    static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
        *told = Some(Instant::now());
        warn!("no thread to be had: raise the limit of processes (ulimit -u, TasksMax, pids)");
    }
}

/// Waits for what a disk may hold up, and says so when it does.
pub(crate) async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    match timeout(PATIENCE, work.as_mut()).await {
        Ok(done) => done,
        Err(_) => {
            warn!(
                "{what} waits for a disk that does not answer: the share's, or that of a file it reads"
            );
            work.await
        }
    }
}

/// Gives `work` to another thread; `false` outside a runtime, and where there is no thread: then it is dropped, here. It
/// may begin late: whoever asked does not wait for its beginning. Nobody hears of its panic.
pub(crate) fn help(work: impl FnOnce() + Send + 'static) -> bool {
    let work = Arc::new(Mutex::new(Some(work)));
    let theirs = Arc::clone(&work);
    let helps = move || take(&theirs).map_or((), |work| work());
    let begun = Handle::try_current().is_ok_and(|runtime| begin(&runtime, helps).is_some());
    if !begun {
        // Nothing of it may lie in the queue.
        drop(take(&work));
    }
    begun
}
