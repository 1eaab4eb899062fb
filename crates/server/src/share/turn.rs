//! Whoever replaces a file does it alone: an append that looks whether its file is still the one that it
//! began with, and is then renamed over it, must not take another's new one away. Within this server turns are taken by
//! names, among all servers of a share by a lock on the directory (flock(2)), which other programs do not heed.

use std::{
    ffi::OsStr,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::fd::OwnedFd,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// How long a lock that is not given at once is asked for again: a server holds it for a rename.
const PAUSE: Duration = Duration::from_micros(200);
/// So often. Who holds it longer is another program, or stands still.
const TRIES: u32 = 4000;
/// So long nobody waits behind a wait in vain.
const GIVEN_UP: Duration = Duration::from_mins(1);

/// Waits for the turn of a name, which lasts until the guard drops. By names, so that a disk that does not
/// answer holds nearly nobody else up.
pub(super) fn take_turn(name: &OsStr) -> MutexGuard<'static, ()> {
    static TURNS: [Mutex<()>; 256] = [const { Mutex::new(()) }; 256];
    let mut hasher = DefaultHasher::new();
    // Some disks do not tell case.
    name.to_ascii_lowercase().hash(&mut hasher);
    let turn = &TURNS[usize::from(hasher.finish() as u8)];
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// Whatever has it.
    Blindly,
    /// After a look at what has it.
    Looking,
}

/// Waits for the turn of a directory, which lasts until [`end_turn`] or the end of the handle. Whoever looks is alone in
/// it. Disks without locks, handles that do not read and who keeps the lock for long are gone on without.
pub(super) fn take_turn_in(dir: &OwnedFd, taking: Taking) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let asked = match taking {
        Taking::Blindly => FlockOperation::NonBlockingLockShared,
        Taking::Looking => FlockOperation::NonBlockingLockExclusive,
    };
    let is_kept = || flock(dir, asked) == Err(Errno::WOULDBLOCK);
    if !is_kept() {
        return;
    }
    let last = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last().is_some_and(|last| last.elapsed() < GIVEN_UP) {
        return;
    }
    for _ in 0..TRIES {
        thread::sleep(PAUSE);
        if !is_kept() {
            return;
        }
    }
    *last() = Some(Instant::now());
}

/// Ends the turn of a directory whose handle is kept.
pub(super) fn end_turn(dir: &OwnedFd) {
    let _was_none = flock(dir, FlockOperation::Unlock);
}
