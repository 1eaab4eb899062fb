//! The local side of downloads: everything below one opened directory, never outside it.
//!
//! A path from a server or a link on the disk cannot lead out: each is resolved below the handle
//! (`openat2` with `RESOLVE_BENEATH` where the kernel has it).

mod publish;

use std::{
    fs::{File, FileTimes, Metadata, TryLockError},
    io::{self, Write as _},
    os::{fd::AsFd, unix::fs::MetadataExt as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, MetadataExt as _, OpenOptions},
};
use rustix::{
    fs::{Mode, OFlags, ResolveFlags, openat2},
    io::Errno,
};
use sha2::{Digest as _, Sha256};

use super::unsynced::{Refused, Unsynced};
use crate::error::Error;

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
        self.unsynced.sync(|path| {
            let dir = match path.as_os_str().is_empty() {
                true => self.dir.try_clone()?,
                false => self.dir.open_dir(path)?,
            };
            // These handles only name a place; one that is written out must be open for reading.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let dir = rustix::fs::openat(&dir, ".", flags, Mode::empty())?;
            Ok(dir.into())
        })
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

    /// Opens the partial file for reading and writing, made if missing, never through a link,
    /// and locked: two transfers must not write one file. Tells whether it was made.
    pub(super) fn open_part(&self, path: &Path) -> Result<(File, bool), Error> {
        check(path)?;
        loop {
            let (file, is_new) = self.make_part(path)?;
            if let Some(file) = self.lock_part(path, file)? {
                return Ok((file, is_new));
            }
        }
    }

    /// Locks what was opened as a partial file; `None`: meanwhile whoever held it has given it its
    /// final name, or removed it, and it must not be written to.
    fn lock_part(&self, path: &Path, file: File) -> Result<Option<File>, Error> {
        file.try_lock().map_err(|error| {
            let error = match error {
                TryLockError::WouldBlock => io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another transfer is writing this file",
                ),
                TryLockError::Error(error) => error,
            };
            Error::local("lock", self.told_as(path), error)
        })?;
        let held = file.metadata().map_err(self.err("open", path))?;
        let named = self
            .dir
            .symlink_metadata(path)
            .is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino()));
        Ok(named.then_some(file))
    }

    fn make_part(&self, path: &Path) -> Result<(File, bool), Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let opened = match self.dir.open_with(path, &options) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = path.parent() {
                    self.make_dir(parent)?;
                }
                self.dir.open_with(path, &options)
            }
            other => other,
        };
        let (file, is_new) = match opened {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (self.open_kept(path), false)
            }
            other => (other, true),
        };
        let file = file.map_err(self.err("open", path))?.into_std();
        Ok((file, is_new))
    }

    /// Opens the partial file that is there; a link in its place goes.
    fn open_kept(&self, path: &Path) -> io::Result<cap_std::fs::File> {
        let is_link = |meta: cap_std::fs::Metadata| !meta.is_file();
        if self.dir.symlink_metadata(path).is_ok_and(is_link) {
            self.dir.remove_file(path)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        self.dir.open_with(path, &options)
    }

    /// Opens a file that is there to read it, never through a link.
    pub(super) fn open_file(&self, path: &Path) -> Option<(File, Metadata)> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let file = File::from(openat2(&*self.dir, path, flags, Mode::empty(), how).ok()?);
        let meta = file.metadata().ok()?;
        meta.is_file().then_some((file, meta))
    }

    pub(super) fn read_small(&self, path: &Path) -> Option<Vec<u8>> {
        let meta = self.dir.symlink_metadata(path).ok()?;
        (meta.is_file() && meta.len() < 64 * 1024).then(|| self.dir.read(path).ok())?
    }

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
        name: path.display().to_string().escape_debug().to_string(),
        why: "it leads out of the target directory",
    })
}

/// Returns the partial file beside `path`, hidden. Names near the limit of 255 bytes are
/// shortened to a digest.
pub(super) fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let bytes = name.as_encoded_bytes();
    let mut part = std::ffi::OsString::from(".");
    if bytes.len() > 230 {
        let digest = Sha256::digest(bytes);
        part.push(
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        );
    } else {
        part.push(name);
    }
    part.push(".ftpc-part");
    path.with_file_name(part)
}

/// Returns the note beside a partial file.
pub(super) fn note_of(part: &Path) -> PathBuf {
    let mut name = part.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    part.with_file_name(name)
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
            assert!(root.open_part(Path::new(bad)).is_err(), "{bad}");
            assert!(root.make_dir(Path::new(bad)).is_err(), "{bad}");
        }
        std::os::unix::fs::symlink(outside.path(), temp.path().join("link")).unwrap();
        assert!(root.open_part(Path::new("link/x")).is_err());
        assert!(root.remove(Path::new("link/x"), false).is_err());
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_place_of_the_partial_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("victim"), b"old").unwrap();
        std::os::unix::fs::symlink("victim", temp.path().join(".a.ftpc-part")).unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        root.open_part(&part_of(Path::new("a")))
            .unwrap()
            .0
            .set_len(0)
            .unwrap();
        assert_eq!(std::fs::read(temp.path().join("victim")).unwrap(), b"old");
    }

    #[test]
    fn two_transfers_do_not_share_a_partial() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        let part = part_of(Path::new("a"));
        let _held = root.open_part(&part).unwrap();
        let error = root.open_part(&part).unwrap_err().chain();
        assert!(
            error.ends_with(": another transfer is writing this file"),
            "{error}"
        );
    }

    #[test]
    fn a_partial_that_was_published_meanwhile_is_not_written_to() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        let part = part_of(Path::new("a"));
        let (first, _) = root.open_part(&part).unwrap();
        // The second has opened it and not locked it when the first is done.
        let (second, is_new) = root.make_part(&part).unwrap();
        assert!(!is_new);
        root.publish(&part, Path::new("a"), true).unwrap();
        drop(first);
        assert!(root.lock_part(&part, second).unwrap().is_none());
        let (_third, is_new) = root.open_part(&part).unwrap();
        assert!(is_new && temp.path().join("a").exists());
    }

    #[test]
    fn the_longest_name_still_has_a_partial() {
        let long = "x".repeat(255);
        let part = part_of(Path::new(&long));
        assert!(note_of(&part).file_name().unwrap().len() <= 255);
        assert_eq!(part_of(Path::new("d/a")), Path::new("d/.a.ftpc-part"));
    }
}
