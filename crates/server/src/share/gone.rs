//! Names that somebody has just removed or renamed away.
//!
//! The bytes of a name may be read in two ways, and both may be names of files. A client whose answer was lost asks
//! again, maybe on another line, and means what is gone by now: never the other file.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ftp_config::SharePath;

use super::Home;

/// Whoever asks again does so before.
const LONGEST: Duration = Duration::from_secs(600);
/// So many are remembered, of all users: who asks again means the last ones.
const MOST: usize = 256;

/// What went last, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Gone(Mutex<VecDeque<Entry>>);

#[derive(Debug)]
struct Entry {
    user: String,
    path: SharePath,
    at: Instant,
}

impl Gone {
    fn edit<T>(&self, edit: impl FnOnce(&mut VecDeque<Entry>) -> T) -> T {
        edit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Home {
    /// Remembers for ten minutes that this account has removed what had a name, or renamed it. A name in
    /// ASCII has one reading.
    pub fn note_gone(&self, path: &SharePath) {
        if path.as_str().is_ascii() {
            return;
        }
        let entry = Entry {
            user: self.account.name.to_string(),
            path: self.account.in_share(path),
            at: Instant::now(),
        };
        self.shared.gone.edit(|all| {
            if all.len() == MOST {
                all.pop_front();
            }
            all.push_back(entry);
        });
    }

    /// Tells whether this account has lately removed what had this name.
    #[must_use]
    pub fn is_lately_gone(&self, path: &SharePath) -> bool {
        let path = self.account.in_share(path);
        let is_it = |entry: &Entry| {
            entry.at.elapsed() < LONGEST
                && entry.path == path
                && entry.user == self.account.name.as_str()
        };
        self.shared.gone.edit(|all| all.iter().any(is_it))
    }

    /// Forgets it: something new was made by this name.
    pub fn forget_gone(&self, path: &SharePath) {
        let path = self.account.in_share(path);
        let user = self.account.name.as_str();
        let stays = |entry: &Entry| entry.path != path || entry.user != user;
        self.shared.gone.edit(|all| all.retain(stays));
    }
}
