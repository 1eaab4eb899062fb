//! Who writes to which partial: a client whose line broke comes back while its old session, which
//! cannot know that yet, still holds what it goes on with.

use std::{
    collections::BTreeMap,
    fs::File,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use rustix::fs::fstat;

use super::{Meta, meta::FileId};

/// An upload that has written nothing for so long has lost its client, as far as its user can tell.
const IDLE: Duration = Duration::from_secs(5);
/// How long a stopped upload may take to let go.
const LETTING_GO: Duration = Duration::from_secs(2);

/// What stops an upload.
type Stop = Arc<dyn Fn() + Send + Sync>;
type Holders = BTreeMap<FileId, Writer>;

/// The upload that writes to a partial.
struct Writer {
    stop: Stop,
    /// Which of all that have held it.
    number: u64,
    /// Since when.
    since: Instant,
    /// Somebody waits until it lets go.
    is_awaited: bool,
    /// What is kept of it is not to be gone on with.
    is_void: bool,
}

static HOLDERS: Mutex<Holders> = Mutex::new(BTreeMap::new());
static FREED: Condvar = Condvar::new();

fn holders() -> MutexGuard<'static, Holders> {
    HOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The entry of a running upload. Dropped, the partial is free: it must outlive the lock.
#[derive(Debug)]
pub(super) struct Hold {
    partial: FileId,
    number: u64,
}

impl Hold {
    /// Enters the upload that writes to this partial.
    pub(super) fn enter(partial: FileId, stop: Arc<dyn Fn() + Send + Sync>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let writer = Writer {
            stop,
            number,
            since: Instant::now(),
            is_awaited: false,
            is_void: false,
        };
        holders().insert(partial, writer);
        Self { partial, number }
    }

    /// Tells whether nobody is to go on with what it leaves.
    pub(super) fn is_void(&self) -> bool {
        let all = holders();
        let writer = all.get(&self.partial);
        writer.is_some_and(|writer| writer.number == self.number && writer.is_void)
    }

    /// Makes it seem to have begun so long ago.
    #[cfg(test)]
    pub(super) fn began_ago(&self, ago: Duration) {
        let since = Instant::now().checked_sub(ago).unwrap();
        if let Some(writer) = holders().get_mut(&self.partial) {
            writer.since = since;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut all = holders();
        // The lock is gone already: the next upload may have entered itself.
        let is_ours = |writer: &Writer| writer.number == self.number;
        if !all.get(&self.partial).is_some_and(is_ours) {
            return;
        }
        let gone = all.remove(&self.partial);
        drop(all);
        if gone.is_some_and(|writer| writer.is_awaited) {
            FREED.notify_all();
        }
    }
}

/// Looks at the upload that holds `partial`; one that stands still is stopped, and waited for. Tells whether it has let go.
/// Blocks.
pub(super) fn take_over(partial: &File, now: SystemTime) -> bool {
    let Some((id, modified)) = look_at(partial) else {
        return false;
    };
    // Where the disk's clock is ahead nothing can be said.
    if !matches!(now.duration_since(modified), Ok(idle) if idle >= IDLE) {
        return false;
    }
    let stop = holders().get_mut(&id).and_then(|writer| {
        // One that has just begun goes on with what was written long ago: its own first byte is still to come.
        if writer.since.elapsed() < IDLE {
            return None;
        }
        writer.is_awaited = true;
        Some(Arc::clone(&writer.stop))
    });
    let Some(stop) = stop else {
        return false;
    };
    stop();
    let held = |all: &mut Holders| all.get(&id).is_some_and(|writer| writer.is_awaited);
    let waited = FREED.wait_timeout_while(holders(), LETTING_GO, held);
    !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
}

/// Notes that nobody is to go on with what the upload that holds `partial` leaves when it breaks: its name is
/// free again, or the same account has sent the file since.
pub(super) fn make_void(partial: &File) {
    if let Some((id, _)) = look_at(partial)
        && let Some(writer) = holders().get_mut(&id)
    {
        writer.is_void = true;
    }
}

fn look_at(partial: &File) -> Option<(FileId, SystemTime)> {
    let stat = fstat(partial).ok()?;
    let Meta { id, modified, .. } = Meta::of(&stat);
    Some((id, modified))
}
