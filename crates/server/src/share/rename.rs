//! Renames that never replace, also on disks whose own rename always does.

use std::{ffi::OsStr, os::fd::OwnedFd};

use rustix::{
    fs::{
        AtFlags, Mode, OFlags, RenameFlags, linkat, openat, renameat, renameat_with, statat,
        unlinkat,
    },
    io::Errno,
};

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
    let gone = unlinkat(from_dir, from, AtFlags::empty());
    if gone.is_err() {
        // The name goes back as it was: free.
        let _ = unlinkat(to_dir, to, AtFlags::empty());
    }
    gone
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
    openat(to_dir, to, flags, Mode::RUSR | Mode::WUSR)?;
    let renamed = renameat(from_dir, from, to_dir, to);
    if renamed.is_err() {
        // The name goes back as it was: free.
        let _ = unlinkat(to_dir, to, AtFlags::empty());
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    type Way = fn(&OwnedFd, &OsStr, &OwnedFd, &OsStr) -> Result<(), Errno>;

    #[test]
    fn the_ways_without_noreplace_never_replace() {
        for way in [link_then_unlink as Way, look_then_rename as Way] {
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
}
