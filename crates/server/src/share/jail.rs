//! The jail: one directory handle, below which the kernel resolves every path.
//!
//! `openat2` with `RESOLVE_BENEATH` follows links as long as they stay below the handle and fails
//! when one leads out, in one step that nobody can race. What acts on a name without following it
//! (rename, unlink, mkdir, lstat) is done on the handle of the directory that holds the name.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use ftp_config::SharePath;
use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, openat2, statat},
    io::Errno,
};

use super::names::to_disk;

/// A rename elsewhere in the tree makes the kernel ask for another try; more than this is an attack.
const TRIES: usize = 64;

/// So long is what the kernel takes for a path, its end counted (`PATH_MAX`).
const LONGEST: usize = 4096;

/// A directory and everything below it.
#[derive(Debug)]
pub(super) struct Jail {
    root: OwnedFd,
}

/// The directory that holds a name, and the name.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) dir: OwnedFd,
    pub(super) name: OsString,
}

impl Jail {
    /// Opens a directory of the disk.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let jail = Self { root };
        // Kernels before 5.6 and some sandboxes have no openat2: better known now than at a login.
        jail.get(&SharePath::root(), OFlags::PATH, Mode::empty())?;
        Ok(jail)
    }

    /// Opens a directory of this jail as a jail of its own.
    pub(super) fn narrow(&self, home: &SharePath) -> io::Result<Self> {
        let root = self.get(home, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        Ok(Self { root })
    }

    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens what `path` names; links are followed while they stay inside.
    pub(super) fn get(&self, path: &SharePath, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let relative = to_disk(path.relative());
        let relative = if relative.is_empty() {
            OsStr::new(".")
        } else {
            &relative
        };
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..TRIES {
            match openat2(&self.root, relative, flags | OFlags::CLOEXEC, mode, how) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return Ok(other?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Opens the directory that holds `path`; `None` for the root.
    pub(super) fn holder(&self, path: &SharePath) -> io::Result<Option<Holder>> {
        self.held_by(path, OFlags::PATH)
    }

    fn held_by(&self, path: &SharePath, flags: OFlags) -> io::Result<Option<Holder>> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Ok(None);
        };
        let dir = self.get(&parent, flags | OFlags::DIRECTORY, Mode::empty())?;
        let name = to_disk(name);
        Ok(Some(Holder { dir, name }))
    }

    /// As [`Jail::holder`], for a name that is to be made: it must be one that can be opened by its path.
    pub(super) fn holder_of_new(&self, path: &SharePath) -> io::Result<Option<Holder>> {
        let relative = path.relative();
        if relative.len() >= LONGEST && to_disk(relative).len() >= LONGEST {
            return Err(Errno::NAMETOOLONG.into());
        }
        // A handle that reads is asked for attributes without a path; a drop box gives none.
        match self.held_by(path, OFlags::RDONLY) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.held_by(path, OFlags::PATH)
            }
            held => held,
        }
    }

    /// Looks at what `path` names, links followed.
    pub(super) fn stat(&self, path: &SharePath) -> io::Result<Stat> {
        let fd = self.get(path, OFlags::PATH, Mode::empty())?;
        Ok(rustix::fs::fstat(fd)?)
    }
}

impl Holder {
    /// Looks at the name itself: a link is a link.
    pub(super) fn lstat(&self) -> io::Result<Stat> {
        Ok(statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

/// What a file's mode says it is.
pub(super) fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn path(text: &str) -> SharePath {
        SharePath::root().join(text).unwrap()
    }

    #[test]
    fn links_work_inside_and_fail_outside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::write(root.join("a/f"), "in").unwrap();
        std::fs::write(dir.path().join("secret"), "out").unwrap();
        symlink("a/f", root.join("inside")).unwrap();
        symlink("../secret", root.join("up")).unwrap();
        symlink("/etc", root.join("etc")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let jail = Jail::open(&root).unwrap();
        assert!(jail.stat(&path("inside")).is_ok());
        for out in ["up", "etc", "etc/passwd"] {
            let error = jail.stat(&path(out)).unwrap_err();
            assert_eq!(Errno::from_io_error(&error), Some(Errno::XDEV), "{out}");
            let seen = jail
                .holder(&path(out))
                .map(|holder| holder.unwrap().lstat());
            assert!(out.contains('/') || seen.unwrap().is_ok());
        }
        assert!(jail.stat(&path("loop")).is_err());
    }

    #[test]
    fn no_name_is_made_that_could_not_be_opened() {
        let dir = tempfile::tempdir().unwrap();
        let jail = Jail::open(dir.path()).unwrap();
        let mut deep = SharePath::root();
        let component = "x".repeat(250);
        for _ in 0..16 {
            deep = deep.join(&component).unwrap();
            let holder = jail.holder(&deep).unwrap().unwrap();
            rustix::fs::mkdirat(&holder.dir, &holder.name, Mode::RWXU).unwrap();
        }
        let left = LONGEST - 1 - deep.relative().len() - 1;
        let last = deep.join(&"y".repeat(left)).unwrap();
        assert!(jail.holder_of_new(&last).unwrap().unwrap().lstat().is_err());
        let flags = OFlags::CREATE | OFlags::WRONLY;
        jail.get(&last, flags, Mode::RUSR).unwrap();
        assert!(jail.holder(&last).unwrap().unwrap().lstat().is_ok());
        let beyond = deep.join(&"y".repeat(left + 1)).unwrap();
        let error = jail.holder_of_new(&beyond).unwrap_err();
        assert!(jail.holder(&beyond).is_ok(), "it may be removed");
        assert_eq!(Errno::from_io_error(&error), Some(Errno::NAMETOOLONG));
    }

    #[test]
    fn a_narrower_jail_has_no_way_up() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("ann")).unwrap();
        std::fs::write(dir.path().join("bob.txt"), "").unwrap();
        symlink("../bob.txt", dir.path().join("ann/link")).unwrap();
        let ann = Jail::open(dir.path())
            .unwrap()
            .narrow(&path("ann"))
            .unwrap();
        assert!(ann.stat(&path("link")).is_err());
        assert!(ann.stat(&path("bob.txt")).is_err());
    }

    #[test]
    fn swapped_links_lead_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("d")).unwrap();
        std::fs::create_dir(dir.path().join("out")).unwrap();
        std::fs::write(dir.path().join("out/secret"), "s").unwrap();
        symlink("../out", root.join("bad")).unwrap();
        let jail = Jail::open(&root).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (d, bad, tmp) = (root.join("d"), root.join("bad"), root.join("tmp"));
                for _ in 0..2_000 {
                    std::fs::rename(&d, &tmp).unwrap();
                    std::fs::rename(&bad, &d).unwrap();
                    std::fs::rename(&d, &bad).unwrap();
                    std::fs::rename(&tmp, &d).unwrap();
                }
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                assert!(
                    jail.stat(&path("d/secret")).is_err(),
                    "a name from outside was seen"
                );
            }
        });
    }
}
