//! Looks at the watched files, on a thread that may be held by their disk.

use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify,
    io::Errno,
};
use tokio::sync::mpsc;
use tracing::warn;

use super::{
    CHANGES, SETTLE, Stamps,
    ear::{Ear, Order},
    places::places_of,
};

/// How often a directory that comes and goes is looked for.
const TRIES: usize = 3;

/// The files, and what is known of them.
pub(super) struct Looker {
    files: Vec<PathBuf>,
    seen: Stamps,
    /// The watches of their directories.
    dirs: HashSet<i32>,
    /// Directories that could not be watched when they were last looked at.
    deaf: BTreeSet<PathBuf>,
    ear: Arc<Ear>,
}

impl Looker {
    pub(super) fn new(ear: Arc<Ear>) -> Self {
        Self {
            files: Vec::new(),
            seen: Stamps::default(),
            dirs: HashSet::new(),
            deaf: BTreeSet::new(),
            ear,
        }
    }

    /// Watches what it is told to, and tells when that has changed, until the other end of `woken` is closed.
    pub(super) fn watch(mut self, woken: &OwnedFd, heard: &mpsc::Sender<()>) {
        // Something may have changed since `seen`: when it will be at rest.
        let mut at_rest: Option<Instant> = None;
        loop {
            let wait = at_rest.map(|at| at.saturating_duration_since(Instant::now()));
            let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
            let mut fds = [
                PollFd::new(&self.ear.inotify, PollFlags::IN),
                PollFd::new(woken, PollFlags::IN),
            ];
            match poll(&mut fds, wait.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            let is_told = !fds[1].revents().is_empty();
            if is_told && matches!(rustix::io::read(woken, &mut [0; 64]), Ok(0)) {
                return;
            }
            if self.take_order() | self.ear.take_events() {
                at_rest = Some(Instant::now() + SETTLE);
            } else if at_rest.is_some_and(|at| at <= Instant::now()) {
                at_rest = None;
                self.look(heard);
            }
        }
    }

    /// Takes the files that are to be watched from now on, if others are.
    fn take_order(&mut self) -> bool {
        let Some(Order { files, mut seen }) = self.ear.order().take() else {
            return false;
        };
        // What the configuration names no more is no change.
        seen.0.retain(|file, _| files.contains(file));
        (self.files, self.seen) = (files, seen);
        self.deaf.clear();
        self.watch_places();
        // What was written before this watch is looked for without an event.
        true
    }

    /// Looks whether the files are what they were, and tells when not.
    fn look(&mut self, heard: &mpsc::Sender<()>) {
        // A directory may have come, gone, or become another one.
        self.watch_places();
        let now = Stamps::of(&self.files);
        if now == self.seen {
            return;
        }
        self.seen = now;
        let order = self.ear.order();
        // Whoever has named other files since is told of those.
        if order.is_none() {
            // One that waits already says as much.
            let _ = heard.try_send(());
        }
    }

    /// Watches each directory in which one of the files can become another one, and warns of those that cannot
    /// be, once.
    fn watch_places(&mut self) {
        let places: Vec<_> = self.files.iter().flat_map(|file| places_of(file)).collect();
        let name_of = |place: &PathBuf| place.file_name().map(OsStr::to_owned);
        *self.ear.names() = places.iter().filter_map(name_of).collect();
        let before = std::mem::take(&mut self.dirs);
        let mut deaf = BTreeSet::new();
        for dir in places.iter().filter_map(|place| place.parent()) {
            if let Err(error) = self.watch_dir(dir) {
                deaf.insert(dir.to_owned());
                if !self.deaf.contains(dir) {
                    warn!(dir = %dir.display(), %error, "changes here may not be seen before the next reload");
                }
            }
        }
        if deaf.is_empty() {
            for watch in before.difference(&self.dirs) {
                let _gone_with_its_directory = inotify::remove_watch(&self.ear.inotify, *watch);
            }
        } else {
            // A watch outlives the right to make one.
            self.dirs.extend(before);
        }
        self.ear.deaf.store(deaf.len(), Ordering::Relaxed);
        self.deaf = deaf;
    }

    /// Watches a directory; while it is not there, the nearest one above it, for its coming.
    fn watch_dir(&mut self, dir: &Path) -> Result<(), Errno> {
        for _ in 0..TRIES {
            let Some(missing) = self.watch_nearest(dir)? else {
                return Ok(());
            };
            // Between the two looks it may have come.
            if !missing.is_dir() {
                break;
            }
        }
        Ok(())
    }

    /// Watches the nearest directory that is there; returns the one below it that is not.
    fn watch_nearest<'a>(&mut self, dir: &'a Path) -> Result<Option<&'a Path>, Errno> {
        let mut missing = None;
        for at in dir.ancestors() {
            let there = match at.as_os_str().is_empty() {
                true => Path::new("."),
                false => at,
            };
            match inotify::add_watch(&self.ear.inotify, there, CHANGES) {
                Ok(watch) => {
                    self.dirs.insert(watch);
                    break;
                }
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    let name = at.file_name().map(OsStr::to_owned);
                    self.ear.names().extend(name);
                    missing = Some(at);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }
}
