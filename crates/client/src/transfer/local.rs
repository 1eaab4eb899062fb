//! The local side of downloads: everything below one opened directory, never outside it.
//!
//! A path from a server or a link on the disk cannot lead out: each is resolved below the handle
//! (`openat2` with `RESOLVE_BENEATH` where the kernel has it).

mod mode;
pub(super) mod part;
mod publish;

use std::{
    fs::{File, FileTimes, Metadata},
    io::{self, Write as _},
    os::fd::AsFd,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};
use rustix::{
    fs::{Mode, OFlags, ResolveFlags, openat2},
    io::Errno,
};

use super::unsynced::{Refused, Unsynced, Written, time_of_refused};
use crate::{error::Error, remote::names::escaped};

/// An opened directory and the name messages call it by. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct LocalRoot {
    dir: Arc<Dir>,
    shown: PathBuf,
    pub(super) unsynced: Arc<Unsynced>,
}

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Dir,
    /// A file or a link.
    Other,
    /// A device, a FIFO or a socket.
    Special,
}

impl LocalRoot {
    /// Waits until the disk has what it was not waited for yet, and tells what it refused. Blocks.
    pub(super) fn sync(&self) -> Vec<Refused> {
        let open = |path: &Path| {
            let dir = self.dir_at(path)?;
            // These handles only name a place; one that is written out must be open for reading.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let dir = rustix::fs::openat(&dir, ".", flags, Mode::empty())?;
            Ok(dir.into())
        };
        let mark = |path: &Path, written: &Written| self.mark_refused(path, written);
        self.unsynced.sync(open, mark)
    }

    /// Takes the server's time from a file that may not be whole, unless it is another one by now.
    fn mark_refused(&self, path: &Path, written: &Written) -> io::Result<()> {
        let dir = self.dir_at(path.parent().unwrap_or(Path::new("")))?;
        let name = path.file_name().unwrap_or_default();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&dir, name, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::LOOP) => return Ok(()),
            opened => File::from(opened?),
        };
        if Written::of(&file)? != *written {
            return Ok(());
        }
        set_modified(&file, time_of_refused())
    }

    fn dir_at(&self, path: &Path) -> io::Result<Dir> {
        match path.as_os_str().is_empty() {
            true => self.dir.try_clone(),
            false => self.dir.open_dir(path),
        }
    }

    /// Opens the directory, made if missing. Blocks.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        std::fs::create_dir_all(path).map_err(|error| Error::local("make", path, error))?;
        let dir = Dir::open_ambient_dir(path, ambient_authority())
            .map_err(|error| Error::local("open", path, error))?;
        Ok(Self {
            dir: Arc::new(dir),
            shown: path.to_owned(),
            unsynced: Arc::default(),
        })
    }

    /// Returns the path from where the program runs, for messages.
    pub(super) fn told_as(&self, path: &Path) -> PathBuf {
        if self.shown == Path::new(".") {
            return path.to_owned();
        }
        self.shown.join(path)
    }

    fn err<'a>(
        &'a self,
        verb: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Error + use<'a> {
        move |error| Error::local(verb, self.told_as(path), error)
    }

    /// Makes a directory with its parents, and tells whether it had to.
    pub(super) fn make_dir(&self, path: &Path) -> Result<bool, Error> {
        check(path)?;
        self.ensure_no_link(path)?;
        if path.as_os_str().is_empty() || self.dir.is_dir(path) {
            return Ok(false);
        }
        let made = self.dir.create_dir_all(path);
        made.map(|()| true).map_err(self.err("make", path))
    }

    /// Refuses a directory to which a link leads: what it holds may be another's that is to be kept. A walk
    /// takes no part in links either.
    pub(super) fn ensure_no_link(&self, dir: &Path) -> Result<(), Error> {
        if dir.as_os_str().is_empty() {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match openat2(&*self.dir, dir, flags, Mode::empty(), how) {
            Err(Errno::LOOP) => {
                let words = "a link leads there; name what it leads to";
                let error = io::Error::new(io::ErrorKind::InvalidInput, words);
                Err(Error::local("write to", self.told_as(dir), error))
            }
            // It is still to be made, or the system cannot tell.
            _ => Ok(()),
        }
    }

    /// Removes a file, a link, or an empty directory (`dir`); one that is gone already is fine.
    pub(super) fn remove(&self, path: &Path, dir: bool) -> Result<(), Error> {
        check(path)?;
        let removed = if dir {
            self.dir.remove_dir(path)
        } else {
            self.dir.remove_file(path)
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(self.err("remove", path)),
        }
    }

    /// Tells what is there; a link is no directory, whatever it leads to.
    pub(super) fn look(&self, path: &Path) -> Found {
        match self.dir.symlink_metadata(path) {
            Ok(meta) if meta.is_dir() => Found::Dir,
            Ok(meta) if meta.is_file() || meta.is_symlink() => Found::Other,
            Ok(_) => Found::Special,
            Err(_) => Found::Nothing,
        }
    }

    /// Opens a file that is there to read it, never through a link.
    pub(super) fn open_file(&self, path: &Path) -> Option<(File, Metadata)> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let file = File::from(openat2(&*self.dir, path, flags, Mode::empty(), how).ok()?);
        let meta = file.metadata().ok()?;
        meta.is_file().then_some((file, meta))
    }

    /// Reads a file of less than 64 KiB; `None` for anything else, a link too.
    pub(super) fn read_small(&self, path: &Path) -> Option<Vec<u8>> {
        let meta = self.dir.symlink_metadata(path).ok()?;
        (meta.is_file() && meta.len() < 64 * 1024).then(|| self.dir.read(path).ok())?
    }

    /// Writes a small file anew.
    pub(super) fn write_small(&self, path: &Path, text: &[u8]) -> Result<(), Error> {
        self.remove(path, false)?;
        // Never through a link that somebody has put there.
        let mut options = OpenOptions::new();
        let made = self
            .dir
            .open_with(path, options.write(true).create_new(true));
        made.and_then(|mut file| file.write_all(text))
            .map_err(self.err("write", path))
    }
}

/// Refuses what is not a plain relative path.
fn check(path: &Path) -> Result<(), Error> {
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if plain {
        return Ok(());
    }
    Err(Error::UnsafeName {
        name: escaped(&path.display().to_string()),
        why: "it leads out of the target directory",
    })
}

/// Closes a second handle: sshfs, NFS and others write out, or refuse, at each close. The file stays
/// open and locked.
pub(super) fn close_again(file: impl AsFd) -> io::Result<()> {
    Ok(nix::unistd::close(file.as_fd().try_clone_to_owned()?)?)
}

/// Sets the modification time of an open file. Some FUSE disks (libfuse 2) take it only together with
/// the time of access, and say nothing when they do not.
pub(super) fn set_modified(file: &File, time: SystemTime) -> io::Result<()> {
    let times = FileTimes::new().set_accessed(SystemTime::now());
    file.set_times(times.set_modified(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_root() {
        let temp = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        for bad in ["../x", "/etc/x", "a/../../x"] {
            assert!(
                root.open_part(Path::new(bad), Path::new("a")).is_err(),
                "{bad}"
            );
            assert!(root.make_dir(Path::new(bad)).is_err(), "{bad}");
        }
        std::os::unix::fs::symlink(outside.path(), temp.path().join("link")).unwrap();
        assert!(root.open_part(Path::new("link/x"), Path::new("a")).is_err());
        assert!(root.remove(Path::new("link/x"), false).is_err());
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }
    #[test]
    fn a_file_that_may_not_be_whole_loses_its_time() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        std::fs::create_dir(temp.path().join("d")).unwrap();
        std::os::unix::fs::symlink("a", temp.path().join("link")).unwrap();
        let time = |name: &str| {
            let meta = std::fs::metadata(temp.path().join(name));
            meta.unwrap().modified().unwrap()
        };
        for name in ["a", "d/a"] {
            let file = File::create(temp.path().join(name)).unwrap();
            let now = SystemTime::now();
            set_modified(&file, now).unwrap();
            let written = Written::of(&file).unwrap();
            root.mark_refused(Path::new("link"), &written).unwrap();
            assert_eq!(time(name), now, "another's");
            set_modified(&file, now + std::time::Duration::from_secs(1)).unwrap();
            root.mark_refused(Path::new(name), &written).unwrap();
            assert_ne!(time(name), time_of_refused(), "it was changed meanwhile");
            set_modified(&file, now).unwrap();
            root.mark_refused(Path::new(name), &written).unwrap();
            assert_eq!(time(name), time_of_refused());
            root.mark_refused(Path::new("gone"), &written).unwrap();
            root.mark_refused(Path::new("../a"), &written).unwrap_err();
        }
    }
}
