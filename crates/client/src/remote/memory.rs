//! A server in memory, for tests of what stands above [`Remote`]: no socket, no disk, and faults
//! on demand.

mod calls;
mod session;
mod transfer;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use unicode_normalization::UnicodeNormalization as _;

use self::session::Session;
use super::{Abilities, Dial, Remote, names};
use crate::{cancel::Cancel, error::RemoteError};

/// A file or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The content; `None`: a directory.
    pub content: Option<Vec<u8>>,
    /// When it was changed last.
    pub modified: SystemTime,
}

/// A server; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<String, Item>,
    faults: VecDeque<(String, RemoteError)>,
    stop: Option<(String, Cancel)>,
    abilities: Abilities,
    calls: Vec<String>,
    blind: Option<String>,
    hangs: Option<String>,
}

impl State {
    /// Returns the name under which a path is kept.
    fn spelled(&self, path: String) -> String {
        let own = |name: &str| name.nfc().collect::<String>().to_lowercase();
        let same = |kept: &&String| own(kept) == own(&path);
        let blind = self.blind.as_deref();
        let is_below = blind.is_some_and(|dir| path.starts_with(dir));
        let kept = is_below.then(|| self.items.keys().find(same)).flatten();
        kept.cloned().unwrap_or(path)
    }
}

impl Memory {
    /// Makes an empty server with these `FEAT` lines.
    #[must_use]
    pub fn new(features: &[&str]) -> Self {
        let memory = Self::default();
        memory.state().abilities = Abilities::of(features);
        memory
    }

    /// Takes two cases of a name, and letters composed or not, for one where paths begin so, from now on.
    #[must_use]
    pub fn blind_below(self, beginning: &str) -> Self {
        self.state().blind = Some(beginning.to_owned());
        self
    }

    /// Puts a file, and the directories above it.
    pub fn put(&self, path: &str, content: &[u8], modified: SystemTime) {
        let mut state = self.state();
        let mut dir = names::split(path).0;
        while !matches!(dir, "" | "/") {
            state.items.entry(dir.to_owned()).or_insert(Item {
                content: None,
                modified,
            });
            dir = names::split(dir).0;
        }
        state.items.insert(
            path.to_owned(),
            Item {
                content: Some(content.to_vec()),
                modified,
            },
        );
    }

    /// Returns what is there.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Item> {
        self.state().items.get(path).cloned()
    }

    /// Returns all paths.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.state().items.keys().cloned().collect()
    }

    /// Returns the calls so far, as `verb path`.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// Makes the next call of this verb fail.
    pub fn fail(&self, verb: &str, error: RemoteError) {
        self.state().faults.push_back((verb.to_owned(), error));
    }

    /// Never answers this command, sent as it is.
    pub fn hang(&self, command: &str) {
        self.state().hangs = Some(command.to_owned());
    }

    /// Stops a run when this call comes, as `verb path`.
    pub fn stop_at(&self, call: &str, cancel: &Cancel) {
        self.state().stop = Some((call.to_owned(), cancel.clone()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Dial for Memory {
    async fn dial(&self) -> Result<Box<dyn Remote>, RemoteError> {
        let abilities = self.state().abilities.clone();
        let session = Session {
            server: self.clone(),
            abilities,
            dir: "/".to_owned(),
            usable: true,
        };
        session.call("DIAL", "")?;
        Ok(Box::new(session))
    }

    fn endpoint(&self) -> String {
        "memory:21".to_owned()
    }
}
