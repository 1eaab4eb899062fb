//! Partials: hidden files that hold an upload until it is whole.
//!
//! A partial's name is made of the account, the final name and what stood under it, so that the same
//! user can go on with it as long as nobody has changed the file meanwhile; while an upload runs, its
//! partial is locked (`flock`). A second upload to the same name gets a partial of its own, and so
//! does every guest. What nobody finished is swept after `keep_partial_for`.

mod alone;
mod lock;
mod sound;
mod sweep;

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd},
    time::SystemTime,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, statat, unlinkat},
    io::Errno,
};
use sha2::{Digest as _, Sha256};

use ftp_config::SharePath;

use self::{
    alone::open_fresh,
    lock::{Attempt, open_locked},
    sweep::remove_idle,
};
pub(super) use self::{
    sound::{secure, unmark},
    sweep::{remove_all_if_alone, sweep},
};
use super::{
    ShareError,
    holders::{make_void, take_over},
    jail::Holder,
    meta::FileId,
    names::{self, PARTIAL},
};
use crate::{account::Account, hex};

/// A locked partial.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) file: File,
    pub(super) name: OsString,
    /// What tells it from all other files.
    pub(super) id: FileId,
    /// Bytes it held when it was opened.
    pub(super) kept: u64,
    /// Whether a later upload can go on with it: its name is not one by chance.
    pub(super) is_found_again: bool,
    /// What was kept under this name before can be no part of it any more.
    pub(super) is_beside: bool,
    /// What another upload of the same file writes to, whose client may be this one, back on another line.
    pub(super) rival: Option<Rival>,
}

/// A partial that another upload holds.
#[derive(Debug)]
pub(super) struct Rival {
    pub(super) file: File,
    name: OsString,
}

impl Partial {
    /// Removes it. The lock is still held: nobody can have opened it to go on with it.
    pub(super) fn remove(&self, dir: BorrowedFd<'_>) {
        if !self.is_gone(dir) {
            let _ = unlinkat(dir, &self.name, AtFlags::empty());
        }
    }

    /// Tells whether another program has removed it: the name may be that of another upload by now.
    pub(super) fn is_gone(&self, dir: BorrowedFd<'_>) -> bool {
        let look = || statat(dir, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        // Some disks count no names.
        fstat(&self.file).is_ok_and(|ours| ours.st_nlink == 0)
            && !look().is_ok_and(|there| FileId::of(&there) == self.id)
    }

    /// Forgets what another upload of the same file has: this one has the name now.
    pub(super) fn forget_rival(&self, dir: BorrowedFd<'_>) {
        if let Some(rival) = &self.rival {
            forget_kept(dir, &rival.name);
        }
    }
}

/// What stands under a final name: enough to see that it was changed or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base([u64; 5]);

impl Base {
    pub(super) fn of(stat: &Stat) -> Self {
        let number = |n: i64| u64::from_ne_bytes(n.to_ne_bytes());
        Self([
            stat.st_dev,
            stat.st_ino,
            number(stat.st_size),
            number(stat.st_mtime),
            stat.st_mtime_nsec,
        ])
    }
}

/// Returns the name under which `user` keeps an unfinished upload of `name`, where `base` stood.
fn kept_name(user: &str, name: &OsStr, base: Option<Base>) -> OsString {
    let mut hash = Sha256::new();
    hash.update(user.as_bytes());
    hash.update([0]);
    hash.update(name.as_encoded_bytes());
    if let Some(Base(facts)) = base {
        hash.update([0]);
        facts
            .iter()
            .for_each(|fact| hash.update(fact.to_ne_bytes()));
    }
    let digest = hash.finalize();
    OsString::from(format!("{PARTIAL}{}", hex::of(&digest[..12])))
}

/// Opens the partial of `account` and `name` in `dir` and locks it; when another upload holds it, and
/// for a guest, a fresh one. `goes_on`: the client means the bytes that are kept, so an upload that
/// has stood still for a while has to let go of them; until then it is [`io::ErrorKind::WouldBlock`]. A fresh one would begin
/// with bytes of the file that is there.
pub(super) fn open(
    dir: BorrowedFd<'_>,
    account: &Account,
    name: &OsStr,
    base: Option<Base>,
    goes_on: bool,
) -> io::Result<Partial> {
    let kept = kept_name(account.name.as_str(), name, base);
    let tries = if account.anonymous { 0 } else { 16 };
    for _ in 0..tries {
        match open_locked(dir, &kept, OFlags::empty())? {
            Attempt::Held(torn) if torn.kept > 0 && !sound::is_sound(&torn.file) => {
                torn.remove(dir);
            }
            Attempt::Held(partial) => return Ok(partial),
            Attempt::Vanished => {}
            Attempt::Foreign { .. } => {
                return open_fresh(dir, &kept).map(|partial| Partial {
                    is_beside: true,
                    ..partial
                });
            }
            Attempt::Busy(file) if goes_on => {
                if !take_over(&file, SystemTime::now()) {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
            }
            Attempt::Busy(file) => {
                let partial = open_fresh(dir, &kept)?;
                let rival = Some(Rival { file, name: kept });
                return Ok(Partial { rival, ..partial });
            }
        }
    }
    open_fresh(dir, &kept)
}

/// Refuses a name that the disk can hold no file under.
pub(super) fn ensure_held(holder: &Holder, path: &SharePath) -> Result<(), ShareError> {
    match path.name().and_then(names::odd_part) {
        Some(odd) if !can_hold(holder.dir.as_fd(), &odd) => Err(ShareError::Name {
            path: path.clone(),
            why: "the server's disk cannot hold it",
        }),
        _ => Ok(()),
    }
}

/// Tells whether the disk can hold a name with these characters: it takes a hidden one with them.
fn can_hold(dir: BorrowedFd<'_>, odd: &str) -> bool {
    let name = names::to_disk(&format!("{PARTIAL}{odd}"));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    match openat(dir, &name, flags, Mode::RUSR | Mode::WUSR) {
        Ok(_) => unlinkat(dir, &name, AtFlags::empty()).is_ok(),
        // What else stands in the way is told when the partial itself is made.
        Err(error) => matches!(
            error,
            Errno::EXIST
                | Errno::NOSPC
                | Errno::DQUOT
                | Errno::ROFS
                | Errno::ACCESS
                | Errno::MFILE
                | Errno::NFILE
                | Errno::NOMEM
                | Errno::STALE
        ),
    }
}

/// Tells whether the disk refuses a new file because it is read-only: it is asked for a hidden one.
pub(super) fn is_refused(dir: BorrowedFd<'_>) -> bool {
    let name = OsString::from(format!("{PARTIAL}{}", std::process::id()));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let asked = openat(dir, &name, flags, Mode::RUSR | Mode::WUSR);
    if asked.is_ok() {
        let _swept_otherwise = unlinkat(dir, &name, AtFlags::empty());
    }
    asked.err() == Some(Errno::ROFS)
}

/// Removes what `account` kept of uploads to a name under which `base` stood; what is still held goes when it
/// is let go of unfinished. Where a name is to be free again a later APPE must not begin with those bytes; where another
/// file has it, nobody can go on with them.
pub(super) fn forget(dir: BorrowedFd<'_>, account: &Account, name: &OsStr, base: Option<Base>) {
    forget_kept(dir, &kept_name(account.name.as_str(), name, base));
}

fn forget_kept(dir: BorrowedFd<'_>, kept: &OsStr) {
    if statat(dir, kept, AtFlags::SYMLINK_NOFOLLOW).is_err() {
        return;
    }
    let held = match open_locked(dir, kept, OFlags::empty()) {
        Ok(Attempt::Busy(held)) => Some(held),
        _ => None,
    };
    match held {
        Some(held) => make_void(&held),
        None => drop(remove_idle(dir, kept)),
    }
}

#[cfg(test)]
mod tests;
