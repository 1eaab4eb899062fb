//! The steps by which one side becomes like the other.

use std::{path::Path, sync::Arc};

use super::Way;
use crate::{
    plan::{
        Plan, Seen, Step,
        walk::{Node, Tree, local_path},
    },
    remote::{self, names},
};

/// The two tops and the way between.
pub(super) struct Ends<'a> {
    pub(super) way: Way,
    pub(super) local_top: &'a Path,
    pub(super) shared_top: Arc<Path>,
    pub(super) remote_top: &'a str,
}

impl Ends<'_> {
    pub(super) fn remote(&self, path: &str) -> String {
        names::join(self.remote_top, path)
    }

    /// Says why the server cannot be told of a name.
    pub(super) fn flaw_of(&self, node: &Node) -> Option<&'static str> {
        let verb = if node.is_dir { "MKD" } else { "STOR" };
        let line = || format!("{verb} {}", self.remote(&node.path));
        (self.way == Way::Up)
            .then(line)
            .as_deref()
            .and_then(remote::flaw_of)
    }

    pub(super) fn make_dir(&self, path: &str) -> Step {
        match self.way {
            Way::Up => Step::MakeRemoteDir {
                path: self.remote(path),
            },
            Way::Down => Step::MakeLocalDir {
                path: local_path(path),
            },
        }
    }

    /// `seen`: what alone may be replaced here.
    pub(super) fn copy(&self, node: &Node, seen: Option<Seen>) -> Step {
        match self.way {
            Way::Up => Step::Send {
                local: self.local_top.join(local_path(&node.path)),
                remote: self.remote(&node.path),
                size: node.facts.size.unwrap_or(0),
                modified: node.facts.modified,
                top: Some(Arc::clone(&self.shared_top)),
            },
            Way::Down => Step::Fetch {
                remote: self.remote(&node.path),
                local: local_path(&node.path),
                size: node.facts.size,
                // A time that is only a day or a minute is not worth keeping; asked for instead.
                modified: node
                    .facts
                    .modified
                    .filter(|_| node.facts.precision.as_secs() <= 1),
                seen,
            },
        }
    }

    pub(super) fn delete(&self, node: &Node) -> Step {
        match self.way {
            Way::Up => Step::DeleteRemote {
                path: self.remote(&node.path),
                dir: node.is_dir,
            },
            Way::Down => Step::DeleteLocal {
                path: local_path(&node.path),
                dir: node.is_dir,
            },
        }
    }

    /// A file where a directory must be, or the reverse: what is there goes first, with all below.
    pub(super) fn replace_kind(&self, plan: &mut Plan, target: &Tree, other: &Node) {
        let below = |node: &&Node| is_below(&node.path, &other.path);
        let children = target.nodes.iter().filter(below);
        let all: Vec<&Node> = std::iter::once(other).chain(children).collect();
        self.delete_all(plan, &all);
    }

    /// `nodes` has parents first. Links go before anything that a listing shows below them.
    pub(super) fn delete_all(&self, plan: &mut Plan, nodes: &[&Node]) {
        if self.way == Way::Up {
            let dirs = nodes.iter().filter(|node| node.is_dir);
            plan.steps.extend(dirs.map(|node| Step::UnlinkRemote {
                path: self.remote(&node.path),
            }));
        }
        let children_first = nodes.iter().rev();
        plan.steps
            .extend(children_first.map(|node| self.delete(node)));
    }
}

pub(super) fn is_below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir)
        .is_some_and(|rest| rest.starts_with('/'))
}
