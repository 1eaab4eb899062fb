//! A partial's file, opened and locked: never one that somebody else has put in its place.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{
        AtFlags, FileType, FlockOperation, Mode, OFlags, Stat, fcntl_setfl, flock, fstat,
        ftruncate, openat, statat, unlinkat,
    },
    io::Errno,
    process::geteuid,
};

use super::{PARTIAL, Partial};
use crate::share::FileId;

pub(super) enum Attempt {
    Held(Partial),
    Busy(File),
    Vanished,
    /// Somebody else has put something there, who could read and change what is written to it. `idle`:
    /// nobody holds it.
    Foreign {
        idle: bool,
    },
}

const LOOK: AtFlags = AtFlags::SYMLINK_NOFOLLOW;

/// Tells whether this process made it, and nobody has another name for it.
fn is_ours(dir: BorrowedFd<'_>, stat: &Stat) -> bool {
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let us = geteuid().as_raw();
    // Some disks give all their files to one user: then that is the owner of a new one too.
    is_file && stat.st_nlink <= 1 && (stat.st_uid == us || owner_of_new(dir) == Some(stat.st_uid))
}

fn owner_of_new(dir: BorrowedFd<'_>) -> Option<u32> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).ok()?;
    let name = format!("{PARTIAL}{:016x}", u64::from_ne_bytes(random));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let made = openat(dir, &name, flags, Mode::RUSR | Mode::WUSR).ok()?;
    let owner = fstat(&made).ok().map(|stat| stat.st_uid);
    unlinkat(dir, &name, AtFlags::empty()).ok()?;
    owner
}

/// Opens it, or makes it, and tells whether it was made: most uploads find nothing.
pub(super) fn open_or_make(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    more: OFlags,
) -> Result<(OwnedFd, bool), Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = |more| openat(dir, name, flags | more, Mode::RUSR | Mode::WUSR);
    match open(OFlags::EXCL) {
        // What somebody else has put there may be a FIFO, or under a lease: nobody waits for that.
        Err(Errno::EXIST) if !more.contains(OFlags::EXCL) => {
            open(OFlags::NONBLOCK | OFlags::NOCTTY).map(|fd| (fd, false))
        }
        made => made.map(|fd| (fd, true)),
    }
}

pub(super) fn open_locked(dir: BorrowedFd<'_>, name: &OsStr, more: OFlags) -> io::Result<Attempt> {
    let (fd, is_made) = match open_or_make(dir, name, more) {
        Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => {
            return Ok(Attempt::Foreign { idle: true });
        }
        Err(Errno::WOULDBLOCK) => return Ok(Attempt::Foreign { idle: false }),
        Err(Errno::ACCESS | Errno::PERM) if statat(dir, name, LOOK).is_ok() => {
            return Ok(Attempt::Foreign { idle: false });
        }
        opened => opened?,
    };
    lock_opened(dir, name, more, (fd, is_made))
}

/// Locks what was opened under the name, and looks whether that is still its name.
pub(super) fn lock_opened(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    more: OFlags,
    (fd, is_made): (OwnedFd, bool),
) -> io::Result<Attempt> {
    let is_mine = is_made || is_ours(dir, &fstat(&fd)?);
    match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) if !is_mine => return Ok(Attempt::Foreign { idle: true }),
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) if !is_mine => return Ok(Attempt::Foreign { idle: false }),
        Err(Errno::WOULDBLOCK) => return Ok(Attempt::Busy(File::from(fd))),
        Err(error) => return Err(error.into()),
    }
    // Between open and lock it may have grown, or been published or swept: then the name is another file's.
    let ours = fstat(&fd)?;
    match statat(dir, name, LOOK) {
        Ok(there) if FileId::of(&there) == FileId::of(&ours) => {}
        _ => return Ok(Attempt::Vanished),
    }
    if !is_made {
        fcntl_setfl(&fd, OFlags::empty())?;
        if ours.st_size == 0 && ours.st_blocks > 0 {
            // Room for bytes that a power cut has taken: the file would keep it for good.
            let _only_room = ftruncate(&fd, 0);
        }
    }
    let kept = u64::try_from(ours.st_size).unwrap_or(0);
    Ok(Attempt::Held(Partial {
        file: File::from(fd),
        name: name.to_owned(),
        id: FileId::of(&ours),
        kept,
        is_found_again: !more.contains(OFlags::EXCL),
        is_beside: false,
        rival: None,
    }))
}
