//! What the source lacks goes, where `delete` is wished; what may not be lacking stays.

use std::collections::BTreeSet;

use super::{Planner, by_path, ends::is_below, parents};
use crate::plan::walk::Tree;

impl Planner<'_> {
    /// Removes what the source lacks.
    pub(super) fn remove_surplus(&mut self) {
        let here = by_path(self.source);
        let holding = holding(self.target, &self.wishes.doubtful);
        let mut gone = Vec::new();
        for node in &self.target.nodes {
            let replaced = parents(&node.path).any(|dir| here.get(dir).is_some_and(|n| !n.is_dir));
            if here.contains_key(node.path.as_str()) || replaced {
                continue;
            }
            // Not seen is not gone; and a directory that holds something unseen stays too.
            let above = |unread: &String| is_below(unread, &node.path);
            if self.source.is_unread(&node.path) || self.source.unread.iter().any(above) {
                self.skip(node, "not removed: the source was not read there");
            } else if self.is_doubtful(&node.path) {
                self.skip(
                    node,
                    "not removed: it may be another spelling of what was sent",
                );
            } else if holding.contains(node.path.as_str()) {
                self.skip(node, "not removed: it holds what was left out");
            } else if self.is_incomplete {
                self.skip(node, "not removed: something could not be copied");
            } else {
                gone.push(node);
            }
        }
        self.ends.delete_all(&mut self.plan, &gone);
    }

    /// Tells whether a path of the target, or a directory above it, may be what was sent.
    fn is_doubtful(&self, path: &str) -> bool {
        let doubtful = &self.wishes.doubtful;
        doubtful.contains(path) || parents(path).any(|dir| doubtful.contains(dir))
    }
}

/// The directories of a tree that cannot be emptied: they, or others below them, hold what takes no
/// part or was not read.
pub(super) fn holding<'a>(tree: &'a Tree, doubtful: &'a BTreeSet<String>) -> BTreeSet<&'a str> {
    let doubtful = doubtful.iter().flat_map(|path| parents(path));
    let unread = tree.unread.iter().flat_map(|path| parents(path));
    let left_out = tree.holding.iter().flat_map(|dir| {
        let dir = dir.as_str();
        std::iter::once(dir).chain(parents(dir))
    });
    unread.chain(left_out).chain(doubtful).collect()
}
