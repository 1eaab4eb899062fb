//! Other threads of the runtime's pool, for work that blocks and for a part of one work.
//!
//! tokio panics where its pool is empty and the system has no thread to give (a limit of processes, or of a
//! container): whoever asks here hears of it instead. A large listing is read and written by several: `share::early` and `verbs::crew` ask here. The
//! pool's threads are there already, mostly, and wake on an idle processor; a new thread begins
//! where it was made, which may be behind the very work that it should take a part of.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread,
};

use tokio::{runtime::Handle, task::JoinHandle};
use tracing::warn;

/// How many threads look at a large directory: one for each processor, four at most. Asked once:
/// the answer comes out of a dozen files.
pub(crate) static THREADS: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, |count| count.get().min(4)));

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
    let place = Arc::new(Mutex::new(Some(work)));
    let theirs = Arc::clone(&place);
    let begun = begin(&Handle::current(), move || {
        take(&theirs).map(|work| work(Place::Thread))
    });
    match begun {
        Some(task) => match task.await {
            Ok(done) => done.expect("nobody else takes what is waited for"),
            // Blocking tasks are never cancelled here, so this is a panic: let it end the session.
            Err(error) => resume_unwind(error.into_panic()),
        },
        None => {
            warn!("no thread to be had: raise the limit of processes (ulimit -u, TasksMax, pids)");
            let work = take(&place).expect("no thread has come since");
            work(Place::Here)
        }
    }
}

/// Takes what nobody has taken yet.
pub(crate) fn take<F>(place: &Mutex<Option<F>>) -> Option<F> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// `None`: there is no thread. The work stays in the queue of the pool, and is dropped or run at some time.
fn begin<T: Send + 'static>(
    runtime: &Handle,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<JoinHandle<T>> {
    catch_unwind(AssertUnwindSafe(|| runtime.spawn_blocking(work))).ok()
}

/// Gives `work` to another thread; `false` outside a runtime, and where there is no thread. It may begin late: whoever
/// asked does not wait for its beginning. Nobody hears of its panic.
pub(crate) fn help(work: impl FnOnce() + Send + 'static) -> bool {
    Handle::try_current().is_ok_and(|runtime| begin(&runtime, work).is_some())
}
