//! What a job will do, step by step, before anything is done. Pure, but for `walk`, `times`, `checksum`, `blind`,
//! `pairs`, `probe`, `unlisted` and `reveal`, which ask the two sides.
//!
//! `walk` reads both trees, `compare` and `filter` choose, `fat` knows coarse times, `sync` makes the steps, `clash`
//! finds two that make one thing, `case` two that would where cases are not told apart, `alike` others of that
//! kind (`pairs` has both); `transfer` runs them.

mod alike;
pub mod blind;
pub mod case;
pub mod checksum;
pub mod clash;
pub mod compare;
pub mod fat;
pub mod filter;
pub mod pairs;
mod probe;
pub mod reveal;
mod seen;
mod spelling;
pub mod sync;
pub mod times;
pub mod unlisted;
pub mod walk;

pub(crate) use self::alike::{likeness, reading_of};
pub use self::seen::Seen;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// The steps of one job, in order. Directories come before what they hold; deletions come last,
/// children before parents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The directory below which every local target of the plan lies. Nothing outside it is
    /// written or removed, not even through a symbolic link.
    pub local_root: PathBuf,
    /// The steps.
    pub steps: Vec<Step>,
    /// The command that goes on with it after a break, where the same one would not: it makes a directory
    /// that exists by then.
    pub again: Option<String>,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes a directory on the server, and its parents.
    MakeRemoteDir {
        /// Its path.
        path: String,
    },
    /// Makes a directory below the local root, and its parents.
    MakeLocalDir {
        /// Its path, relative to the local root.
        path: PathBuf,
    },
    /// Sends one file.
    Send {
        /// Where it is; relative to the working directory, not to the local root.
        local: PathBuf,
        /// Where it goes.
        remote: String,
        /// Its size when it was planned.
        size: u64,
        /// The time to give it; `None`: the file's own.
        modified: Option<SystemTime>,
        /// The directory below which a walk found it: no link that is on the way by now is followed.
        top: Option<Arc<Path>>,
    },
    /// Fetches one file.
    Fetch {
        /// Where it is.
        remote: String,
        /// Where it goes, relative to the local root.
        local: PathBuf,
        /// Its size, if the listing told; asked for otherwise.
        size: Option<u64>,
        /// When it was changed last, if the listing told; asked for otherwise.
        modified: Option<SystemTime>,
        /// What alone it may replace; `None`: whatever the run replaces.
        seen: Option<Seen>,
    },
    /// Removes something on the server.
    DeleteRemote {
        /// Its path.
        path: String,
        /// Whether it is a directory (empty by then).
        dir: bool,
    },
    /// Removes what the listing calls a directory, if it is a link to one. What else is to be removed
    /// below it is then not its own, and stays.
    UnlinkRemote {
        /// Its path.
        path: String,
    },
    /// Removes something below the local root.
    DeleteLocal {
        /// Its path, relative to the local root.
        path: PathBuf,
        /// Whether it is a directory (empty by then).
        dir: bool,
    },
    /// Removes local directories whose files were sent, where they are empty by then.
    ClearSent {
        /// Their paths, parents first; relative to the working directory, not to the local root.
        dirs: Vec<PathBuf>,
    },
    /// Cannot be done, and is told as a failure.
    Refuse {
        /// The directory it is in.
        name: String,
        /// What, escaped, and why.
        what: String,
    },
    /// Needs nothing.
    Skip {
        /// What.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Step {
    /// Fetches one file into the local root, under its own name.
    #[must_use]
    pub fn fetch(remote: &str) -> Self {
        Self::Fetch {
            remote: remote.to_owned(),
            local: walk::local_name(crate::remote::names::split(remote).1),
            size: None,
            modified: None,
            seen: None,
        }
    }

    /// Sends one file, keeping its time.
    #[must_use]
    pub fn send(local: impl Into<PathBuf>, remote: &str, size: u64) -> Self {
        Self::Send {
            local: local.into(),
            remote: remote.to_owned(),
            size,
            modified: None,
            top: None,
        }
    }
}

impl Plan {
    /// Makes an empty plan whose local targets lie below `local_root`.
    pub fn new(local_root: impl Into<PathBuf>) -> Self {
        Self {
            local_root: local_root.into(),
            steps: Vec::new(),
            again: None,
        }
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Puts the local targets below `name`: the tree lands inside a directory.
    #[must_use]
    pub fn below(mut self, name: &Path) -> Self {
        for step in &mut self.steps {
            match step {
                Step::MakeLocalDir { path } | Step::DeleteLocal { path, .. } => {
                    *path = name.join(&path);
                }
                Step::Fetch { local, .. } => *local = name.join(&local),
                _ => {}
            }
        }
        self
    }

    /// Returns how many files will be moved.
    #[must_use]
    pub fn files(&self) -> u64 {
        let moves = |step: &&Step| matches!(step, Step::Send { .. } | Step::Fetch { .. });
        self.steps.iter().filter(moves).count() as u64
    }

    /// Returns how many bytes will be moved, as far as known.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.steps
            .iter()
            .map(|step| match step {
                Step::Send { size, .. } => *size,
                Step::Fetch { size, .. } => size.unwrap_or(0),
                _ => 0,
            })
            .fold(0, u64::saturating_add)
    }

    /// Returns how many files and directories will be removed.
    #[must_use]
    pub fn deletions(&self) -> u64 {
        let removes =
            |step: &&Step| matches!(step, Step::DeleteRemote { .. } | Step::DeleteLocal { .. });
        self.steps.iter().filter(removes).count() as u64
    }

    /// Tells whether there is nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.steps
            .iter()
            .all(|step| matches!(step, Step::Skip { .. }))
    }
}
