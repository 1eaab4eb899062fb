//! The partial files of downloads: what they are called, and that only one transfer writes to each.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use cap_std::fs::{OpenOptions, OpenOptionsExt as _};
use rustix::fs::{AtFlags, fstat, statat};
use sha2::{Digest as _, Sha256};

use super::{
    LocalRoot, check,
    mode::{OWNER, set_mode},
};
use crate::{error::Error, hex};

/// Returns the partial file beside `path`, hidden. Names near the limit of 255 bytes are
/// shortened to a digest.
pub(in crate::transfer) fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let bytes = name.as_encoded_bytes();
    let mut part = std::ffi::OsString::from(".");
    if bytes.len() > 230 {
        part.push(hex::of(&Sha256::digest(bytes)));
    } else {
        part.push(name);
    }
    part.push(".ftpc-part");
    path.with_file_name(part)
}

/// Returns the note beside a partial file.
pub(in crate::transfer) fn note_of(part: &Path) -> PathBuf {
    let mut name = part.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    part.with_file_name(name)
}

impl LocalRoot {
    /// Opens the partial file of `local` for reading and writing, made if missing, never through a link,
    /// and locked: two transfers must not write one file. Tells whether it was made. Nobody may read it who
    /// may not read what it is to replace.
    pub(in crate::transfer) fn open_part(
        &self,
        path: &Path,
        local: &Path,
    ) -> Result<(File, bool), Error> {
        check(path)?;
        loop {
            let mode = self.mode_of(local);
            let (file, is_new) = self.make_part(path, mode)?;
            if let Some(file) = self.lock_part(path, file)? {
                if let Some(mode) = mode {
                    // The next run must be able to open it.
                    set_mode(&file, mode | OWNER);
                }
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
        let held = fstat(&file).map_err(|error| self.err("open", path)(error.into()))?;
        // Only which file it is counts, so it may be looked for through whatever leads there now.
        let named = statat(&*self.dir, path, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|named| (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino));
        Ok(named.then_some(file))
    }

    fn make_part(&self, path: &Path, mode: Option<u32>) -> Result<(File, bool), Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        if mode.is_some() {
            // Who has it open before its mode is set reads on behind that.
            options.mode(OWNER);
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_place_of_the_partial_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("victim"), b"old").unwrap();
        std::os::unix::fs::symlink("victim", temp.path().join(".a.ftpc-part")).unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        root.open_part(&part_of(Path::new("a")), Path::new("a"))
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
        let _held = root.open_part(&part, Path::new("a")).unwrap();
        let error = root.open_part(&part, Path::new("a")).unwrap_err().chain();
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
        let (first, _) = root.open_part(&part, Path::new("a")).unwrap();
        // The second has opened it and not locked it when the first is done.
        let (second, is_new) = root.make_part(&part, None).unwrap();
        assert!(!is_new);
        root.publish(&part, Path::new("a"), true).unwrap();
        drop(first);
        assert!(root.lock_part(&part, second).unwrap().is_none());
        let (_third, is_new) = root.open_part(&part, Path::new("a")).unwrap();
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
