//! Two trees to the steps that make the target like the source. Pure.
//!
//! One way only. Directories first, then files, large ones first, then removals, children before
//! their parents.

mod ends;
mod skip;
mod surplus;
mod wishes;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

pub use self::{
    skip::MAY_BE_NEWER,
    wishes::{Way, Wishes},
};

use self::{
    ends::{Ends, is_below},
    skip::reason_to_skip,
    surplus::holding,
};
use super::{
    Plan, Seen, Step,
    walk::{Node, Tree},
};
use crate::remote::names;

/// Makes the plan; `local_top` and `remote_top` are the two tops.
#[must_use]
pub fn plan(
    source: &Tree,
    target: &Tree,
    local_top: &Path,
    remote_top: &str,
    wishes: &Wishes,
) -> Plan {
    let mut planner = Planner {
        source,
        target,
        wishes,
        ends: Ends {
            way: wishes.way,
            local_top,
            shared_top: local_top.into(),
            remote_top,
        },
        plan: Plan::new(local_top),
        is_incomplete: false,
    };
    planner.refuse_unusable();
    planner.copy_all();
    if wishes.delete {
        planner.remove_surplus();
    }
    planner.plan
}

const UNREADABLE: &str = "the target cannot be read there";
const NO_DIRECTORY: &str = "the target has no directory there, but a link or something else";
const NO_FILE: &str =
    "the target has a link there, or something else that is left out; remove it, or exclude it";

const HOLDING: &str = "the target has a directory of that name that holds what was left out";

/// A plan in the making.
struct Planner<'a> {
    source: &'a Tree,
    target: &'a Tree,
    wishes: &'a Wishes,
    ends: Ends<'a>,
    plan: Plan,
    /// A copy was refused: what the source lacks may be what the target would lose.
    is_incomplete: bool,
}

/// What the target has in a place where nothing can be copied to.
enum Closed {
    Unreadable,
    /// A link, or neither file nor directory.
    Odd,
}

impl<'a> Planner<'a> {
    /// What the target alone holds need not be had.
    fn refuse_unusable(&mut self) {
        for (name, what) in &self.source.refused {
            self.plan.push(Step::Refuse {
                name: name.clone(),
                what: what.clone(),
            });
        }
    }

    /// Directories in their order, then files.
    fn copy_all(&mut self) {
        let there = by_path(self.target);
        let mut files = Vec::new();
        let mut in_the_way: BTreeSet<&str> = BTreeSet::new();
        let closed = self.closed(&there);
        for node in &self.source.nodes {
            let path = node.path.as_str();
            if parents(path).any(|dir| in_the_way.contains(dir)) {
                continue;
            }
            let other = there.get(path).copied();
            let room = match closed.get(path) {
                Some(Closed::Unreadable) => Err(refuse(path, UNREADABLE)),
                Some(Closed::Odd) if node.is_dir => Err(refuse(path, NO_DIRECTORY)),
                Some(Closed::Odd) => Err(refuse(path, NO_FILE)),
                None => self.make_room(node, other),
            };
            if let Err(refused) = room {
                self.refuse(refused);
                in_the_way.insert(path);
                continue;
            }
            let other = other.filter(|other| other.is_dir == node.is_dir);
            match (node.is_dir, other) {
                (true, Some(_)) => {}
                (true, None) => self.plan.push(self.ends.make_dir(&node.path)),
                (false, other) => files.extend(self.takes(node, other).then_some(node)),
            }
        }
        // Large files first: the last worker should not be left alone with the largest.
        files.sort_by_key(|node| std::cmp::Reverse(node.facts.size));
        let update_only = self.wishes.update_only;
        let copies = files.into_iter().map(|node| {
            let seen = || Seen::of(there.get(node.path.as_str()).copied());
            self.ends.copy(node, update_only.then(seen))
        });
        self.plan.steps.extend(copies);
    }

    /// Where nothing is known of what a copy would replace: the target cannot be read there, or a link
    /// leads to what may be anybody's.
    fn closed(&self, there: &BTreeMap<&str, &Node>) -> BTreeMap<&'a str, Closed> {
        let unread = self.target.unread.iter().map(String::as_str);
        let odd = unread.filter(|path| !there.contains_key(path));
        let closed = self.target.closed.iter().map(String::as_str);
        odd.map(|path| (path, Closed::Odd))
            .chain(closed.map(|path| (path, Closed::Unreadable)))
            .collect()
    }

    /// Takes what is of another kind out of the way; or says why it must not go, or why nothing comes.
    fn make_room(&mut self, node: &Node, other: Option<&'a Node>) -> Result<(), Step> {
        if let Some(flaw) = self.ends.flaw_of(node) {
            return Err(refuse(&node.path, &format!("cannot be sent: {flaw}")));
        }
        let Some(other) = other.filter(|other| other.is_dir != node.is_dir) else {
            return Ok(());
        };
        if !may_replace(self.target, other, self.wishes) {
            return Err(in_the_way_of(node));
        }
        // Some servers remove a directory with all it holds.
        let doubtful = &self.wishes.doubtful;
        if other.is_dir && holding(self.target, doubtful).contains(other.path.as_str()) {
            return Err(refuse(&node.path, HOLDING));
        }
        self.ends.replace_kind(&mut self.plan, self.target, other);
        Ok(())
    }

    /// Tells of something that is not copied.
    fn refuse(&mut self, step: Step) {
        self.is_incomplete = true;
        self.plan.push(step);
    }

    /// Tells whether a file is to be copied; why not is a step of the plan.
    fn takes(&mut self, node: &Node, other: Option<&Node>) -> bool {
        if let Some(why) = self.wishes.unhashed.get(&node.path) {
            self.refuse(refuse(&node.path, why));
            return false;
        }
        let Some(reason) = reason_to_skip(node, other, self.wishes) else {
            if other.is_some() && !self.wishes.replaces {
                let step = refuse(&node.path, "the server replaces no files (`on_duplicate`)");
                self.refuse(step);
                return false;
            }
            return true;
        };
        self.skip(node, reason);
        false
    }

    fn skip(&mut self, node: &Node, reason: &str) {
        self.plan.push(Step::Skip {
            name: names::display(&node.path),
            reason: reason.to_owned(),
        });
    }
}

/// Without `delete` only a directory that holds nothing makes room for a file.
fn may_replace(target: &Tree, other: &Node, wishes: &Wishes) -> bool {
    let holds_something = || {
        let mut paths = target.nodes.iter().map(|node| node.path.as_str());
        paths.any(|path| is_below(path, &other.path))
    };
    wishes.delete || (other.is_dir && !holds_something())
}

fn in_the_way_of(node: &Node) -> Step {
    let there = if node.is_dir {
        "a file"
    } else {
        "a directory that is not empty"
    };
    refuse(
        &node.path,
        &format!("the target has {there} of that name; `--delete` replaces it"),
    )
}

fn refuse(path: &str, why: &str) -> Step {
    let (dir, name) = names::split(path);
    let name = names::escaped(name);
    Step::Refuse {
        name: names::display(if dir.is_empty() { "." } else { dir }),
        what: format!("`{name}`: {why}"),
    }
}

/// The nodes of a tree by their paths.
pub(super) fn by_path(tree: &Tree) -> BTreeMap<&str, &Node> {
    tree.nodes
        .iter()
        .map(|node| (node.path.as_str(), node))
        .collect()
}

/// The directories above a path, nearest first.
pub(super) fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|cut| cut.0), |dir| {
        dir.rsplit_once('/').map(|cut| cut.0)
    })
}

#[cfg(test)]
mod tests;
