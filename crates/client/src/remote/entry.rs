//! What a remote directory holds, as the server told it.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{Lack, RemoteName, names};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A device, socket or anything else.
    Other,
}

/// One name in a remote directory with what the server told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name: one safe component.
    pub name: RemoteName,
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes, if told.
    pub size: Option<u64>,
    /// When it was last changed, if told.
    pub modified: Option<SystemTime>,
    /// How exact `modified` is: a second for MLSD, a minute or a day for LIST.
    pub precision: Duration,
    /// Permission bits, if told.
    pub mode: Option<u32>,
    /// Its owner, if told.
    pub owner: Option<String>,
    /// Its group, if told.
    pub group: Option<String>,
    /// Where a link points, if told.
    pub target: Option<String>,
    /// The `unique` fact: the same for two names of one thing.
    pub unique: Option<String>,
}

impl Entry {
    /// Makes an entry of which only name and kind are known.
    #[must_use]
    pub fn new(name: RemoteName, kind: Kind) -> Self {
        Self {
            name,
            kind,
            size: None,
            modified: None,
            precision: Duration::from_secs(1),
            mode: None,
            owner: None,
            group: None,
            target: None,
            unique: None,
        }
    }

    /// Takes the kind from another listing, and what else this one does not tell.
    pub(super) fn fill_from(&mut self, other: &Self) {
        self.kind = other.kind;
        self.size = self.size.or(other.size);
        if self.modified.is_none() {
            (self.modified, self.precision) = (other.modified, other.precision);
        }
        if self.target.is_none() {
            self.target.clone_from(&other.target);
        }
    }
}

/// What a listing shows and nobody may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// A name that is no safe component, or not one alone.
    Name {
        /// As the server told it.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A line whose name is not known, or its beginning.
    Line(String),
}

impl Dropped {
    /// So many bytes of a line are kept.
    pub const LONGEST_LINE: usize = 200;
}

impl fmt::Display for Dropped {
    /// Writes what was dropped, escaped and cut after 200 characters, and why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, why) = match self {
            Self::Name { name, why } => (name, *why),
            Self::Line(line) => (line, "the line cannot be read"),
        };
        let shown: String = names::escaped(text).chars().take(200).collect();
        write!(f, "`{shown}`: {why}")
    }
}

/// One directory as listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, sorted by name.
    pub entries: Vec<Entry>,
    /// Names that were dropped because they are no safe component, and lines that could not be read; at
    /// most 100 are kept.
    pub dropped: Vec<Dropped>,
    /// Why it may not be whole.
    pub lack: Option<Lack>,
}
