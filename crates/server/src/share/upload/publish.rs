//! How an upload ends: made whole first, then given its name, which nobody else's file loses.

use std::{
    ffi::OsStr,
    io::{self, Seek as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
    sync::atomic::Ordering,
    time::SystemTime,
};

use ftp_config::{SharePath, server::Fsync};
use rustix::{
    fs::{AtFlags, Mode, OFlags, fstat, futimens, openat, statat, unlinkat},
    io::Errno,
};

use super::{Committed, Taken, Upload, close_again};
use crate::share::{
    ShareError,
    meta::{FileId, modified_at},
    names,
    partial::{Base, Partial},
    rename::rename_to_free,
    turn::end_turn,
};

/// So many names are tried before an upload finds none that is free.
pub(super) const MOST_TRIES: u32 = 10_000;

impl Upload {
    /// Gives the whole file its final name.
    ///
    /// # Errors
    /// The final name is as it was; the partial is kept unless it could never be finished.
    pub fn commit(self, modified: Option<SystemTime>) -> Result<Committed, ShareError> {
        self.settle(modified)?.publish()
    }

    /// Makes the file whole, on the disk if that is wished; only its name is missing then.
    ///
    /// # Errors
    /// The partial is kept, unless what the disk holds of it is not what was written.
    pub fn settle(self, modified: Option<SystemTime>) -> Result<Settled, ShareError> {
        self.finish(modified).map_err(|error| self.explain(error))?;
        let upload = self.force()?;
        match upload.measure().map_err(|error| upload.explain(error)) {
            Ok((size, id)) => Ok(Settled { upload, size, id }),
            Err(error) => {
                upload.discard();
                Err(error)
            }
        }
    }

    /// Waits until the disk has the file, if that is wished. What could not be written counts as
    /// written from then on, so nobody may go on behind it: it goes.
    fn force(self) -> Result<Self, ShareError> {
        let file = self.file();
        let written = match self.is_forced() {
            // Times and mode are to survive too, so not only the data. Some disks do nothing at that, and
            // write out, or refuse, at a close (FUSE).
            true => file.sync_all().and_then(|()| close_again(file)),
            false => close_again(file),
        };
        if let Err(error) = written {
            let error = self.explain(error);
            self.discard();
            return Err(error);
        }
        Ok(self)
    }

    /// Returns the size, and which file it is. Some disks (fusefat) cut nothing though they say so: then bytes of an earlier
    /// try stand behind the end.
    fn measure(&self) -> io::Result<(u64, FileId)> {
        let mut file = self.file();
        let (written, meta) = (file.stream_position()?, file.metadata()?);
        let held = meta.len();
        let is_gone = |partial: &Partial| partial.is_gone(self.dir.as_fd());
        if meta.nlink() == 0 && self.partial.as_ref().is_some_and(is_gone) {
            let found = "another program has removed the unfinished upload; send it again";
            return Err(io::Error::other(found));
        }
        if written == held {
            let (device, inode) = (meta.dev(), meta.ino());
            return Ok((held, FileId { device, inode }));
        }
        let found = format!("the disk holds {held} bytes where {written} were written");
        Err(io::Error::other(found))
    }

    fn finish(&self, modified: Option<SystemTime>) -> io::Result<()> {
        let file = self.file();
        if (self.has_rest() || self.copies()) && !self.started.load(Ordering::Relaxed) {
            // Its end would be another upload's.
            return Err(io::Error::other("the upload was never started"));
        }
        self.ahead.trim(file, self.kept() > 0);
        self.set_access()?;
        if let Some(modified) = modified {
            futimens(file, &modified_at(modified))?;
        }
        Ok(())
    }

    fn publish(&self, only_new: bool) -> Result<SharePath, ShareError> {
        let partial = &self
            .partial
            .as_ref()
            .expect("publish comes before the partial is gone")
            .name;
        match self.taken {
            Taken::Replace if only_new => {
                self.ensure_unchanged()?;
                self.take_free_name(partial)
            }
            Taken::Replace => self.replace(partial),
            Taken::Rename | Taken::Refuse => self.take_free_name(partial),
        }
    }

    /// Refuses where the name has to be what it was when the upload began, and is not.
    pub(super) fn ensure_unchanged(&self) -> Result<(), ShareError> {
        match self.unchanged.is_some_and(|base| base != self.base()) {
            true => Err(self.busy()),
            false => Ok(()),
        }
    }

    /// Takes the final name if it is free, or one beside it where that is allowed.
    fn take_free_name(&self, partial: &OsStr) -> Result<SharePath, ShareError> {
        let first = self.path.name().unwrap_or_default();
        for n in 0..MOST_TRIES {
            let name = match n {
                0 => first.to_owned(),
                _ => names::beside(first, n),
            };
            let to = names::to_disk(&name);
            match rename_to_free(&self.dir, partial, &self.dir, &to) {
                Ok(()) => return self.beside(&name),
                // Where a rename is a link and an unlink, the second may fail; and a disk behind a network may
                // have been asked twice.
                Err(_) if self.has_name(&to, partial) => {
                    let _swept_otherwise = unlinkat(&self.dir, partial, AtFlags::empty());
                    return self.beside(&name);
                }
                Err(Errno::EXIST) if self.taken == Taken::Rename => {}
                // What came is not a whole file: it belongs behind that one.
                Err(Errno::EXIST) if self.appends && !self.is_second => return Err(self.busy()),
                Err(error) => return Err(self.explain(error.into())),
            }
        }
        Err(ShareError::Exists {
            path: self.path.clone(),
        })
    }

    fn beside(&self, name: &str) -> Result<SharePath, ShareError> {
        let parent = self.path.parent().unwrap_or_else(SharePath::root);
        let path = parent.join(name);
        path.map_err(|_| self.explain(Errno::INVAL.into()))
    }

    /// Tells whether a name is that of this upload's file: beside its partial's, or in its place. Some disks
    /// number their files at random, or not at all.
    fn has_name(&self, name: &OsStr, partial: &OsStr) -> bool {
        let look = |name| statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW);
        let (Ok(there), Ok(ours)) = (look(name), fstat(self.file())) else {
            return false;
        };
        let is_linked = ours.st_nlink > 1 || look(partial).err() == Some(Errno::NOENT);
        is_linked && ours.st_ino != 0 && FileId::of(&there) == FileId::of(&ours)
    }

    /// Looks at what stands under the final name now.
    fn base(&self) -> Option<Base> {
        let stat = statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        stat.ok().as_ref().map(Base::of)
    }
}

/// A whole upload without its name. Dropped, it is kept as a partial.
#[derive(Debug)]
pub struct Settled {
    upload: Upload,
    size: u64,
    id: FileId,
}

impl Settled {
    /// Tells whether [`Settled::publish`] waits until the disk has the directory.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.upload.home.uploads.fsync == Fsync::FileAndDir
    }

    /// Gives the file its final name.
    ///
    /// # Errors
    /// The final name is as it was, and the partial is kept unless nobody could go on with it; or the directory could not be forced to
    /// the disk afterwards.
    pub fn publish(self) -> Result<Committed, ShareError> {
        self.publish_as(false)
    }

    /// As [`Settled::publish`], and never over another file.
    ///
    /// # Errors
    /// As there; [`ShareError::Exists`] where the name is taken.
    pub fn publish_new(self) -> Result<Committed, ShareError> {
        self.publish_as(true)
    }

    fn publish_as(self, only_new: bool) -> Result<Committed, ShareError> {
        let forces_dir = self.is_forced();
        let (mut upload, size, id) = (self.upload, self.size, self.id);
        let path = match upload.publish(only_new) {
            Ok(path) => path,
            Err(error) => return Err(upload.leave(error, !only_new)),
        };
        if let Some(partial) = upload.partial.take() {
            partial.forget_rival(upload.dir.as_fd());
        }
        if forces_dir {
            end_turn(&upload.dir);
            force_dir(&upload.dir).map_err(|error| ShareError::from_io(&path, error))?;
        }
        Ok(Committed { path, size, id })
    }
}

/// Waits until the disk has the names of a directory.
pub(in crate::share) fn force_dir(dir: &OwnedFd) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(dir, ".", flags, Mode::empty()) {
        Ok(dir) => Ok(rustix::fs::fsync(dir)?),
        // A drop-box directory that only takes: the file has its name and is on the disk.
        Err(Errno::ACCESS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
