//! Whoever replaces a file does it alone: an append that looks whether its file is still the one that it
//! began with, and is then renamed over it, must not take another's new one away.

use std::{
    ffi::OsStr,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

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
