//! What is wished of a sync.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::times::Skew;

/// Which side is made like the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The remote tree is made like the local one.
    Up,
    /// The local tree is made like the remote one.
    Down,
}

/// How the target is made like the source.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Which way.
    pub way: Way,
    /// Remove from the target what the source lacks, and what is of another kind there.
    pub delete: bool,
    /// Leave alone what is newer on the target.
    pub update_only: bool,
    /// Whether the target keeps the time it is given. Where it does not, a file there is as new as
    /// its upload, and one of the same size that is newer counts as the same.
    pub keeps_times: bool,
    /// How far the server's clock may be from this one's, where its times are by it: a file that is newer there by
    /// less than it is ahead may have been changed here since, and one that is older by less than it is behind, there.
    pub skew: Skew,
    /// Whether the target replaces what is there. One that does not would get a second file each time.
    pub replaces: bool,
    /// Paths that are known to be equal by their hashes, though times differ or are unknown.
    pub equal: BTreeSet<String>,
    /// Paths that are known to differ by their hashes, though size and time agree.
    pub different: BTreeSet<String>,
    /// Paths whose hashes were wished and cannot be had, with the reason.
    pub unhashed: BTreeMap<String, String>,
    /// Paths of the target that may be what the source has under another name.
    pub doubtful: BTreeSet<String>,
}

impl Wishes {
    /// Wishes for a plain copy of what is new or changed.
    #[must_use]
    pub fn new(way: Way) -> Self {
        Self {
            way,
            delete: false,
            update_only: false,
            keeps_times: true,
            skew: Skew::default(),
            replaces: true,
            equal: BTreeSet::new(),
            different: BTreeSet::new(),
            unhashed: BTreeMap::new(),
            doubtful: BTreeSet::new(),
        }
    }
}
