//! Watches the configuration and the files it names, and says when they have settled after a
//! change. Reads none of them.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use ftp_config::ServerConfig;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tracing::debug;

/// Editors write in several steps; after the last one this long nothing must happen.
const SETTLE: Duration = Duration::from_millis(300);

/// Waits for changes of a set of files.
#[derive(Debug)]
pub struct FileWatch {
    files: Vec<PathBuf>,
    seen: Stamps,
    events: mpsc::Receiver<()>,
    _watcher: RecommendedWatcher,
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
    /// Begins to watch for states other than `seen`; a file without one counts as changed.
    /// Directories that are not there are left out.
    ///
    /// # Errors
    /// When the system has no more watches to give.
    pub fn new(files: Vec<PathBuf>, mut seen: Stamps) -> notify::Result<Self> {
        // What the configuration names no more is no change.
        seen.0.retain(|file, _| files.contains(file));
        let (sender, events) = mpsc::channel(1);
        // What was written before this watch is looked for without an event.
        let _ = sender.try_send(());
        let places: Vec<_> = files.iter().flat_map(|file| places_of(file)).collect();
        let names: Vec<OsString> = places
            .iter()
            .filter_map(|place| place.file_name().map(OsStr::to_owned))
            .collect();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| concerns(&event, &names)) {
                let _ = sender.try_send(());
            }
        })?;
        let mut dirs: Vec<_> = places.iter().filter_map(|place| place.parent()).collect();
        dirs.sort_unstable();
        dirs.dedup();
        for dir in dirs {
            let dir = if dir.as_os_str().is_empty() {
                Path::new(".")
            } else {
                dir
            };
            if let Err(error) = watcher.watch(dir, RecursiveMode::NonRecursive) {
                debug!(dir = %dir.display(), %error, "cannot watch");
            }
        }
        Ok(Self {
            seen,
            files,
            events,
            _watcher: watcher,
        })
    }

    /// Waits until a watched file has changed and is at rest. An event that was seen before a cancel is lost: whoever
    /// cancels this looks at the files itself.
    pub async fn changed(&mut self) {
        loop {
            if self.events.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            while tokio::time::timeout(SETTLE, self.events.recv())
                .await
                .is_ok_and(|event| event.is_some())
            {}
            let now = Stamps::of(&self.files);
            if now != self.seen {
                self.seen = now;
                return;
            }
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

/// Whether an event is a change of one of the names. A log or a share beside the configuration is
/// written all the time: that must wake nobody.
fn concerns(event: &Event, names: &[OsString]) -> bool {
    let named = |path: &PathBuf| {
        path.file_name()
            .is_none_or(|name| names.iter().any(|known| known == name))
    };
    // An event without a path says that some were lost.
    !matches!(event.kind, EventKind::Access(_))
        && (event.paths.is_empty() || event.paths.iter().any(named))
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
    use super::*;

    #[test]
    fn what_is_written_beside_the_files_wakes_nobody() {
        let names = [OsString::from("ftp.toml")];
        let event = |path: &str, kind| Event::new(kind).add_path(path.into());
        let modified = EventKind::Modify(notify::event::ModifyKind::Any);
        assert!(concerns(&event("/etc/ftp/ftp.toml", modified), &names));
        assert!(!concerns(&event("/etc/ftp/xferlog", modified), &names));
        let read = EventKind::Access(notify::event::AccessKind::Any);
        assert!(!concerns(&event("/etc/ftp/ftp.toml", read), &names));
        assert!(concerns(&Event::new(EventKind::Other), &names));
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
