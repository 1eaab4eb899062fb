//! Hears what the system tells of watched directories.

use std::{
    ffi::OsString,
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags};

use super::Stamps;

/// Room for a dozen events with long names.
const EVENTS: usize = 4096;

/// Hears what becomes of the names that matter.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) inotify: OwnedFd,
    /// In whatever directory.
    pub(super) names: Mutex<Vec<OsString>>,
    order: Mutex<Option<Order>>,
    /// How many directories could not be watched when they were last looked at.
    pub(super) deaf: AtomicUsize,
}

/// Files to watch, for states other than these.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) files: Vec<PathBuf>,
    pub(super) seen: Stamps,
}

impl Ear {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            inotify: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?,
            names: Mutex::default(),
            order: Mutex::default(),
            deaf: AtomicUsize::new(0),
        })
    }

    pub(super) fn names(&self) -> MutexGuard<'_, Vec<OsString>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files that are to be watched in place of those of before.
    pub(super) fn order(&self) -> MutexGuard<'_, Option<Order>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all events that have come; tells whether one concerns the files.
    pub(super) fn take_events(&self) -> bool {
        let names = self.names();
        let mut buffer = [MaybeUninit::uninit(); EVENTS];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut concerns = false;
        while let Ok(event) = events.next() {
            let known = |name: &OsString| {
                event
                    .file_name()
                    .is_none_or(|told| told.to_bytes() == name.as_bytes())
            };
            // One without a name is of a directory, or says that some were lost.
            concerns |= !event.events().contains(ReadFlags::IGNORED) && names.iter().any(known);
        }
        concerns
    }
}

#[cfg(test)]
mod tests {
    use super::{super::CHANGES, *};

    #[test]
    fn what_is_written_beside_the_files_wakes_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("ftp.toml"), "a").unwrap();
        // Nobody else takes the events.
        let ear = Ear::new().unwrap();
        ear.names().push("ftp.toml".into());
        inotify::add_watch(&ear.inotify, dir.path(), CHANGES).unwrap();
        std::fs::write(path("xferlog"), "line").unwrap();
        std::fs::read(path("ftp.toml")).unwrap();
        assert!(!ear.take_events());
        std::fs::write(path("ftp.toml"), "b").unwrap();
        assert!(ear.take_events() && !ear.take_events());
    }
}
