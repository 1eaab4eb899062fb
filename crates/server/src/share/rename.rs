//! Renames that never replace, also on disks whose own rename always does.

use std::{ffi::OsStr, os::fd::OwnedFd};

use rustix::{
    fs::{AtFlags, RenameFlags, linkat, renameat_with, unlinkat},
    io::Errno,
};

/// Gives a file or directory a name that must be free.
///
/// Disks that cannot rename without replacing (NFS, some FUSE) get a file's second name by a link,
/// which is as careful, and lose the first one then.
pub(super) fn rename_to_free(
    from_dir: &OwnedFd,
    from: &OsStr,
    to_dir: &OwnedFd,
    to: &OsStr,
) -> Result<(), Errno> {
    match renameat_with(from_dir, from, to_dir, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL) => match link_then_unlink(from_dir, from, to_dir, to) {
            // A directory has no second name; then the first answer is the true one.
            Err(Errno::PERM | Errno::OPNOTSUPP) => Err(Errno::INVAL),
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
    unlinkat(from_dir, from, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn the_way_without_noreplace_never_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let handle = OwnedFd::from(File::open(dir.path()).unwrap());
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("part"), "new").unwrap();
        std::fs::write(at("taken"), "old").unwrap();
        std::fs::create_dir(at("dir")).unwrap();
        let act =
            |from: &str, to: &str| link_then_unlink(&handle, from.as_ref(), &handle, to.as_ref());
        assert_eq!(act("part", "taken"), Err(Errno::EXIST));
        assert_eq!(act("dir", "free"), Err(Errno::PERM));
        act("part", "free").unwrap();
        assert_eq!(std::fs::read(at("free")).unwrap(), b"new");
        assert_eq!(std::fs::read(at("taken")).unwrap(), b"old");
        assert!(!at("part").exists());
    }
}
