//! What a remote directory holds, as the server told it.

use std::time::{Duration, SystemTime};

use super::{Lack, RemoteName};

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
}

/// One directory as listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, sorted by name.
    pub entries: Vec<Entry>,
    /// Names (escaped) that were dropped because they are no safe component, and lines that
    /// could not be read; at most 100 are kept.
    pub dropped: Vec<String>,
    /// Why it may not be whole.
    pub lack: Option<Lack>,
}
