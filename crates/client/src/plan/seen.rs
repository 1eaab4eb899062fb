//! What was seen under a local name when a plan was made, for whoever replaces it later. Pure.

use std::time::SystemTime;

use super::walk::Node;

/// A file by its size and its time, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(Option<(Option<u64>, Option<SystemTime>)>);

impl Seen {
    /// Of what a walk found; what is of another kind goes before anything comes.
    pub(super) fn of(node: Option<&Node>) -> Self {
        let file = node.filter(|node| !node.is_dir);
        Self(file.map(|node| (node.facts.size, node.facts.modified)))
    }

    /// Tells whether nothing was there.
    pub(crate) fn is_nothing(self) -> bool {
        self.0.is_none()
    }

    /// Tells whether a file of this size and time is the one that was seen.
    pub(crate) fn is(self, size: u64, modified: Option<SystemTime>) -> bool {
        self.0 == Some((Some(size), modified))
    }
}
