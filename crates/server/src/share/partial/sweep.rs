//! Partials that nobody goes on with: they go when they are old, or in the way.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat, unlinkat},
    io::Errno,
};

use super::{Attempt, open_locked};
use crate::share::{Meta, names::is_partial};

/// How a directory is opened for sweeping.
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Directories deeper than this are not swept: each level on the way holds a handle open.
const DEEPEST: usize = 256;

/// Removes the partials below `root` that nobody has written to for `age`; returns how many.
///
/// Links are not followed, and a partial that an upload holds stays.
pub(in crate::share) fn sweep(
    root: BorrowedFd<'_>,
    age: Duration,
    now: SystemTime,
) -> io::Result<usize> {
    let mut removed = 0;
    let root = openat(root, ".", DIRECTORY, Mode::empty())?;
    let below = sweep_one(&root, age, now, &mut removed);
    // Depth first: a handle for each level on the way down, names for what waits beside it.
    let mut way = vec![(root, below)];
    while let Some((dir, waiting)) = way.last_mut() {
        let Some(name) = waiting.pop() else {
            way.pop();
            continue;
        };
        let Ok(dir) = openat(&*dir, &name, DIRECTORY, Mode::empty()) else {
            continue;
        };
        let below = sweep_one(&dir, age, now, &mut removed);
        if way.len() < DEEPEST {
            way.push((dir, below));
        }
    }
    Ok(removed)
}

/// Sweeps one directory; returns the names in it that are, or may be, directories.
fn sweep_one(dir: &OwnedFd, age: Duration, now: SystemTime, removed: &mut usize) -> Vec<OsString> {
    let mut below = Vec::new();
    let entries = Dir::read_from(dir).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if is_partial(name) {
            if is_old(dir.as_fd(), name, age, now) {
                *removed += usize::from(remove_idle(dir.as_fd(), name));
            }
        } else if name != "." && name != ".." {
            // Some disks do not tell the kind with the name.
            let may_be_dir = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
            below.extend(may_be_dir.then(|| name.to_owned()));
        }
    }
    below
}

fn is_old(dir: BorrowedFd<'_>, name: &OsStr, age: Duration, now: SystemTime) -> bool {
    statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| {
        let modified = Meta::of(&stat).modified;
        now.duration_since(modified).is_ok_and(|idle| idle >= age)
    })
}

pub(super) fn remove_idle(dir: BorrowedFd<'_>, name: &OsStr) -> bool {
    match open_locked(dir, name, OFlags::empty()) {
        Ok(Attempt::Held(partial)) => unlinkat(dir, &partial.name, AtFlags::empty()).is_ok(),
        // Nobody can go on with it, whoever put it there.
        Ok(Attempt::Foreign { idle: true }) => unlinkat(dir, name, AtFlags::empty()).is_ok(),
        _ => false,
    }
}

/// Removes the idle partials of a directory when it holds nothing else, so that RMD can go on.
pub(in crate::share) fn remove_all_if_alone(dir: BorrowedFd<'_>) -> io::Result<()> {
    let mut partials = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = OsString::from(entry.file_name().to_str().unwrap_or(""));
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        if !is_partial(&name) {
            return Err(Errno::NOTEMPTY.into());
        }
        partials.push(name);
    }
    partials.iter().for_each(|name| {
        remove_idle(dir, name);
    });
    Ok(())
}
