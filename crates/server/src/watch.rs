//! Watches the configuration and the files it names, and says when they have settled after a
//! change. Reads none of them.

mod ear;
mod places;
mod stamps;

use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    future::pending,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use ftp_config::ServerConfig;
use rustix::{
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::Errno,
    pipe::{PipeFlags, pipe_with},
};
use tokio::{sync::mpsc, time::timeout};
use tracing::warn;

pub use self::stamps::Stamps;
use self::{ear::Ear, places::places_of};

/// Editors write in several steps; after the last one this long nothing must happen.
const SETTLE: Duration = Duration::from_millis(300);
/// How often a directory that comes and goes is looked for.
const TRIES: usize = 3;
/// What may make another file of a name. A file that is only written to is looked at when it is closed: a log beside
/// the configuration wakes nobody.
const CHANGES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF);

/// Waits for changes of a set of files. Its thread and its descriptors are for its whole life: a server that has run
/// out of both goes on watching.
#[derive(Debug)]
pub struct FileWatch {
    files: Vec<PathBuf>,
    seen: Stamps,
    /// The watches of their directories.
    dirs: HashSet<i32>,
    /// Directories that could not be watched when they were last looked at.
    deaf: BTreeSet<PathBuf>,
    ear: Arc<Ear>,
    heard: mpsc::Receiver<()>,
    /// Something may have changed since `seen`.
    is_stale: bool,
    /// The thread ends with it.
    _ended: OwnedFd,
}

/// Returns the files whose change calls for a reload.
#[must_use]
pub fn files_of(config_path: &Path, config: &ServerConfig) -> Vec<PathBuf> {
    let mut files = vec![config_path.to_owned()];
    files.extend(config.auth.allow_users_file.clone());
    if config.tls.mode != ftp_config::server::TlsMode::Off {
        files.push(config.tls.cert.clone());
        files.push(config.tls.key.clone());
    }
    files
}

/// Adds those of `named` that are not in `files` yet.
#[must_use]
pub fn with_named(mut files: Vec<PathBuf>, named: &[PathBuf]) -> Vec<PathBuf> {
    for file in named {
        if !files.contains(file) {
            files.push(file.clone());
        }
    }
    files
}

impl FileWatch {
    /// Begins to watch, as [`FileWatch::follow`].
    ///
    /// # Errors
    /// When the system has no more watches, descriptors or threads to give.
    pub fn new(files: Vec<PathBuf>, seen: Stamps) -> io::Result<Self> {
        let (running, ended) = pipe_with(PipeFlags::CLOEXEC)?;
        let ear = Arc::new(Ear {
            inotify: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?,
            names: Mutex::default(),
        });
        let (sender, heard) = mpsc::channel(1);
        let theirs = Arc::clone(&ear);
        thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || theirs.listen(&running, &sender))?;
        let mut watch = Self {
            files: Vec::new(),
            seen: Stamps::default(),
            dirs: HashSet::new(),
            deaf: BTreeSet::new(),
            ear,
            heard,
            is_stale: false,
            _ended: ended,
        };
        watch.follow(files, seen);
        Ok(watch)
    }

    /// Watches `files` from now on, for states other than `seen`; a file without one counts as changed.
    pub fn follow(&mut self, files: Vec<PathBuf>, mut seen: Stamps) {
        // What the configuration names no more is no change.
        seen.0.retain(|file, _| files.contains(file));
        (self.files, self.seen) = (files, seen);
        self.deaf.clear();
        self.watch_places();
        // What was written before this watch is looked for without an event.
        self.is_stale = true;
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

    /// Waits until a watched file has changed and is at rest. Cancel-safe.
    pub async fn changed(&mut self) {
        loop {
            if !self.is_stale {
                self.event().await;
                self.is_stale = true;
            }
            while timeout(SETTLE, self.event()).await.is_ok() {}
            self.is_stale = false;
            // A directory may have come, gone, or become another one.
            self.watch_places();
            let now = Stamps::of(&self.files);
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// Waits for an event of one of the names.
    async fn event(&mut self) {
        if self.heard.recv().await.is_none() {
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;
