//! Who writes to which partial: a client whose line broke comes back while its old session, which
//! cannot know that yet, still holds what it goes on with.

use std::{
    collections::BTreeMap,
    fs::File,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
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
    /// Somebody waits until it lets go.
    is_awaited: bool,
}

static HOLDERS: Mutex<Holders> = Mutex::new(BTreeMap::new());
static FREED: Condvar = Condvar::new();

fn holders() -> MutexGuard<'static, Holders> {
    HOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The entry of a running upload. Dropped, the partial is free: it must outlive the lock.
#[derive(Debug)]
pub(super) struct Hold(FileId);

impl Hold {
    /// Enters the upload that writes to this partial.
    pub(super) fn enter(partial: FileId, stop: Arc<dyn Fn() + Send + Sync>) -> Self {
        let is_awaited = false;
        holders().insert(partial, Writer { stop, is_awaited });
        Self(partial)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let gone = holders().remove(&self.0);
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
    let stop = holders().get_mut(&id).map(|writer| {
        writer.is_awaited = true;
        Arc::clone(&writer.stop)
    });
    let Some(stop) = stop else {
        return false;
    };
    stop();
    let held = |all: &mut Holders| all.contains_key(&id);
    let waited = FREED.wait_timeout_while(holders(), LETTING_GO, held);
    !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
}

fn look_at(partial: &File) -> Option<(FileId, SystemTime)> {
    let stat = fstat(partial).ok()?;
    let Meta { id, modified, .. } = Meta::of(&stat);
    Some((id, modified))
}
