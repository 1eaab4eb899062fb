//! How a finished download gets its name: at once, and nobody else's file lost by it.

use std::{io, path::Path};

use cap_std::fs::{Dir, OpenOptions};
use rustix::{
    fs::{AtFlags, RenameFlags, Stat, fstat, renameat_with, statat},
    io::Errno,
};

use super::{LocalRoot, check};
use crate::{error::Error, plan::Seen};

impl LocalRoot {
    /// Gives the file its final name. Without `replace` a file that is there stays.
    pub(in crate::transfer) fn publish(
        &self,
        from: &Path,
        to: &Path,
        replace: bool,
    ) -> Result<(), Error> {
        check(to)?;
        if replace {
            return self
                .dir
                .rename(from, &self.dir, to)
                .map_err(self.err("rename", to));
        }
        match self.rename_noreplace(from, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists {
                path: self.told_as(to).display().to_string(),
            }),
            other => other.map_err(self.err("rename", to)),
        }
    }

    /// Tells whether a name is still that of what was seen, or of nothing by now.
    pub(in crate::transfer) fn has_still(&self, path: &Path, seen: Seen) -> bool {
        match self.dir.symlink_metadata(path) {
            Ok(meta) => {
                let modified = meta
                    .modified()
                    .ok()
                    .map(cap_std::time::SystemTime::into_std);
                meta.is_file() && seen.is(meta.len(), modified)
            }
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// `renameat2(RENAME_NOREPLACE)` in the directory that holds both; a hard link, which does not
    /// replace either, where the file system lacks it; where it has no links (FAT, exFAT), the name
    /// is reserved by an empty file first.
    fn rename_noreplace(&self, from: &Path, to: &Path) -> io::Result<()> {
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        let dir = match parent {
            Some(parent) => self.dir.open_dir(parent)?,
            None => self.dir.try_clone()?,
        };
        let (Some(from_name), Some(to_name)) = (from.file_name(), to.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        match renameat_with(&dir, from_name, &dir, to_name, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) => {}
            other => return other.map_err(io::Error::from),
        }
        match dir.hard_link(from_name, &dir, to_name) {
            Err(error) if has_no_links(&error) => {
                let rename = |from: &Path, to: &Path| dir.rename(from, &dir, to);
                reserve_then_rename(&dir, from_name.as_ref(), to_name.as_ref(), rename)
            }
            Err(error) if Errno::from_io_error(&error) == Some(Errno::IO) => {
                look_then_rename(&dir, from_name.as_ref(), to_name.as_ref())
            }
            other => other.and_then(|()| {
                let has = |name: &Path| dir.symlink_metadata(name).is_ok();
                let remove = |name: &Path| dir.remove_file(name);
                keep_one_name(from_name.as_ref(), to_name.as_ref(), has, remove)
            }),
        }
    }
}

/// Removes the first name of a file that has a second one now.
fn keep_one_name(
    from: &Path,
    to: &Path,
    has: impl Fn(&Path) -> bool,
    remove: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<()> {
    match remove(from) {
        // Asked twice over the network (NFS), the first answer was lost: it must not lose the last name.
        Err(error) if error.kind() == io::ErrorKind::NotFound || !has(from) => Ok(()),
        Err(error) => {
            // The name goes back as it was: free. What goes on with the part must not write to the file.
            let _ = remove(to);
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

/// Tells whether a hard link was refused because the disk knows none.
fn has_no_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
    )
}

/// Renames to a name that is free, where a link was refused with EIO: so `rclone mount` answers to all that it lacks. It
/// stores an empty file late, over what has the name then, so none reserves it.
fn look_then_rename(dir: &Dir, from: &Path, to: &Path) -> io::Result<()> {
    match dir.symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => dir.rename(from, dir, to),
        _ => Err(Errno::IO.into()),
    }
}

/// Makes an empty file under the name, which fails when it is taken, and renames over that.
fn reserve_then_rename(
    dir: &Dir,
    from: &Path,
    to: &Path,
    rename: impl Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    // Closed before the rename: some disks write out at a close, to what has the name then.
    let reserved = fstat(dir.open_with(to, OpenOptions::new().write(true).create_new(true))?);
    let renamed = rename(from, to);
    if renamed.is_err() && reserved.is_ok_and(|reserved| is_still(dir, to, &reserved)) {
        // The name goes back as it was: free.
        let _ = dir.remove_file(to);
    }
    renamed
}

/// Tells whether the name is still that of the empty file which reserves it. A disk behind a network may have done
/// what it says it has not: then it is the only name of the one that was renamed.
fn is_still(dir: &Dir, name: &Path, reserved: &Stat) -> bool {
    let there = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
    let id = |stat: &Stat| (stat.st_dev, stat.st_ino);
    there.is_ok_and(|there| there.st_size == 0 && id(&there) == id(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_wished() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        std::fs::write(temp.path().join("new"), b"new").unwrap();
        std::fs::write(temp.path().join("old"), b"old").unwrap();
        let (new, old) = (Path::new("new"), Path::new("old"));
        assert!(matches!(
            root.publish(new, old, false),
            Err(Error::Exists { .. })
        ));
        root.publish(new, old, true).unwrap();
        assert_eq!(std::fs::read(temp.path().join("old")).unwrap(), b"new");
    }

    #[test]
    fn a_reserved_name_replaces_nothing_and_is_free_after_a_failure() {
        let temp = tempfile::tempdir().unwrap();
        let dir = LocalRoot::open(temp.path()).unwrap().dir;
        std::fs::write(temp.path().join("new"), b"new").unwrap();
        std::fs::write(temp.path().join("old"), b"old").unwrap();
        let rename = |from: &Path, to: &Path| dir.rename(from, &dir, to);
        let act =
            |from: &str, to: &str| reserve_then_rename(&dir, from.as_ref(), to.as_ref(), rename);
        let taken = act("new", "old").unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        act("missing", "free").unwrap_err();
        assert!(!temp.path().join("free").exists());
        act("new", "free").unwrap();
        assert_eq!(std::fs::read(temp.path().join("free")).unwrap(), b"new");
        assert_eq!(std::fs::read(temp.path().join("old")).unwrap(), b"old");
    }

    #[test]
    fn a_rename_that_was_done_in_spite_of_its_error_loses_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let dir = LocalRoot::open(temp.path()).unwrap().dir;
        std::fs::write(temp.path().join("part"), b"new").unwrap();
        let rename = |from: &Path, to: &Path| {
            dir.rename(from, &dir, to)?;
            Err(io::ErrorKind::TimedOut.into())
        };
        reserve_then_rename(&dir, "part".as_ref(), "free".as_ref(), rename).unwrap_err();
        assert_eq!(std::fs::read(temp.path().join("free")).unwrap(), b"new");
    }

    #[test]
    fn a_disk_without_links_that_says_eio_gets_a_free_name_alone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = LocalRoot::open(temp.path()).unwrap().dir;
        std::fs::write(temp.path().join("new"), b"new").unwrap();
        std::fs::write(temp.path().join("old"), b"old").unwrap();
        let act = |to: &str| look_then_rename(&dir, "new".as_ref(), to.as_ref());
        let taken = act("old").unwrap_err();
        assert_eq!(Errno::from_io_error(&taken), Some(Errno::IO));
        act("free").unwrap();
        assert_eq!(std::fs::read(temp.path().join("free")).unwrap(), b"new");
        assert_eq!(std::fs::read(temp.path().join("old")).unwrap(), b"old");
    }

    #[test]
    fn a_name_is_free_again_where_the_first_one_stays() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        let act = |failing: io::ErrorKind| {
            std::fs::write(at("part"), b"new").unwrap();
            std::fs::hard_link(at("part"), at("free")).unwrap();
            let has = |name: &Path| temp.path().join(name).exists();
            keep_one_name("part".as_ref(), "free".as_ref(), has, |name| {
                if name == Path::new("part") {
                    // A disk behind a network may have done what it says it has not.
                    if failing == io::ErrorKind::TimedOut {
                        std::fs::remove_file(at("part"))?;
                    }
                    return Err(failing.into());
                }
                std::fs::remove_file(temp.path().join(name))
            })
        };
        let refused = act(io::ErrorKind::PermissionDenied).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(std::fs::read(at("part")).unwrap(), b"new");
        assert!(!at("free").exists());
        for done in [io::ErrorKind::NotFound, io::ErrorKind::TimedOut] {
            act(done).unwrap();
            assert_eq!(std::fs::read(at("free")).unwrap(), b"new");
            std::fs::remove_file(at("free")).unwrap();
        }
    }
}
