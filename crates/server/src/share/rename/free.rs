//! Renames that never replace, also on disks whose own rename always does.

use std::{ffi::OsStr, os::fd::OwnedFd};

use rustix::{
    fs::{
        AtFlags, Mode, OFlags, RenameFlags, Stat, fstat, linkat, openat, renameat, renameat_with,
        statat, unlinkat,
    },
    io::Errno,
};

use crate::share::{meta::FileId, turn::take_turn};

/// Gives a file or directory a name that must be free.
///
/// Disks that cannot rename without replacing (NFS, some FUSE) get a file's second name by a link,
/// which is as careful, and lose the first one then. Where there are no links either (FAT, exFAT) the name
/// is reserved first: whoever comes meanwhile finds it taken. A directory needs neither: at most it
/// takes the place of an empty one that somebody has made meanwhile.
pub(in crate::share) fn rename_to_free(
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
    use std::fs::File;

    use super::*;

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
}
