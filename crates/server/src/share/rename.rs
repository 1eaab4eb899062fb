//! Renames: those of a client, and those that never replace, also on disks whose own rename always does.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    sync::{Mutex, PoisonError},
};

use ftp_config::{Right, SharePath, server::OnDuplicate};
use rustix::{
    fs::{
        AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat, fstat, linkat, openat, renameat,
        renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::{
    Home, ShareError,
    jail::{Holder, file_type},
    meta::FileId,
    names,
    partial::{self, Base},
    turn::take_turn,
};

impl Home {
    /// Checks that `path` may be renamed (RNFR).
    ///
    /// # Errors
    /// No right to rename, nothing there, or the root.
    pub fn check_rename_from(&self, path: &SharePath) -> Result<(), ShareError> {
        self.need(Right::Rename, path)?;
        names::check(path)?;
        let holder = self.parent_of(path)?;
        holder
            .lstat()
            .map(|_| ())
            .map_err(|error| self.explain(path, error))
    }

    /// Gives `from` the name `to` (RNTO); onto a file that exists only with the right to overwrite.
    ///
    /// # Errors
    /// A missing right, a name that is taken or not allowed, a directory into itself.
    pub fn rename(&self, from: &SharePath, to: &SharePath) -> Result<(), ShareError> {
        self.check_rename_from(from)?;
        names::check_new(to)?;
        names::check(to)?;
        if from == to {
            return Ok(());
        }
        let below = format!("{from}/");
        if to.as_str().starts_with(&below) {
            return Err(ShareError::IntoItself { path: from.clone() });
        }
        let (source, target) = (self.parent_of(from)?, self.place_of(to)?);
        let replace = self.account.rights.allows(Right::Overwrite)
            && self.shared.uploads.on_duplicate == OnDuplicate::Overwrite;
        let base = target.lstat().ok().as_ref().map(Base::of);
        let renamed = if replace {
            let _turn = take_turn(&target.name);
            renameat(&source.dir, &source.name, &target.dir, &target.name)
        } else {
            rename_to_free(&source.dir, &source.name, &target.dir, &target.name)
        };
        match renamed {
            Ok(()) => {
                remove_second_name(&source, &target);
                partial::forget(target.dir.as_fd(), &self.account, &target.name, base);
                Ok(())
            }
            Err(Errno::EXIST) if !self.account.rights.allows(Right::Overwrite) => {
                self.need(Right::Overwrite, to)
            }
            Err(Errno::INVAL) => {
                partial::ensure_held(&target, to)?;
                Err(ShareError::IntoItself { path: from.clone() })
            }
            Err(Errno::XDEV) => Err(ShareError::OtherDisk { path: to.clone() }),
            Err(error) => Err(self.explain(to, error.into())),
        }
    }
}

/// A rename onto another name of the same file leaves both (rename(2)): the first one goes then. Not where
/// both are one name, by a link on the way or on a disk that does not tell them apart.
fn remove_second_name(source: &Holder, target: &Holder) {
    let is_one = |one: &Stat, other: &Stat| FileId::of(one) == FileId::of(other);
    if source.lstat().is_err() {
        // The usual end of a rename.
        return;
    }
    // One at a time: two that go each to the other's name would lose both.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Ok(old), Ok(new)) = (source.lstat(), target.lstat())
        && is_one(&old, &new)
        && new.st_nlink > 1
        && file_type(&new) == FileType::RegularFile
        && let (Ok(here), Ok(there)) = (fstat(&source.dir), fstat(&target.dir))
        && !(is_one(&here, &there) && source.name == target.name)
        && lists(source)
        && lists(target)
    {
        let _stays = unlinkat(&source.dir, &source.name, AtFlags::empty());
    }
}

/// Tells whether the directory has an entry of exactly this name.
fn lists(holder: &Holder) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(dir) = openat(&holder.dir, ".", flags, Mode::empty()) else {
        return false;
    };
    let mut entries = Dir::read_from(dir).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_bytes() == holder.name.as_bytes())
}

/// Gives a file or directory a name that must be free.
///
/// Disks that cannot rename without replacing (NFS, some FUSE) get a file's second name by a link,
/// which is as careful, and lose the first one then. Where there are no links either (FAT, exFAT) the name
/// is reserved first: whoever comes meanwhile finds it taken. A directory needs neither: at most it
/// takes the place of an empty one that somebody has made meanwhile.
pub(super) fn rename_to_free(
    from_dir: &OwnedFd,
    from: &OsStr,
    to_dir: &OwnedFd,
    to: &OsStr,
) -> Result<(), Errno> {
    match renameat_with(from_dir, from, to_dir, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => match link_then_unlink(from_dir, from, to_dir, to) {
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => {
                look_then_rename(from_dir, from, to_dir, to)
            }
            Err(Errno::IO) => rename_in_turn(from_dir, from, to_dir, to),
            other => other,
        },
        other => other,
    }
}

fn link_then_unlink(
    from_dir: &OwnedFd,
    from: &OsStr,
    to_dir: &OwnedFd,
    to: &OsStr,
) -> Result<(), Errno> {
    linkat(from_dir, from, to_dir, to, AtFlags::empty())?;
    match unlinkat(from_dir, from, AtFlags::empty()) {
        // A disk behind a network may have been asked twice.
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        // The new name stays: such a disk may have done what it says it has not, and the file would have none.
        // Nor is there another way to be tried.
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => Err(Errno::ACCESS),
        Err(error) => Err(error),
    }
}

/// Renames to a name that is free, where a link was refused with EIO: so `rclone mount` answers to all that it lacks. It
/// stores an empty file late, over what has the name then, so none reserves it; uploads wait for each other.
fn rename_in_turn(
    from_dir: &OwnedFd,
    from: &OsStr,
    to_dir: &OwnedFd,
    to: &OsStr,
) -> Result<(), Errno> {
    let _turn = take_turn(to);
    match statat(to_dir, to, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => renameat(from_dir, from, to_dir, to),
        // It may be the link, made in spite of the error.
        _ => Err(Errno::IO),
    }
}

/// Looks whether the name is free; a file reserves it by an empty one, and is renamed over that.
fn look_then_rename(
    from_dir: &OwnedFd,
    from: &OsStr,
    to_dir: &OwnedFd,
    to: &OsStr,
) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if openat(from_dir, from, flags, Mode::empty()).is_ok() {
        return match statat(to_dir, to, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(Errno::EXIST),
            Err(_) => renameat(from_dir, from, to_dir, to),
        };
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    // Closed before the rename: some disks write out at a close, to what has the name then.
    let reserved = fstat(openat(to_dir, to, flags, Mode::RUSR | Mode::WUSR)?);
    let renamed = renameat(from_dir, from, to_dir, to);
    if renamed.is_err()
        && let Ok(reserved) = reserved
    {
        free_again(to_dir, to, &reserved);
    }
    renamed
}

/// Gives a name back that is still that of the empty file which reserves it. A disk behind a network may have done what
/// it says it has not: then it is the only name of the one that was renamed.
fn free_again(dir: &OwnedFd, name: &OsStr, reserved: &Stat) {
    if let Ok(there) = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        && there.st_size == 0
        && FileId::of(&there) == FileId::of(reserved)
    {
        let _ = unlinkat(dir, name, AtFlags::empty());
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::unix::fs::symlink};

    use super::*;
    use crate::share::tests::{Bed, path};
    use ftp_config::Rights;

    type Way = fn(&OwnedFd, &OsStr, &OwnedFd, &OsStr) -> Result<(), Errno>;

    #[test]
    fn the_ways_without_noreplace_never_replace() {
        for way in [link_then_unlink as Way, look_then_rename] {
            let dir = tempfile::tempdir().unwrap();
            let handle = OwnedFd::from(File::open(dir.path()).unwrap());
            let at = |name: &str| dir.path().join(name);
            std::fs::write(at("part"), "new").unwrap();
            std::fs::write(at("taken"), "old").unwrap();
            let act = |from: &str, to: &str| way(&handle, from.as_ref(), &handle, to.as_ref());
            assert_eq!(act("part", "taken"), Err(Errno::EXIST));
            act("part", "free").unwrap();
            assert_eq!(std::fs::read(at("free")).unwrap(), b"new");
            assert_eq!(std::fs::read(at("taken")).unwrap(), b"old");
            assert!(!at("part").exists());
        }
    }

    #[test]
    fn a_directory_takes_only_a_free_name_and_a_failure_leaves_that_free() {
        let dir = tempfile::tempdir().unwrap();
        let handle = OwnedFd::from(File::open(dir.path()).unwrap());
        let at = |name: &str| dir.path().join(name);
        for name in ["tree/deep", "empty"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        std::fs::write(at("file"), "old").unwrap();
        let act =
            |from: &str, to: &str| look_then_rename(&handle, from.as_ref(), &handle, to.as_ref());
        let link = link_then_unlink(&handle, "tree".as_ref(), &handle, "free".as_ref());
        assert_eq!(link, Err(Errno::PERM));
        for taken in ["empty", "file"] {
            assert_eq!(act("tree", taken), Err(Errno::EXIST));
        }
        assert_eq!(act("tree", "tree/deep/tree"), Err(Errno::INVAL));
        assert_eq!(act("missing", "free"), Err(Errno::NOENT));
        assert!(!at("tree/deep/tree").exists() && !at("free").exists());
        act("tree", "free").unwrap();
        assert!(at("free/deep").is_dir() && !at("tree").exists());
    }

    #[test]
    fn a_disk_without_links_that_says_eio_gets_a_free_name_alone() {
        let dir = tempfile::tempdir().unwrap();
        let handle = OwnedFd::from(File::open(dir.path()).unwrap());
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("part"), "new").unwrap();
        std::fs::write(at("taken"), "old").unwrap();
        let act = |to: &str| rename_in_turn(&handle, "part".as_ref(), &handle, to.as_ref());
        assert_eq!(act("taken"), Err(Errno::IO));
        act("free").unwrap();
        assert_eq!(std::fs::read(at("free")).unwrap(), b"new");
        assert_eq!(std::fs::read(at("taken")).unwrap(), b"old");
    }

    #[test]
    fn a_rename_that_was_done_in_spite_of_its_error_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let handle = OwnedFd::from(File::open(dir.path()).unwrap());
        let at = |name: &str| dir.path().join(name);
        let reserve = |name: &str| fstat(File::create(at(name)).unwrap()).unwrap();
        let reserved = reserve("free");
        std::fs::write(at("part"), "new").unwrap();
        std::fs::rename(at("part"), at("free")).unwrap();
        free_again(&handle, "free".as_ref(), &reserved);
        assert_eq!(std::fs::read(at("free")).unwrap(), b"new");
        free_again(&handle, "other".as_ref(), &reserve("other"));
        assert!(!at("other").exists());
    }

    #[test]
    fn a_rename_onto_another_name_of_the_file_leaves_one() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        std::fs::write(bed.disk("a"), "1").unwrap();
        std::fs::hard_link(bed.disk("a"), bed.disk("b")).unwrap();
        home.rename(&path("a"), &path("b")).unwrap();
        assert!(!bed.disk("a").exists());
        assert_eq!(std::fs::read(bed.disk("b")).unwrap(), b"1");
        // By way of a link to its directory it is the same name.
        std::fs::create_dir(bed.disk("d")).unwrap();
        std::fs::write(bed.disk("d/x"), "2").unwrap();
        std::fs::hard_link(bed.disk("d/x"), bed.disk("y")).unwrap();
        symlink("d", bed.disk("l")).unwrap();
        home.rename(&path("d/x"), &path("l/x")).unwrap();
        assert!(bed.disk("d/x").exists());
    }
}
