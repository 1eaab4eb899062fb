//! Watches the configuration and the files it names, and says when they have settled after a
//! change. Reads none of them.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ffi::{OsStr, OsString},
    future::pending,
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

use ftp_config::ServerConfig;
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags},
    io::Errno,
    pipe::{PipeFlags, pipe_with},
};
use tokio::{sync::mpsc, time::timeout};
use tracing::warn;

/// Editors write in several steps; after the last one this long nothing must happen.
const SETTLE: Duration = Duration::from_millis(300);
/// Room for a dozen events with long names.
const EVENTS: usize = 4096;

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
    ear: Arc<Ear>,
    heard: mpsc::Receiver<()>,
    /// Something may have changed since `seen`.
    is_stale: bool,
    /// The thread ends with it.
    _ended: OwnedFd,
}

/// Hears what becomes of the names that matter.
#[derive(Debug)]
struct Ear {
    inotify: OwnedFd,
    /// In whatever directory.
    names: Mutex<Vec<OsString>>,
}

impl Ear {
    /// Listens until the other end of `ended` is closed, or nobody wants to hear any more.
    fn listen(&self, ended: &OwnedFd, heard: &mpsc::Sender<()>) {
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
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
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

/// What tells one state of a file from another; `None`: not there.
type Stamp = Option<(SystemTime, (i64, i64), u64, u64)>;

/// States of files, taken **before** the files were read: whatever is written behind that is a
/// change, though nobody watched at that moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamps(HashMap<PathBuf, Stamp>);

impl Stamps {
    /// Takes the states of `files` as they are now.
    #[must_use]
    pub fn of(files: &[PathBuf]) -> Self {
        Self(
            files
                .iter()
                .map(|file| (file.clone(), stamp(file)))
                .collect(),
        )
    }

    /// Takes the states of those of `files` that have none yet.
    pub fn complete(&mut self, files: &[PathBuf]) {
        for file in files {
            if !self.0.contains_key(file) {
                self.0.insert(file.clone(), stamp(file));
            }
        }
    }
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
            ear,
            heard,
            is_stale: false,
            _ended: ended,
        };
        watch.follow(files, seen);
        Ok(watch)
    }

    /// Watches `files` from now on, for states other than `seen`; a file without one counts as changed.
    /// Directories that are not there are left out.
    pub fn follow(&mut self, files: Vec<PathBuf>, mut seen: Stamps) {
        // What the configuration names no more is no change.
        seen.0.retain(|file, _| files.contains(file));
        let places: Vec<_> = files.iter().flat_map(|file| places_of(file)).collect();
        let name_of = |place: &PathBuf| place.file_name().map(OsStr::to_owned);
        let names = places.iter().filter_map(name_of).collect();
        *self
            .ear
            .names
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = names;
        let before = std::mem::take(&mut self.dirs);
        let dirs: BTreeSet<_> = places.iter().filter_map(|place| place.parent()).collect();
        for dir in dirs {
            let dir = match dir.as_os_str().is_empty() {
                true => Path::new("."),
                false => dir,
            };
            match inotify::add_watch(&self.ear.inotify, dir, CHANGES) {
                Ok(watch) => drop(self.dirs.insert(watch)),
                Err(error) => {
                    warn!(dir = %dir.display(), %error, "changes here are not seen before the next reload");
                }
            }
        }
        for watch in before.difference(&self.dirs) {
            let _gone_with_its_directory = inotify::remove_watch(&self.ear.inotify, *watch);
        }
        (self.files, self.seen) = (files, seen);
        // What was written before this watch is looked for without an event.
        self.is_stale = true;
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

/// As many links on one way as the system follows.
const MOST_LINKS: usize = 40;

/// Returns the names at which `file` can become another one: each link on the way to it, and the
/// file that it leads to.
fn places_of(file: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    let mut path = file.to_owned();
    while let Some((link, target)) = first_link(&path).filter(|_| places.len() < MOST_LINKS) {
        let rest = path.strip_prefix(&link).unwrap_or(Path::new(""));
        let from = link.parent().unwrap_or(Path::new(""));
        // An empty rest would make a directory of the target.
        path = match rest.as_os_str().is_empty() {
            true => from.join(target),
            false => from.join(target).join(rest),
        };
        places.push(link);
    }
    places.push(path);
    places
}

fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut ways: Vec<_> = path.ancestors().collect();
    ways.reverse();
    ways.into_iter()
        .find_map(|way| Some((way.to_owned(), std::fs::read_link(way).ok()?)))
}

fn stamp(file: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(file).ok()?;
    // With its change of owner or mode: what could not be read may be readable by then.
    let changed = (meta.ctime(), meta.ctime_nsec());
    Some((meta.modified().ok()?, changed, meta.len(), meta.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;

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

    #[tokio::test]
    async fn the_files_of_a_new_configuration_are_followed_and_others_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let file = |at: &str| dir.path().join(at).join("ftp.toml");
        for at in ["a", "b"] {
            std::fs::create_dir(dir.path().join(at)).unwrap();
            std::fs::write(file(at), at).unwrap();
        }
        let mut watch = FileWatch::new(vec![file("a")], Stamps::of(&[file("a")])).unwrap();
        watch.follow(vec![file("b")], Stamps::of(&[file("b")]));
        // proc(5): a line for each watch that the system has.
        let info = format!("/proc/self/fdinfo/{}", watch.ear.inotify.as_raw_fd());
        let info = std::fs::read_to_string(info).unwrap();
        assert_eq!(info.matches("inotify wd").count(), 1, "{info}");
        let quiet = timeout(SETTLE * 3, watch.changed()).await;
        assert!(quiet.is_err());
        std::fs::write(file("b"), "bb").unwrap();
        watch.changed().await;
    }

    #[tokio::test]
    async fn a_rename_over_the_file_is_a_change_and_a_neighbour_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("ftp.toml"), "a").unwrap();
        let files = vec![path("ftp.toml")];
        // The file of a certificate that is named no more is no change.
        std::fs::write(path("old.pem"), "x").unwrap();
        let seen = Stamps::of(&[path("ftp.toml"), path("old.pem")]);
        let mut watch = FileWatch::new(files, seen).unwrap();
        std::fs::write(path("other"), "x").unwrap();
        let quiet = tokio::time::timeout(SETTLE * 3, watch.changed()).await;
        assert!(quiet.is_err());
        std::fs::write(path("new"), "bb").unwrap();
        std::fs::rename(path("new"), path("ftp.toml")).unwrap();
        watch.changed().await;
    }

    #[tokio::test]
    async fn a_link_is_watched_where_it_is_and_where_it_leads() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["etc", "kept", "one", "two"] {
            std::fs::create_dir(path(name)).unwrap();
            std::fs::write(path(name).join("ftp.toml"), name).unwrap();
        }
        // As a tool that keeps the files of a home directory makes it, and as a container has it.
        symlink("../kept/ftp.toml", path("etc/kept.toml")).unwrap();
        symlink("now/ftp.toml", path("mounted.toml")).unwrap();
        symlink("one", path("now")).unwrap();
        let files = vec![path("etc/kept.toml"), path("mounted.toml")];
        let mut watch = FileWatch::new(files.clone(), Stamps::of(&files)).unwrap();
        let quiet = tokio::time::timeout(SETTLE * 3, watch.changed()).await;
        assert!(quiet.is_err());
        std::fs::write(path("kept/ftp.toml"), "changed").unwrap();
        watch.changed().await;
        symlink("two", path("next")).unwrap();
        std::fs::rename(path("next"), path("now")).unwrap();
        watch.changed().await;
    }

    #[test]
    fn links_that_lead_in_a_circle_come_to_an_end() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("a")).unwrap();
        assert!(places_of(&dir.path().join("a")).len() > MOST_LINKS);
    }

    #[tokio::test]
    async fn what_was_written_between_the_read_and_the_watch_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let files = [dir.path().join("ftp.toml"), dir.path().join("cert.pem")];
        std::fs::write(&files[0], "a").unwrap();
        let mut seen = Stamps::of(&files[..1]);
        std::fs::write(&files[0], "bb").unwrap();
        seen.complete(&files);
        FileWatch::new(files.to_vec(), seen)
            .unwrap()
            .changed()
            .await;
        // A file that the new configuration names for the first time may have been read too early.
        let seen = Stamps::of(&files[..1]);
        FileWatch::new(files.to_vec(), seen)
            .unwrap()
            .changed()
            .await;
    }
}
