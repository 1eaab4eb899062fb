//! Other threads of the runtime's pool, for a part of one work.
//!
//! A large listing is read and written by several: `share::early` and `verbs::crew` ask here. The
//! pool's threads are there already, mostly, and wake on an idle processor; a new thread begins
//! where it was made, which may be behind the very work that it should take a part of.

use std::{sync::LazyLock, thread};

use tokio::runtime::Handle;

/// How many threads look at a large directory: one for each processor, four at most. Asked once:
/// the answer comes out of a dozen files.
pub(crate) static THREADS: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, |count| count.get().min(4)));

/// Gives `work` to another thread; `false` outside a runtime. It may begin late: whoever asked does
/// not wait for its beginning. Nobody hears of its panic.
pub(crate) fn help(work: impl FnOnce() + Send + 'static) -> bool {
    Handle::try_current().is_ok_and(|runtime| {
        runtime.spawn_blocking(work);
        true
    })
}
