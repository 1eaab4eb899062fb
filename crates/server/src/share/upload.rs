//! One upload: a partial that takes its final name when it is whole, or is kept, or is removed.

mod access;
mod ahead;
mod base;
mod begin;
mod leave;
mod link;
mod publish;
mod replace;
mod unique;

pub(super) use access::default_list;
use ahead::Ahead;
use leave::close_again;
pub use publish::Settled;
pub(super) use publish::force_dir;
use unique::Promise;

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::fd::{AsFd as _, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use ftp_config::{SharePath, server::Fsync};
use rustix::fs::Stat;

use super::{
    ShareError,
    error::whose,
    holders::Hold,
    meta::FileId,
    partial::{Base, Partial, unmark},
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
    /// Tells whether the name is still that of this file.
    pub id: FileId,
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
    /// Bytes that the client has said the file has (ALLO).
    announced: Option<u64>,
    /// Mode of the finished file.
    mode: u32,
    taken: Taken,
    /// What the name must still be when the upload is finished; `None`: whatever it is.
    unchanged: Option<Option<Base>>,
    /// Bytes that may come before the disk is asked for room again.
    room: room::Grant,
    ahead: Ahead,
    started: AtomicBool,
    /// Bytes of the file that is there which are still to be copied.
    to_copy: Option<u64>,
    /// The partial begins with them already.
    has_base: bool,
    /// Bytes of it that the partial must begin with.
    to_compare: u64,
    /// Bytes that the file that is there begins with too.
    copied: AtomicU64,
    /// It was begun by APPE.
    appends: bool,
    /// A file stood under the name when the upload began.
    is_second: bool,
    /// The name that its client was told (STOU).
    _promise: Option<Promise>,
    /// Says that the partial is held; it goes after it.
    pub(super) hold: Option<Hold>,
}

impl Upload {
    /// Tells whether [`Upload::start`] has to copy what is there, however large it is.
    #[must_use]
    pub fn copies(&self) -> bool {
        self.to_copy.is_some()
    }

    /// Begins to write: what an earlier try left behind the first byte goes, or what is there is copied.
    /// To be called when the bytes can come, so that a client that does not get through loses nothing.
    ///
    /// # Errors
    /// What the disk says; [`ShareError::Stopped`] while it copied.
    pub fn start(&mut self, is_stopped: &dyn Fn() -> bool) -> Result<(), ShareError> {
        if self.kept() > 0 {
            unmark(self.file());
        }
        if let Some(bytes) = self.to_copy.take() {
            self.ensure_alike(self.to_compare, is_stopped)?;
            let taken = self.take_base(bytes, is_stopped);
            self.started.store(taken.is_ok(), Ordering::Relaxed);
            return taken;
        }
        self.started.store(true, Ordering::Relaxed);
        if !self.has_rest() {
            return Ok(());
        }
        let cut = self.file().set_len(self.offset);
        cut.map_err(|error| {
            // A disk that cuts nothing (fusefat): the next try would meet the same bytes.
            if let Some(partial) = &self.partial {
                partial.remove(self.dir.as_fd());
            }
            self.explain(error)
        })
    }

    /// Makes an error of what the system said of the file or of the directory that holds it.
    fn explain(&self, error: io::Error) -> ShareError {
        match ShareError::from_io(&self.path, error) {
            ShareError::Denied { path, .. } => {
                let whose = whose(&self.dir);
                ShareError::Denied { path, whose }
            }
            other => other,
        }
    }

    /// Tells whether an earlier try left bytes behind the place where writing begins.
    fn has_rest(&self) -> bool {
        self.kept() > self.offset
    }

    /// Returns the file to write to, placed where writing begins.
    #[must_use]
    pub fn file(&self) -> &File {
        let partial = self.partial.as_ref();
        &partial
            .expect("an upload holds its partial until commit or drop consume it")
            .file
    }

    /// Lets the same account's next try stop this one, when its client seems to be gone.
    pub fn obey(&mut self, stop: Arc<dyn Fn() + Send + Sync>) {
        let partial = self.partial.as_ref();
        self.hold = partial.map(|partial| Hold::enter(partial.id, stop));
    }

    /// Returns the name asked for, links followed; of [`Intent::Unique`] the one that was found for it.
    #[must_use]
    pub fn path(&self) -> &SharePath {
        &self.path
    }

    /// Refuses when `more` bytes would eat into the reserve; to be asked before each block. A large file gets what is
    /// granted for its own.
    ///
    /// # Errors
    /// [`ShareError::Full`].
    pub fn ensure_room(&self, more: u64) -> Result<(), ShareError> {
        let (dir, reserve) = (&self.dir, self.home.reserve);
        let spent = self.room.spend(more, dir, reserve, &self.path);
        spent.map_err(|error| error.of_whole(self.ahead.at(), self.announced))?;
        self.ahead.reach(self.file(), more, &self.room);
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
}
