//! What a target has and did not list, which an upload would replace unseen: names that begin with a dot, and those
//! of a directory whose listing is not whole.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    compare::Facts,
    filter::Filter,
    sync::{by_path, parents},
    unlisted::Told,
    walk::{self, Node, Tree},
};
use crate::{
    cancel::Cancel,
    error::Error,
    remote::{Kind, Remote, names},
};

/// Asks for each such name of the local tree that the remote one seems to lack, in a directory of both, and returns
/// what the server has, to be taken into its tree. Of what it does not tell nothing but that it may be there is known.
///
/// # Errors
/// The session broke, or a stop.
pub async fn reveal(
    session: &mut dyn Remote,
    local: &Tree,
    (remote, top): (&Tree, &str),
    filter: &Filter,
    cancel: &Cancel,
) -> Result<Tree, Error> {
    let mut seen = Seen::of(remote);
    let mut revealed = Tree::default();
    for node in &local.nodes {
        if !seen.may_hide(&node.path) {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let path = names::join(top, &node.path);
        let mut found = Tree::default();
        match Told::of(session, &path).await? {
            Told::Nothing => continue,
            Told::Entry(entry) if entry.kind == Kind::Dir => {
                found = walk::remote_from(session, (top, &node.path), filter, cancel).await?;
                keep_those_of(local, &mut found);
                found.nodes.insert(0, known(node, true, Facts::default()));
            }
            Told::Entry(entry) if entry.kind == Kind::File => {
                let (modified, precision) = (entry.modified, entry.precision);
                let size = entry.size;
                let facts = Facts {
                    size,
                    modified,
                    precision,
                };
                found.nodes.push(known(node, false, facts));
            }
            Told::Entry(_) => found.leave_out(&node.path, "a link, or something else"),
            Told::Unknown => {
                found.nodes.push(known(node, node.is_dir, Facts::default()));
                found.unread.extend(node.is_dir.then(|| node.path.clone()));
            }
        }
        seen.take(&found);
        revealed.absorb(found);
    }
    Ok(revealed)
}

/// What was hidden, and is not here, takes no part: it is not removed either.
fn keep_those_of(local: &Tree, found: &mut Tree) {
    let here = by_path(local);
    let (both, others) = std::mem::take(&mut found.nodes)
        .into_iter()
        .partition(|node| here.contains_key(node.path.as_str()));
    found.nodes = both;
    let dirs = |node: Node| names::split(&node.path).0.to_owned();
    found.holding.extend(Vec::into_iter(others).map(dirs));
}

fn known(node: &Node, is_dir: bool, facts: Facts) -> Node {
    Node {
        path: node.path.clone(),
        is_dir,
        facts,
    }
}

/// What is known of the target.
struct Seen {
    /// Paths, and whether they are directories.
    paths: BTreeMap<String, bool>,
    unread: HashSet<String>,
    closed: BTreeSet<String>,
}

impl Seen {
    fn of(tree: &Tree) -> Self {
        let nodes = by_path(tree).into_values();
        let mut seen = Self {
            paths: nodes.map(|node| (node.path.clone(), node.is_dir)).collect(),
            unread: HashSet::new(),
            closed: BTreeSet::new(),
        };
        seen.take(tree);
        seen
    }

    fn take(&mut self, tree: &Tree) {
        let nodes = tree.nodes.iter();
        self.paths
            .extend(nodes.map(|node| (node.path.clone(), node.is_dir)));
        self.unread.extend(tree.unread.iter().cloned());
        self.closed.extend(tree.closed.iter().cloned());
    }

    /// Tells whether a path may be there though it was not seen. Into what cannot be read, and over what takes no
    /// part, nothing is sent anyway.
    fn may_hide(&self, path: &str) -> bool {
        let (dir, name) = names::split(path);
        let is_in_both = dir.is_empty() || self.paths.get(dir) == Some(&true);
        let is_known = self.paths.contains_key(path) || self.unread.contains(path);
        let above = || parents(path).chain(std::iter::once(""));
        is_in_both
            && !is_known
            && (name.starts_with('.') || above().any(|dir| self.unread.contains(dir)))
            && !above().any(|dir| self.closed.contains(dir))
    }
}
