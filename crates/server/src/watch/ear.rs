//! Hears what the system tells of watched directories.

use std::{
    ffi::OsString,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify::{self, ReadFlags},
    io::Errno,
};
use tokio::sync::mpsc;

/// Room for a dozen events with long names.
const EVENTS: usize = 4096;

/// Hears what becomes of the names that matter.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) inotify: OwnedFd,
    /// In whatever directory.
    pub(super) names: Mutex<Vec<OsString>>,
}

impl Ear {
    pub(super) fn names(&self) -> MutexGuard<'_, Vec<OsString>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens until the other end of `ended` is closed, or nobody wants to hear any more.
    pub(super) fn listen(&self, ended: &OwnedFd, heard: &mpsc::Sender<()>) {
        loop {
            let mut fds = [
                PollFd::new(&self.inotify, PollFlags::IN),
                PollFd::new(ended, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Err(Errno::INTR) => continue,
                Ok(_) if fds[1].revents().is_empty() => {}
                _ => return,
            }
            if self.take_events() {
                // One that waits already says as much.
                let _ = heard.try_send(());
            }
        }
    }

    /// Takes all events that have come; tells whether one concerns the files.
    fn take_events(&self) -> bool {
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
    use rustix::fs::inotify::CreateFlags;

    use super::{super::CHANGES, *};

    #[test]
    fn what_is_written_beside_the_files_wakes_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("ftp.toml"), "a").unwrap();
        // Nobody else takes the events.
        let ear = Ear {
            inotify: inotify::init(CreateFlags::NONBLOCK).unwrap(),
            names: Mutex::new(vec!["ftp.toml".into()]),
        };
        inotify::add_watch(&ear.inotify, dir.path(), CHANGES).unwrap();
        std::fs::write(path("xferlog"), "line").unwrap();
        std::fs::read(path("ftp.toml")).unwrap();
        assert!(!ear.take_events());
        std::fs::write(path("ftp.toml"), "b").unwrap();
        assert!(ear.take_events() && !ear.take_events());
    }
}
