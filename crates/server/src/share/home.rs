//! One account's window on the share: `/` is its home, and every act asks for its right first.
//!
//! Every function here blocks: engines call them on threads that may.

use std::{
    fs::File,
    io,
    ops::Range,
    os::fd::{AsRawFd, BorrowedFd},
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use ftp_config::{Right, SharePath};
use rustix::fs::{Mode, OFlags, fstat};

use super::{
    Algorithm, Home, Kind, ListOptions, Listing, Meta, Room, ShareError, error::whose, hash,
    jail::Holder, names, room,
};

/// A file opened for reading.
#[derive(Debug)]
pub struct Download {
    /// The file, at the offset asked for.
    pub file: File,
    /// Its facts when it was opened.
    pub meta: Meta,
}

impl Home {
    /// Asks for a right.
    ///
    /// # Errors
    /// [`ShareError::Right`].
    pub fn need(&self, right: Right, path: &SharePath) -> Result<(), ShareError> {
        if self.account.rights.allows(right) {
            return Ok(());
        }
        Err(ShareError::Right {
            path: path.clone(),
            right,
        })
    }

    /// Returns the facts of what `path` names; links that stay inside are followed.
    ///
    /// # Errors
    /// No right to list, nothing there, or a link that leads outside.
    pub fn metadata(&self, path: &SharePath) -> Result<Meta, ShareError> {
        self.need(Right::List, path)?;
        self.look(path)
    }

    fn look(&self, path: &SharePath) -> Result<Meta, ShareError> {
        names::check(path)?;
        let stat = self
            .jail
            .stat(path)
            .map_err(|error| self.explain(path, error))?;
        Ok(Meta::of(&stat))
    }

    /// Checks that `path` is a directory that one may work in.
    ///
    /// Needs no right: an account that may only add files must still find its way.
    ///
    /// # Errors
    /// Nothing there, not a directory, or a link that leads outside.
    pub fn check_dir(&self, path: &SharePath) -> Result<(), ShareError> {
        match self.look(path)?.kind {
            Kind::Dir => Ok(()),
            _ => Err(ShareError::NotDirectory { path: path.clone() }),
        }
    }

    /// Reads a directory; its entries' facts are read as they are asked for.
    ///
    /// # Errors
    /// No right to list, nothing there, or not a directory.
    pub fn list(&self, path: &SharePath, options: ListOptions) -> Result<Listing, ShareError> {
        self.need(Right::List, path)?;
        names::check(path)?;
        let options = ListOptions {
            all: options.all || self.shared.show_dotfiles,
            ..options
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        self.jail
            .get(path, flags, Mode::empty())
            .and_then(|dir| Listing::read(Arc::clone(&self.jail), dir, path.clone(), options))
            .map_err(|error| self.explain(path, error))
    }

    /// Opens a file for reading at `offset`.
    ///
    /// What is not a regular file is refused without being opened.
    ///
    /// # Errors
    /// No right to read, nothing there, not a file, or an offset behind the end.
    pub fn open_read(&self, path: &SharePath, offset: u64) -> Result<Download, ShareError> {
        self.need(Right::Read, path)?;
        let (file, meta) = self.open_file(path)?;
        if offset > meta.size {
            let (path, size) = (path.clone(), meta.size);
            return Err(ShareError::Offset { path, offset, size });
        }
        if offset > 0 {
            rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(offset))
                .map_err(|error| ShareError::from_io(path, error.into()))?;
        }
        Ok(Download { file, meta })
    }

    fn open_file(&self, path: &SharePath) -> Result<(File, Meta), ShareError> {
        match self.look(path)?.kind {
            Kind::File => {}
            Kind::Dir => return Err(ShareError::IsDirectory { path: path.clone() }),
            Kind::Link | Kind::Other => return Err(ShareError::Special { path: path.clone() }),
        }
        // Between the look and the open the name may become a FIFO: NONBLOCK keeps that harmless.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let io = |error| self.explain(path, error);
        let fd = self.jail.get(path, flags, Mode::empty()).map_err(io)?;
        let meta = Meta::of(&fstat(&fd).map_err(|error| io(error.into()))?);
        if meta.kind != Kind::File {
            return Err(ShareError::Special { path: path.clone() });
        }
        Ok((File::from(fd), meta))
    }

    /// Returns the room that uploads may use, the reserve taken off.
    ///
    /// # Errors
    /// No right to list, for what is no directory: which names there are is not told by this either; or what
    /// the system says.
    pub fn free_space(&self, path: &SharePath) -> Result<Room, ShareError> {
        names::check(path)?;
        if self.check_dir(path).is_err() {
            self.need(Right::List, path)?;
        }
        let dir = self.jail.get(path, OFlags::PATH, Mode::empty());
        let room = dir.and_then(|dir| room::ask(dir, self.shared.reserve));
        match room {
            // Some FUSE mounts tell no size, which does not mean that they are full.
            Ok(room) if room.total == 0 => Err(ShareError::Unsupported { path: path.clone() }),
            other => other.map_err(|error| self.explain(path, error)),
        }
    }

    /// Refuses when `bytes` do not fit below `path` (ALLO).
    ///
    /// # Errors
    /// [`ShareError::Full`] with the figures.
    pub fn check_room(&self, path: &SharePath, bytes: u64) -> Result<(), ShareError> {
        let dir = self.jail.get(path, OFlags::PATH, Mode::empty());
        let dir = dir.map_err(|error| self.explain(path, error))?;
        room::check(dir, self.shared.reserve, path, bytes)
    }

    /// Returns the digest of `range` of a file in lower-case hex; `range` is cut at the end.
    ///
    /// # Errors
    /// As [`Home::open_read`], and [`ShareError::Stopped`] when `stop` became true.
    pub fn hash(
        &self,
        path: &SharePath,
        algorithm: Algorithm,
        range: Range<u64>,
        stop: &AtomicBool,
    ) -> Result<(String, Range<u64>), ShareError> {
        let download = self.open_read(path, range.start)?;
        let range = range.start..range.end.min(download.meta.size);
        let places = &self.shared.hashing;
        let hex = hash::digest(places, &download.file, path, algorithm, range.clone(), stop)?;
        Ok((hex, range))
    }

    pub(super) fn parent_of(&self, path: &SharePath) -> Result<Holder, ShareError> {
        self.held(path, self.jail.holder(path))
    }

    /// As [`Home::parent_of`], for a name that is to be made.
    pub(super) fn place_of(&self, path: &SharePath) -> Result<Holder, ShareError> {
        self.held(path, self.jail.holder_of_new(path))
    }

    fn held(
        &self,
        path: &SharePath,
        holder: io::Result<Option<Holder>>,
    ) -> Result<Holder, ShareError> {
        match holder {
            Ok(Some(holder)) => Ok(holder),
            Ok(None) => Err(ShareError::Root),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = path.parent().unwrap_or_else(SharePath::root);
                Err(ShareError::NoParent {
                    path: path.clone(),
                    parent,
                })
            }
            Err(error) => Err(self.explain(path, error)),
        }
    }

    /// Makes an error of what the system said, with the facts that help a person.
    pub(super) fn explain(&self, path: &SharePath, error: io::Error) -> ShareError {
        match ShareError::from_io(path, error) {
            ShareError::Io { path, source } if source.kind() == io::ErrorKind::ResourceBusy => {
                ShareError::InUse { path }
            }
            ShareError::Denied { path, .. } => {
                // The nearest thing that can be seen is what refused, or holds what refused.
                let seen = std::iter::successors(Some(path.clone()), SharePath::parent)
                    .find_map(|path| self.jail.get(&path, OFlags::PATH, Mode::empty()).ok());
                let whose = seen.map_or_else(|| "owner unknown".to_owned(), whose);
                ShareError::Denied { path, whose }
            }
            other => other,
        }
    }
}

/// The one way to act on what an `O_PATH` handle holds.
pub(super) fn proc_path(fd: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Returns the path on disk of a handle.
pub(super) fn path_of(fd: BorrowedFd<'_>) -> io::Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let path = rustix::fs::readlinkat(rustix::fs::CWD, link, Vec::new())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(
        path.into_bytes(),
    )))
}
