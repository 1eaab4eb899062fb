//! One upload: a partial that takes its final name when it is whole, or is kept, or is removed.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Seek as _, SeekFrom},
    os::fd::{AsFd as _, OwnedFd},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::SystemTime,
};

use ftp_config::{
    Right, SharePath,
    server::{Fsync, OnDuplicate, Uploads},
};
use rustix::{
    fs::{
        Access, AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps,
        UTIME_OMIT, accessat, fchmod, futimens, linkat, openat, renameat, renameat_with, statat,
        unlinkat,
    },
    io::Errno,
};

use super::{
    Home, Meta, ShareError,
    jail::{Holder, file_type},
    names,
    partial::{self, Base, Partial},
    room,
};

/// What an upload is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// STOR, from an offset when REST came before.
    Store {
        /// The byte at which the client begins.
        offset: u64,
    },
    /// APPE: behind what is there.
    Append,
    /// STOU: under a name that is free.
    Unique,
}

impl Intent {
    /// Tells whether it goes on behind bytes that are there already.
    fn resumes(self) -> bool {
        matches!(self, Self::Append | Self::Store { offset: 1.. })
    }
}

/// What an upload became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its final name, which may differ from the one asked for.
    pub path: SharePath,
    /// Its size.
    pub size: u64,
}

/// What the system tells of a name, or why it does not.
type Look = io::Result<Stat>;

/// What happens when the final name is taken at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Replace,
    Rename,
    Refuse,
}

/// An upload on its way. Dropped without [`Upload::commit`], it leaves the final name as it was
/// and keeps its partial for a later try.
#[derive(Debug)]
pub struct Upload {
    home: Arc<super::Shared>,
    dir: OwnedFd,
    partial: Option<Partial>,
    path: SharePath,
    name: OsString,
    offset: u64,
    /// Mode of the finished file.
    mode: u32,
    taken: Taken,
    /// What the name must still be when the upload is finished; `None`: whatever it is.
    unchanged: Option<Option<Base>>,
    /// Bytes that may come before the disk is asked for room again.
    room: AtomicU64,
    started: AtomicBool,
    /// A file stood under the name when the upload began.
    is_second: bool,
}

impl Home {
    /// Begins an upload: rights, name, room and offset are checked before a byte moves.
    ///
    /// `expected` is the size that the client announced (ALLO), if it did.
    ///
    /// # Errors
    /// Whatever stands in the way; nothing was changed.
    pub fn begin_upload(
        &self,
        path: &SharePath,
        intent: Intent,
        expected: Option<u64>,
    ) -> Result<Upload, ShareError> {
        self.need(Right::Write, path)?;
        names::check(path)?;
        names::check_new(path)?;
        let (path, holder, stat) = self.real_target(path)?;
        let base = stat.as_ref().ok().map(Base::of);
        let there = self.what_is_there(stat, &path)?;
        let uploads = &self.shared.uploads;
        let taken = self.when_taken(&path, intent, there.is_some())?;
        let error = |error| self.explain(&path, error);
        if there.is_some() && taken == Taken::Replace {
            // A rename would replace what the system's owner has protected.
            let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
            // Kernels before 5.8 know no flags here: there the rename decides.
            let writable = accessat(&holder.dir, &holder.name, Access::WRITE_OK, flags);
            if let Err(refused @ (Errno::ACCESS | Errno::PERM)) = writable {
                return Err(error(refused.into()));
            }
        }
        let needed = expected.unwrap_or(1);
        let room = room::check(&holder.dir, self.shared.reserve, &path, needed)?;
        let partial =
            partial::open(holder.dir.as_fd(), &self.account, &holder.name, base).map_err(error)?;
        let resumes = intent.resumes();
        let mut upload = Upload {
            home: Arc::clone(&self.shared),
            dir: holder.dir,
            partial: Some(partial),
            path,
            name: holder.name,
            offset: 0,
            // Never set-id bits: new bytes must not run with the rights that the old ones were given.
            mode: there.map_or(uploads.mode & !self.shared.umask, |meta| meta.mode) & 0o777,
            taken,
            unchanged: resumes.then_some(base),
            room: AtomicU64::new(room),
            started: AtomicBool::new(false),
            is_second: there.is_some(),
        };
        if let Err(error) = upload.prepare(intent, there) {
            upload.give_back();
            return Err(error);
        }
        Ok(upload)
    }

    /// Follows a link that stays inside to the file it names, so that the link itself stays; and
    /// looks at that name.
    fn real_target(&self, path: &SharePath) -> Result<(SharePath, Holder, Look), ShareError> {
        let holder = self.parent_of(path)?;
        let stat = holder.lstat();
        let is_link = |stat: &Stat| file_type(stat) == FileType::Symlink;
        if !stat.as_ref().is_ok_and(is_link) {
            return Ok((path.clone(), holder, stat));
        }
        let io = |error| ShareError::from_io(path, error);
        let fd = self
            .jail
            .get(path, OFlags::PATH, Mode::empty())
            .map_err(io)?;
        let real = super::home::path_of(fd.as_fd()).map_err(io)?;
        let root = super::home::path_of(self.jail.root()).map_err(io)?;
        let outside = || ShareError::Outside { path: path.clone() };
        let inside = real.strip_prefix(&root).map_err(|_| outside())?;
        let text = names::from_disk(inside.as_os_str().as_encoded_bytes());
        let real = SharePath::root().join(&text).map_err(|_| outside())?;
        let holder = self.parent_of(&real)?;
        let stat = holder.lstat();
        Ok((real, holder, stat))
    }

    fn what_is_there(&self, stat: Look, path: &SharePath) -> Result<Option<Meta>, ShareError> {
        let stat = match stat {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.explain(path, error)),
        };
        match file_type(&stat) {
            FileType::RegularFile => Ok(Some(Meta::of(&stat))),
            FileType::Directory => Err(ShareError::IsDirectory { path: path.clone() }),
            FileType::Symlink => Err(ShareError::Outside { path: path.clone() }),
            _ => Err(ShareError::Special { path: path.clone() }),
        }
    }

    /// Decides what a taken name means, and refuses at once what could not be finished.
    fn when_taken(
        &self,
        path: &SharePath,
        intent: Intent,
        exists: bool,
    ) -> Result<Taken, ShareError> {
        let may_replace = self.account.rights.allows(Right::Overwrite);
        match self.shared.uploads.on_duplicate {
            _ if intent == Intent::Unique => Ok(Taken::Rename),
            _ if intent.resumes() && exists && !may_replace => {
                self.need(Right::Overwrite, path).map(|()| Taken::Refuse)
            }
            // To append is to change this file, and takes nothing from it.
            _ if intent == Intent::Append && exists => Ok(Taken::Replace),
            OnDuplicate::Rename => Ok(Taken::Rename),
            OnDuplicate::Refuse if exists => Err(ShareError::Exists { path: path.clone() }),
            OnDuplicate::Refuse => Ok(Taken::Refuse),
            OnDuplicate::Overwrite if may_replace => Ok(Taken::Replace),
            OnDuplicate::Overwrite if exists => {
                self.need(Right::Overwrite, path).map(|()| Taken::Refuse)
            }
            OnDuplicate::Overwrite => Ok(Taken::Refuse),
        }
    }
}

impl Upload {
    /// Puts the partial at the byte at which the client begins.
    fn prepare(&mut self, intent: Intent, there: Option<Meta>) -> Result<(), ShareError> {
        let kept = self.partial.as_ref().map_or(0, |partial| partial.kept);
        let wanted = match (intent, there) {
            (Intent::Store { offset }, _) => offset,
            (Intent::Append, Some(meta)) => meta.size,
            (Intent::Append, None) => kept,
            (Intent::Unique, _) => 0,
        };
        let size = there.map_or(0, |meta| meta.size);
        // A client that goes on at the size it is told means the file that it sees (RFC 3659 §5).
        let from_kept = match intent {
            Intent::Append => there.is_none(),
            _ => wanted <= kept && (wanted == 0 || wanted != size),
        };
        let path = self.path.clone();
        let io = |error| ShareError::from_io(&path, error);
        if from_kept {
            // What is kept behind that byte goes when the first new byte can come.
        } else if wanted <= size {
            self.copy_base(wanted)?;
        } else {
            let size = size.max(kept);
            return Err(ShareError::Offset {
                path,
                offset: wanted,
                size,
            });
        }
        if wanted > 0 {
            self.file().seek(SeekFrom::Start(wanted)).map_err(io)?;
        }
        self.offset = wanted;
        Ok(())
    }

    /// Copies the first bytes of the file that is there; the file itself stays untouched.
    fn copy_base(&mut self, bytes: u64) -> Result<(), ShareError> {
        room::check(&self.dir, self.home.reserve, &self.path, bytes)?;
        let io = |error: io::Error| ShareError::from_io(&self.path, error);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let base = openat(&self.dir, &self.name, flags, Mode::empty()).map_err(|e| io(e.into()))?;
        self.file().set_len(0).map_err(io)?;
        let mut base = io::Read::take(File::from(base), bytes);
        let copied = io::copy(&mut base, &mut self.file()).map_err(io)?;
        if copied != bytes {
            let path = self.path.clone();
            return Err(ShareError::Offset {
                path,
                offset: bytes,
                size: copied,
            });
        }
        Ok(())
    }

    /// Begins to write: what an earlier try left behind the first byte goes. To be called when the
    /// bytes can come, so that a client that does not get through loses nothing.
    ///
    /// # Errors
    /// What the disk says.
    pub fn start(&self) -> Result<(), ShareError> {
        self.started.store(true, Ordering::Relaxed);
        if !self.has_rest() {
            return Ok(());
        }
        let cut = self.file().set_len(self.offset);
        cut.map_err(|error| ShareError::from_io(&self.path, error))
    }

    /// Tells whether an earlier try left bytes behind the place where writing begins.
    fn has_rest(&self) -> bool {
        let kept = self.partial.as_ref().map_or(0, |partial| partial.kept);
        kept > self.offset
    }

    /// Returns the file to write to, placed where writing begins.
    #[must_use]
    pub fn file(&self) -> &File {
        let partial = self.partial.as_ref();
        &partial
            .expect("an upload holds its partial until commit or drop consume it")
            .file
    }

    /// Returns the byte at which writing begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the name asked for, links followed.
    #[must_use]
    pub fn path(&self) -> &SharePath {
        &self.path
    }

    /// Refuses when `more` bytes would eat into the reserve; to be asked before each block.
    ///
    /// # Errors
    /// [`ShareError::Full`].
    pub fn ensure_room(&self, more: u64) -> Result<(), ShareError> {
        let granted = self.room.load(Ordering::Relaxed);
        let left = match granted.checked_sub(more) {
            Some(left) => left,
            None => room::check(&self.dir, self.home.reserve, &self.path, more)? - more,
        };
        self.room.store(left, Ordering::Relaxed);
        Ok(())
    }

    /// Tells whether there is a file that this one replaces.
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.is_second && self.taken == Taken::Replace
    }

    /// Tells whether [`Upload::commit`] waits until the disk has the file.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.home.uploads.fsync != Fsync::Never
    }

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
    /// The partial is kept.
    pub fn settle(self, modified: Option<SystemTime>) -> Result<Settled, ShareError> {
        let size = self
            .finish(modified)
            .map_err(|error| ShareError::from_io(&self.path, error))?;
        Ok(Settled { upload: self, size })
    }

    fn finish(&self, modified: Option<SystemTime>) -> io::Result<u64> {
        let file = self.file();
        if self.has_rest() && !self.started.load(Ordering::Relaxed) {
            // Its end would be another upload's.
            return Err(io::Error::other("the upload was never started"));
        }
        match fchmod(file, Mode::from_raw_mode(self.mode)) {
            // FAT, exFAT and some network disks keep no modes: their files are whole without one.
            Ok(()) | Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(modified) = modified {
            let omit = Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            };
            let times = Timestamps {
                last_access: omit,
                last_modification: timespec(modified),
            };
            futimens(file, &times)?;
        }
        if self.is_forced() {
            // Times and mode are to survive too, so not only the data.
            file.sync_all()?;
        }
        Ok(file.metadata()?.len())
    }

    fn publish(&self) -> Result<SharePath, ShareError> {
        let io = |error: Errno| ShareError::from_io(&self.path, error.into());
        let partial = &self
            .partial
            .as_ref()
            .expect("publish comes before the partial is gone")
            .name;
        // One at a time: what another append has just published is seen here.
        let _turn = self.unchanged.map(|_| {
            static TURN: Mutex<()> = Mutex::new(());
            TURN.lock().unwrap_or_else(PoisonError::into_inner)
        });
        if self.taken == Taken::Replace && self.unchanged.is_some_and(|base| base != self.base()) {
            return Err(ShareError::Busy {
                path: self.path.clone(),
            });
        }
        if self.taken == Taken::Replace {
            renameat(&self.dir, partial, &self.dir, &self.name).map_err(io)?;
            return Ok(self.path.clone());
        }
        let first = self.path.name().unwrap_or_default().to_owned();
        for n in 0..10_000 {
            let name = if n == 0 {
                first.clone()
            } else {
                names::beside(&first, n)
            };
            let to = names::to_disk(&name);
            match rename_to_free(&self.dir, partial, &self.dir, &to) {
                Ok(()) => {
                    let parent = self.path.parent().unwrap_or_else(SharePath::root);
                    return parent.join(&name).map_err(|_| io(Errno::INVAL));
                }
                Err(Errno::EXIST) if self.taken == Taken::Rename => {}
                Err(error) => return Err(io(error)),
            }
        }
        Err(ShareError::Exists {
            path: self.path.clone(),
        })
    }

    /// Looks at what stands under the final name now.
    fn base(&self) -> Option<Base> {
        let stat = statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        stat.ok().as_ref().map(Base::of)
    }

    /// Removes the partial: it could never be finished (no room, refused by the client).
    pub fn discard(mut self) {
        if let Some(partial) = self.partial.take() {
            let _ = unlinkat(&self.dir, &partial.name, AtFlags::empty());
        }
    }

    /// Leaves a partial that was opened for nothing as it was found.
    fn give_back(&mut self) {
        if let Some(partial) = self.partial.take().filter(|partial| partial.kept == 0) {
            let _ = unlinkat(&self.dir, &partial.name, AtFlags::empty());
        }
    }
}

/// A whole upload without its name. Dropped, it is kept as a partial.
#[derive(Debug)]
pub struct Settled {
    upload: Upload,
    size: u64,
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
    /// The final name is as it was, and the partial is kept; or the directory could not be forced to
    /// the disk afterwards.
    pub fn publish(self) -> Result<Committed, ShareError> {
        let forces_dir = self.is_forced();
        let Self { mut upload, size } = self;
        let path = upload.publish()?;
        upload.partial = None;
        if forces_dir {
            let io = |error| ShareError::from_io(&path, error);
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            match openat(&upload.dir, ".", flags, Mode::empty()) {
                Ok(dir) => rustix::fs::fsync(dir).map_err(|error| io(error.into()))?,
                // A drop-box directory that only takes: the file has its name and is on the disk.
                Err(Errno::ACCESS) => {}
                Err(error) => return Err(io(error.into())),
            }
        }
        Ok(Committed { path, size })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(partial) = self.partial.take() else {
            return;
        };
        let empty = partial.file.metadata().map_or(true, |meta| meta.len() == 0);
        if empty || keeps_nothing(&self.home.uploads) {
            // The lock is still held: nobody can have opened this partial to go on with it.
            let _ = unlinkat(&self.dir, &partial.name, AtFlags::empty());
        }
    }
}

fn keeps_nothing(uploads: &Uploads) -> bool {
    uploads.keep_partial_for.is_zero()
}

pub(super) fn timespec(time: SystemTime) -> Timespec {
    let (secs, nanos) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            since.subsec_nanos(),
        ),
        Err(before) => (
            -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
            0,
        ),
    };
    Timespec {
        tv_sec: secs,
        tv_nsec: nanos.into(),
    }
}

/// Asks the owner and mode of what refused, for the words of [`ShareError::Denied`].
pub(super) fn whose(dir: impl std::os::fd::AsFd) -> String {
    let Ok(stat) = statat(dir, "", AtFlags::EMPTY_PATH) else {
        return "owner unknown".to_owned();
    };
    let user = nix::unistd::User::from_uid(stat.st_uid.into())
        .ok()
        .flatten();
    let owner = user.map_or_else(|| stat.st_uid.to_string(), |user| user.name);
    format!("owner {owner}, mode {:o}", stat.st_mode & 0o7777)
}

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

    #[test]
    fn what_refused_is_told_by_its_owners_name() {
        let root = File::open("/").unwrap();
        assert!(
            whose(&root).starts_with("owner root, mode "),
            "{}",
            whose(&root)
        );
    }
}
