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
    fs::{Access, AtFlags, Dir, FileType, Mode, OFlags, accessat, openat, statat, unlinkat},
    io::Errno,
    time::{ClockId, clock_gettime},
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

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What this process may not open (of a former `server.run_as`) may be another server's, whose lock cannot be seen.
/// No upload stands still for so long.
const LET_GO: Duration = Duration::from_secs(3600);

/// When partials have had their time.
#[derive(Clone, Copy, Debug)]
struct Term {
    age: Duration,
    now: SystemTime,
    /// How long the system is up.
    up: Duration,
}

impl Term {
    fn is_over(&self, dir: BorrowedFd<'_>, name: &OsStr) -> bool {
        statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| self.is_over_for(Meta::of(&stat).modified))
    }

    /// A power cut may have taken its name from a whole file, which then is a partial again: what was written
    /// before the system started is there for a day at least in which somebody can look for it. But not for ever,
    /// where it never runs for so long.
    fn is_over_for(&self, modified: SystemTime) -> bool {
        let Ok(idle) = self.now.duration_since(modified) else {
            return false;
        };
        let long = self.age.max(DAY);
        let is_of_now = idle <= self.up;
        idle >= self.age && (is_of_now || self.up >= long || idle >= long.saturating_mul(30))
    }
}

pub(super) fn uptime() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or(Duration::MAX)
}

/// Removes the partials below `root` that nobody has written to for `age`; returns how many.
///
/// Links are not followed, and a partial that an upload holds stays.
pub(in crate::share) fn sweep(
    root: BorrowedFd<'_>,
    age: Duration,
    now: SystemTime,
) -> io::Result<usize> {
    let up = uptime();
    let (term, mut removed) = (Term { age, now, up }, 0);
    let root = openat(root, ".", DIRECTORY, Mode::empty())?;
    let below = sweep_one(&root, term, &mut removed);
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
        let below = sweep_one(&dir, term, &mut removed);
        if way.len() < DEEPEST {
            way.push((dir, below));
        }
    }
    Ok(removed)
}

/// Sweeps one directory; returns the names in it that are, or may be, directories.
fn sweep_one(dir: &OwnedFd, term: Term, removed: &mut usize) -> Vec<OsString> {
    let mut below = Vec::new();
    let entries = Dir::read_from(dir).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if is_partial(name) {
            *removed += usize::from(remove_over(dir.as_fd(), name, term));
        } else if name != "." && name != ".." {
            // Some disks do not tell the kind with the name.
            let may_be_dir = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
            below.extend(may_be_dir.then(|| name.to_owned()));
        }
    }
    below
}

fn remove_over(dir: BorrowedFd<'_>, name: &OsStr, term: Term) -> bool {
    let is_over = || term.is_over(dir, name);
    is_over() && remove_if(dir, name, &is_over)
}

pub(super) fn remove_idle(dir: BorrowedFd<'_>, name: &OsStr) -> bool {
    remove_if(dir, name, &|| true)
}

/// Removes a partial that nobody holds, if it is still meant: somebody may have gone on with it before it was locked, and
/// have been broken off again.
fn remove_if(dir: BorrowedFd<'_>, name: &OsStr, is_meant: &dyn Fn() -> bool) -> bool {
    let attempt = open_locked(dir, name, OFlags::empty());
    let goes = match &attempt {
        // An empty one may have been made by this look.
        Ok(Attempt::Held(partial)) => partial.kept == 0 || is_meant(),
        // Nobody can go on with it, whoever put it there.
        Ok(Attempt::Foreign { idle: true }) => is_meant(),
        Ok(Attempt::Foreign { idle: false }) => was_let_go(dir, name) && is_meant(),
        _ => false,
    };
    goes && unlinkat(dir, name, AtFlags::empty()).is_ok()
}

/// Tells whether this process may not open it, and nobody has written to it for long.
fn was_let_go(dir: BorrowedFd<'_>, name: &OsStr) -> bool {
    let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
    let asked = accessat(dir, name, Access::READ_OK | Access::WRITE_OK, flags);
    let term = Term {
        age: LET_GO,
        now: SystemTime::now(),
        up: Duration::MAX,
    };
    asked == Err(Errno::ACCESS) && term.is_over(dir, name)
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

#[cfg(test)]
mod tests;
