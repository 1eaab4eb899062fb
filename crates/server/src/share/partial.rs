//! Partials: hidden files that hold an upload until it is whole.
//!
//! A partial's name is made of the account, the final name and what stood under it, so that the same
//! user can go on with it as long as nobody has changed the file meanwhile; while an upload runs, its
//! partial is locked (`flock`). A second upload to the same name gets a partial of its own, and so
//! does every guest. What nobody finished is swept after `keep_partial_for`.

mod sweep;

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::SystemTime,
};

use rustix::{
    fs::{
        AtFlags, FileType, FlockOperation, Mode, OFlags, Stat, fcntl_setfl, flock, fstat, openat,
        statat, unlinkat,
    },
    io::Errno,
    process::geteuid,
};
use sha2::{Digest as _, Sha256};

use ftp_config::SharePath;

use self::sweep::remove_idle;
pub(super) use self::sweep::{remove_all_if_alone, sweep};
use super::{
    ShareError,
    holders::{Found, take_over},
    jail::Holder,
    names::{self, PARTIAL},
};
use crate::account::Account;

/// A locked partial.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) file: File,
    pub(super) name: OsString,
    /// Bytes it held when it was opened.
    pub(super) kept: u64,
    /// Whether a later upload can go on with it: its name is not one by chance.
    pub(super) is_found_again: bool,
    /// What was kept under this name before can be no part of it any more.
    pub(super) is_beside: bool,
}

impl Partial {
    /// Removes it. The lock is still held: nobody can have opened it to go on with it.
    pub(super) fn remove(&self, dir: BorrowedFd<'_>) {
        let _ = unlinkat(dir, &self.name, AtFlags::empty());
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
    let hex: String = digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    OsString::from(format!("{PARTIAL}{hex}"))
}

/// Opens the partial of `account` and `name` in `dir` and locks it; when another upload holds it, and
/// for a guest, a fresh one. `goes_on`: the client means the bytes that are kept, so an upload that
/// has stood still for a while has to let go of them; until then it is [`io::ErrorKind::WouldBlock`].
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
            Attempt::Held(partial) => return Ok(partial),
            Attempt::Vanished => {}
            Attempt::Foreign { .. } => {
                return open_fresh(dir, &kept).map(|partial| Partial {
                    is_beside: true,
                    ..partial
                });
            }
            Attempt::Busy(file) if goes_on => match take_over(&file, SystemTime::now()) {
                Found::Stopped => {}
                Found::Quiet => return Err(io::ErrorKind::WouldBlock.into()),
                Found::Alive => break,
            },
            Attempt::Busy(_) => break,
        }
    }
    open_fresh(dir, &kept)
}

/// Opens a partial of this upload alone.
fn open_fresh(dir: BorrowedFd<'_>, kept: &OsStr) -> io::Result<Partial> {
    for _ in 0..16 {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let mut fresh = kept.to_owned();
        fresh.push(format!("-{:016x}", u64::from_ne_bytes(random)));
        if let Attempt::Held(partial) = open_locked(dir, &fresh, OFlags::EXCL)? {
            return Ok(partial);
        }
    }
    Err(io::Error::from(io::ErrorKind::ResourceBusy))
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
            Errno::EXIST | Errno::NOSPC | Errno::DQUOT | Errno::ROFS | Errno::ACCESS
        ),
    }
}

/// Removes what `account` kept of uploads to a name under which `base` stood, if nobody goes on with it
/// now. Where a name is to be free again a later APPE must not begin with those bytes; where another
/// file has it, nobody can go on with them.
pub(super) fn forget(dir: BorrowedFd<'_>, account: &Account, name: &OsStr, base: Option<Base>) {
    let kept = kept_name(account.name.as_str(), name, base);
    if statat(dir, &kept, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
        remove_idle(dir, &kept);
    }
}

enum Attempt {
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
fn open_or_make(dir: BorrowedFd<'_>, name: &OsStr, more: OFlags) -> Result<(OwnedFd, bool), Errno> {
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

fn open_locked(dir: BorrowedFd<'_>, name: &OsStr, more: OFlags) -> io::Result<Attempt> {
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
        Ok(there) if there.st_ino == ours.st_ino && there.st_dev == ours.st_dev => {}
        _ => return Ok(Attempt::Vanished),
    }
    if !is_made {
        fcntl_setfl(&fd, OFlags::empty())?;
    }
    let kept = u64::try_from(ours.st_size).unwrap_or(0);
    Ok(Attempt::Held(Partial {
        file: File::from(fd),
        name: name.to_owned(),
        kept,
        is_found_again: !more.contains(OFlags::EXCL),
        is_beside: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftp_config::{ByteRate, Rights, SharePath};
    use std::{io::Write as _, time::Duration};

    fn account(name: &str, anonymous: bool) -> Account {
        Account {
            name: name.parse().unwrap(),
            anonymous,
            home: SharePath::root(),
            rights: Rights::READ_WRITE,
            rate_down: ByteRate(0),
            rate_up: ByteRate(0),
            max_sessions: 0,
        }
    }

    fn open(dir: BorrowedFd<'_>, user: &str, name: &OsStr) -> io::Result<Partial> {
        super::open(dir, &account(user, false), name, None, false)
    }

    #[test]
    fn a_changed_file_and_a_guest_have_partials_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let handle = File::open(dir.path()).unwrap();
        let (name, ann) = (OsStr::new("a"), account("ann", false));
        let base = |bytes: &str| {
            std::fs::write(dir.path().join("a"), bytes).unwrap();
            Some(Base::of(&statat(&handle, name, AtFlags::empty()).unwrap()))
        };
        let opened = |account: &Account, base| {
            super::open(handle.as_fd(), account, name, base, false)
                .unwrap()
                .name
        };
        let (one, two) = (base("1"), base("22"));
        assert_eq!(opened(&ann, one), opened(&ann, one));
        assert_ne!(opened(&ann, one), opened(&ann, two));
        assert_ne!(opened(&ann, one), opened(&ann, None));
        let guest = account("anonymous", true);
        assert_ne!(opened(&guest, one), opened(&guest, one));
        let again = |account| super::open(handle.as_fd(), account, name, one, false).unwrap();
        assert!(again(&ann).is_found_again && !again(&guest).is_found_again);
    }

    #[test]
    fn what_somebody_else_has_put_in_a_partials_place_is_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let handle = File::open(dir.path()).unwrap();
        let name = OsStr::new("a");
        let kept = open(handle.as_fd(), "ann", name).unwrap().name;
        let at = dir.path().join(&kept);
        let lay: [(&str, &dyn Fn() -> bool); 5] = [
            ("FIFO", &|| {
                nix::unistd::mkfifo(&at, nix::sys::stat::Mode::S_IRWXU).is_ok()
            }),
            ("directory", &|| std::fs::create_dir(&at).is_ok()),
            ("link", &|| {
                std::os::unix::fs::symlink("elsewhere", &at).is_ok()
            }),
            ("second name", &|| {
                let other = dir.path().join("other");
                std::fs::write(&other, "theirs").unwrap();
                std::fs::hard_link(&other, &at).is_ok()
            }),
            // Only root can try this one.
            ("another's", &|| {
                std::fs::write(&at, "theirs").unwrap();
                std::os::unix::fs::chown(&at, Some(777), None).is_ok()
            }),
        ];
        for (what, lay) in lay {
            std::fs::remove_file(&at)
                .or_else(|_| std::fs::remove_dir(&at))
                .unwrap();
            if !lay() {
                eprintln!("SKIPPED: only root may give files away");
                continue;
            }
            let partial = open(handle.as_fd(), "ann", name).unwrap();
            assert_ne!(partial.name, kept, "{what}");
            assert_eq!(partial.kept, 0, "{what}");
            partial.remove(handle.as_fd());
        }
        assert!(!dir.path().join("elsewhere").exists());
    }

    #[test]
    fn the_same_user_gets_the_same_partial_back_and_a_rival_another() {
        let dir = tempfile::tempdir().unwrap();
        let handle = File::open(dir.path()).unwrap();
        let name = OsStr::new("a.iso");
        let mut first = open(handle.as_fd(), "ann", name).unwrap();
        first.file.write_all(b"123").unwrap();
        let second = open(handle.as_fd(), "ann", name).unwrap();
        assert_ne!(first.name, second.name);
        let kept = first.name.clone();
        drop((first, second));
        let again = open(handle.as_fd(), "ann", name).unwrap();
        assert_eq!((again.name, again.kept), (kept.clone(), 3));
        assert_ne!(open(handle.as_fd(), "bob", name).unwrap().name, kept);
    }

    #[test]
    fn the_sweep_takes_only_what_is_old_and_idle() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("file"), "x").unwrap();
        let sub = File::open(dir.path().join("sub")).unwrap();
        let root = File::open(dir.path()).unwrap();
        drop(open(sub.as_fd(), "ann", OsStr::new("idle")).unwrap());
        let held = open(root.as_fd(), "ann", OsStr::new("held")).unwrap();
        let now = SystemTime::now();
        assert_eq!(
            sweep(root.as_fd(), Duration::from_secs(60), now).unwrap(),
            0
        );
        let later = now + Duration::from_secs(61);
        assert_eq!(
            sweep(root.as_fd(), Duration::from_secs(60), later).unwrap(),
            1
        );
        assert!(dir.path().join(&held.name).exists());
        assert!(dir.path().join("file").exists());
    }

    #[test]
    fn the_sweep_reaches_every_directory_however_many_and_deep() {
        let dir = tempfile::tempdir().unwrap();
        let root = File::open(dir.path()).unwrap();
        let deep: std::path::PathBuf = (0..100).map(|_| "d").collect();
        let wide = (0..300).map(|i| std::path::PathBuf::from(format!("w{i}")));
        let places: Vec<_> = wide.chain([deep]).collect();
        for place in &places {
            let place = dir.path().join(place);
            std::fs::create_dir_all(&place).unwrap();
            let handle = File::open(place).unwrap();
            drop(open(handle.as_fd(), "ann", OsStr::new("a")).unwrap());
        }
        let later = SystemTime::now() + Duration::from_secs(61);
        let swept = sweep(root.as_fd(), Duration::from_secs(60), later).unwrap();
        assert_eq!(swept, places.len());
    }
}
