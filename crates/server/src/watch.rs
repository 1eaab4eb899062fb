//! Watches the configuration and the files it names, and says when they have settled after a
//! change. Reads none of them.

mod ear;
mod looker;
mod places;
mod stamps;

use std::{
    future::pending,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use ftp_config::ServerConfig;
use rustix::{
    fs::inotify::WatchFlags,
    pipe::{PipeFlags, pipe_with},
};
use tokio::sync::mpsc;

pub use self::stamps::Stamps;
use self::{
    ear::{Ear, Order},
    looker::Looker,
};

/// Editors write in several steps; after the last one this long nothing must happen.
const SETTLE: Duration = Duration::from_millis(300);
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
/// out of both goes on watching. Only that thread looks at the disk, which may not answer: nobody waits for it.
#[derive(Debug)]
pub struct FileWatch {
    ear: Arc<Ear>,
    heard: mpsc::Receiver<()>,
    /// Wakes the thread, which ends with it.
    waker: OwnedFd,
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
        let (woken, waker) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let ear = Arc::new(Ear::new()?);
        let (sender, heard) = mpsc::channel(1);
        let looker = Looker::new(Arc::clone(&ear));
        thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || looker.watch(&woken, &sender))?;
        let mut watch = Self { ear, heard, waker };
        watch.follow(files, seen);
        Ok(watch)
    }

    /// Watches `files` from now on, for states other than `seen`; a file without one counts as changed. Does not block.
    pub fn follow(&mut self, files: Vec<PathBuf>, seen: Stamps) {
        let mut order = self.ear.order();
        *order = Some(Order { files, seen });
        // What was found of the files of before has been read since, or is found again.
        let _old = self.heard.try_recv();
        drop(order);
        // A pipe that is full wakes as well.
        let _ = rustix::io::write(&self.waker, &[0]);
    }

    /// Waits until a watched file has changed and is at rest. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.heard.recv().await.is_none() {
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;
