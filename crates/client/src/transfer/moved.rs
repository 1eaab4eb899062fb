//! `put --move`: what was sent goes, once the server has it. Only the very file that was sent, and
//! directories that are empty by then; nothing else below them is touched.

use std::{
    collections::BTreeSet,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    crew::Crew,
    originals::{self, Names, Original},
};
use crate::{
    error::{Error, RemoteError},
    plan::Step,
    remote::{Dial as _, Entry, Listing, names},
};

/// Why originals stay that waited for the end.
const DOUBTFUL: &str = "the server may have stored another file under its name";

/// What a local file was before it was sent.
pub(super) struct Sent(io::Result<Stamp>);

/// What tells one state of a file from another.
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    /// Nobody can set it back.
    changed: (i64, i64),
    /// A name that is made or goes counts as a change too.
    names: u64,
}

impl Sent {
    /// Looks at a file that will be sent. Blocks.
    pub(super) fn look(path: &Path) -> Self {
        Self(fs::metadata(path).map(|meta| Stamp::of(&meta)))
    }

    /// When it was changed last.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        let (secs, nanos) = self.0.as_ref().ok()?.modified;
        let whole = Duration::new(u64::try_from(secs).ok()?, u32::try_from(nanos).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(whole)
    }

    /// Removes the file, if it is still what it was. Blocks.
    ///
    /// # Errors
    /// It changed meanwhile, and stays; or it cannot be removed.
    pub(super) fn remove(self, path: &Path) -> Result<(), Error> {
        let fail = |error| Error::local("remove", path, error);
        let before = self.0.map_err(fail)?;
        let now = fs::metadata(path).map_err(fail)?;
        if !before.is_still(&Stamp::of(&now)) {
            return Err(stays(path, "it changed while it was sent"));
        }
        fs::remove_file(path).map_err(fail)
    }
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            file: (meta.dev(), meta.ino()),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            names: meta.nlink(),
        }
    }

    /// Tells whether nothing was written since. Some programs set the time of last change back.
    fn is_still(&self, now: &Self) -> bool {
        let same_names = self.names == now.names;
        let before = (self.file, self.size, self.modified);
        before == (now.file, now.size, now.modified) && (!same_names || self.changed == now.changed)
    }
}

/// Removes the directories whose files were sent, parents first in `dirs`, if they are empty.
/// Blocks.
///
/// # Errors
/// Something in the first of them was not sent, and stays; or one cannot be removed. With `unmade` the
/// server has not all of them, so all stay.
pub(super) fn clear(dirs: &[PathBuf], unmade: bool) -> Result<(), Error> {
    if let (true, Some(top)) = (unmade, dirs.first()) {
        return Err(stays(top, "a directory of it could not be made"));
    }
    let (mut full, mut failed) = (None, None);
    for dir in dirs.iter().rev() {
        match fs::remove_dir(dir) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => full = Some(dir),
            Err(error) => failed = Some(Error::local("remove", dir, error)),
        }
    }
    let full = full.map(|dir| stays(dir, "it holds what was not sent"));
    failed.or(full).map_or(Ok(()), Err)
}

impl Crew {
    /// Removes the originals that waited for the end, except below directories that do not show all
    /// names as they were sent; `made`: the directories that were made.
    pub(super) async fn remove_originals(&mut self, made: &BTreeSet<String>) {
        let originals = std::mem::take(&mut self.originals);
        if originals.is_empty() || self.tools.cancel.is_stopped() {
            return;
        }
        let in_doubt = self.in_doubt(&originals, made).await;
        if self.tools.cancel.is_stopped() {
            return;
        }
        for original in originals {
            let name = original.local.display().to_string();
            let gone = if in_doubt.iter().any(|dir| is_below(&original.remote, dir)) {
                Err(stays(&original.local, DOUBTFUL))
            } else {
                original.sent.remove(&original.local)
            };
            if let Err(error) = gone {
                self.fail(name, error);
            }
        }
    }

    /// Looks what the directories hold that will get a doubtful name; one that cannot be listed is new.
    pub(super) async fn look_before(&mut self, steps: &[Step]) {
        let dialled = self.tools.cancel.or_leave(self.tools.pool.dial()).await;
        // Who cannot be reached is told by the files themselves.
        let Some(Ok(remote)) = dialled else { return };
        let keeps_names = remote.abilities().atomic_stor();
        self.session = Some(remote);
        if keeps_names {
            return;
        }
        for dir in originals::doubtful_dirs(steps) {
            match self.listed(&dir).await {
                Ok(listing) => drop(self.before.insert(dir, listing.entries)),
                Err(RemoteError::Refused { .. }) => {}
                // A server that is gone is not asked again and again.
                Err(_) => return,
            }
        }
    }

    /// Returns the directories that do not show what they must.
    async fn in_doubt(&mut self, originals: &[Original], made: &BTreeSet<String>) -> Vec<String> {
        let mut in_doubt: Vec<String> = Vec::new();
        for (dir, names) in originals::expected(originals, made) {
            if in_doubt.iter().any(|above| is_below(&dir, above)) {
                continue;
            }
            let listed = self.listed(&dir).await;
            let is_gone =
                matches!(&listed, Err(error) if !matches!(error, RemoteError::Refused { .. }));
            if self.tools.cancel.is_stopped() {
                return vec![String::new()];
            }
            let before = self.before.get(&dir).map_or(&[][..], Vec::as_slice);
            let Some(doubt) = doubt_of(&dir, &names, listed, before) else {
                continue;
            };
            self.tools.events.message(doubt);
            if is_gone {
                // Nothing more is asked of a server that does not answer, and nothing goes.
                return vec![String::new()];
            }
            in_doubt.push(dir);
        }
        in_doubt
    }

    async fn listed(&mut self, dir: &str) -> Result<Listing, RemoteError> {
        let held = self.session.take().filter(|remote| remote.is_usable());
        let mut remote = match held {
            Some(remote) => remote,
            None => self.tools.pool.dial().await?,
        };
        let listed = self.tools.cancel.or_leave(remote.list(dir)).await;
        self.session = Some(remote);
        listed.unwrap_or(Err(RemoteError::Poisoned))
    }
}

/// Says what speaks against a directory, if anything does.
fn doubt_of(
    dir: &str,
    names: &Names,
    listed: Result<Listing, RemoteError>,
    before: &[Entry],
) -> Option<String> {
    match listed {
        Ok(listing) => originals::lacking(names, &listing, before).map(|name| {
            let path = names::display(&names::join(dir, name));
            format!("`{path}`: the server does not list it as it was sent")
        }),
        Err(error) => {
            let dir = names::display(if dir.is_empty() { "." } else { dir });
            Some(format!("`{dir}`: what it holds is not seen: {error}"))
        }
    }
}

/// Tells whether a path on the server is below a directory, or is it.
fn is_below(path: &str, dir: &str) -> bool {
    let rest = path.strip_prefix(dir.trim_end_matches('/'));
    dir.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Makes the error of an original that is not removed.
pub(super) fn stays(path: &Path, why: &'static str) -> Error {
    Error::Stays {
        path: path.display().to_string(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_was_sent_goes() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a");
        fs::write(&path, "old").unwrap();
        let sent = Sent::look(&path);
        // Another file of the same size and time.
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(temp.path().join("b"), "new").unwrap();
        fs::File::open(temp.path().join("b"))
            .and_then(|file| file.set_modified(time))
            .unwrap();
        fs::rename(temp.path().join("b"), &path).unwrap();
        let error = sent.remove(&path).unwrap_err();
        assert!(error.chain().contains("it changed while it was sent"));
        assert_eq!(fs::read(&path).unwrap(), b"new");
        // Written in place, and its time set back.
        let sent = Sent::look(&path);
        fs::write(&path, "NEW").unwrap();
        let time_set_back = fs::File::open(&path).and_then(|file| file.set_modified(time));
        time_set_back.unwrap();
        let error = sent.remove(&path).unwrap_err();
        assert!(error.chain().contains("it changed while it was sent"));
        // A second name of it may go meanwhile.
        fs::hard_link(&path, temp.path().join("b")).unwrap();
        let sent = Sent::look(&path);
        fs::remove_file(temp.path().join("b")).unwrap();
        sent.remove(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_with_something_in_it_stays_with_those_above() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        for dir in ["t/full", "t/empty/deep"] {
            fs::create_dir_all(at(dir)).unwrap();
        }
        std::os::unix::fs::symlink("/etc/hostname", at("t/full/link")).unwrap();
        let dirs = ["t", "t/full", "t/empty", "t/empty/deep"].map(at);
        let error = clear(&dirs, true).unwrap_err();
        assert!(
            error
                .chain()
                .ends_with("t` stays: a directory of it could not be made")
        );
        assert!(at("t/empty").exists());
        let error = clear(&dirs, false).unwrap_err();
        assert!(
            error
                .chain()
                .ends_with("t` stays: it holds what was not sent")
        );
        assert!(at("t/full/link").symlink_metadata().is_ok() && !at("t/empty").exists());
        fs::remove_file(at("t/full/link")).unwrap();
        clear(&dirs, false).unwrap();
        assert!(!at("t").exists());
    }
}
