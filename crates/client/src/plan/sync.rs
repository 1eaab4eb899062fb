//! Two trees to the steps that make the target like the source. Pure.
//!
//! One way only. Directories first, then files, large ones first, then removals, children before
//! their parents.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    Plan, Step,
    compare::{Difference, compare},
    walk::{Node, Tree, local_path},
};
use crate::remote::names;

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
    /// Paths that are known to be equal by their hashes, though times differ or are unknown.
    pub equal: BTreeSet<String>,
    /// Paths that are known to differ by their hashes, though size and time agree.
    pub different: BTreeSet<String>,
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
            equal: BTreeSet::new(),
            different: BTreeSet::new(),
        }
    }
}

/// Makes the plan; `local_top` and `remote_top` are the two tops.
#[must_use]
pub fn plan(
    source: &Tree,
    target: &Tree,
    local_top: &Path,
    remote_top: &str,
    wishes: &Wishes,
) -> Plan {
    let there: BTreeMap<&str, &Node> = by_path(target);
    let here: BTreeMap<&str, &Node> = by_path(source);
    let ends = Ends {
        way: wishes.way,
        local_top,
        remote_top,
    };
    let mut plan = Plan::new(local_top);
    // What the target alone holds need not be had.
    for (name, what) in &source.refused {
        plan.push(Step::Refuse {
            name: name.clone(),
            what: what.clone(),
        });
    }
    let mut files = Vec::new();
    // Where the target cannot be read nothing is known of what a copy would replace.
    let mut in_the_way: BTreeSet<&str> = target.closed.iter().map(String::as_str).collect();
    for node in &source.nodes {
        if in_the_way.contains(node.path.as_str()) {
            plan.push(refuse(&node.path, "the target cannot be read there"));
            continue;
        }
        if parents(&node.path).any(|dir| in_the_way.contains(dir)) {
            continue;
        }
        let other = there.get(node.path.as_str()).copied();
        if let Some(other) = other.filter(|other| other.is_dir != node.is_dir) {
            if !may_replace(target, other, wishes) {
                plan.push(in_the_way_of(node));
                in_the_way.insert(node.path.as_str());
                continue;
            }
            ends.replace_kind(&mut plan, target, other);
        }
        let other = other.filter(|other| other.is_dir == node.is_dir);
        match (node.is_dir, other) {
            (true, Some(_)) => {}
            (true, None) => plan.push(ends.make_dir(&node.path)),
            (false, other) => match reason_to_skip(node, other, wishes) {
                Some(reason) => plan.push(Step::Skip {
                    name: names::display(&node.path),
                    reason: reason.to_owned(),
                }),
                None => files.push(node),
            },
        }
    }
    // Large files first: the last worker should not be left alone with the largest.
    files.sort_by_key(|node| std::cmp::Reverse(node.facts.size));
    plan.steps
        .extend(files.into_iter().map(|node| ends.copy(node)));
    if wishes.delete {
        let holding = holding(target);
        let mut gone = Vec::new();
        for node in &target.nodes {
            let replaced = parents(&node.path).any(|dir| here.get(dir).is_some_and(|n| !n.is_dir));
            if here.contains_key(node.path.as_str()) || replaced {
                continue;
            }
            // Not seen is not gone; and a directory that holds something unseen stays too.
            let above = |unread: &String| is_below(unread, &node.path);
            if source.is_unread(&node.path) || source.unread.iter().any(above) {
                plan.push(Step::Skip {
                    name: names::display(&node.path),
                    reason: "not removed: the source was not read there".to_owned(),
                });
            } else if holding.contains(node.path.as_str()) {
                plan.push(Step::Skip {
                    name: names::display(&node.path),
                    reason: "not removed: it holds what was left out".to_owned(),
                });
            } else {
                gone.push(node);
            }
        }
        ends.delete_all(&mut plan, &gone);
    }
    plan
}

/// The directories of a tree that cannot be emptied: they, or others below them, hold what takes no
/// part or was not read.
fn holding(tree: &Tree) -> BTreeSet<&str> {
    let unread = tree.unread.iter().flat_map(|path| parents(path));
    let left_out = tree.holding.iter().flat_map(|dir| {
        let dir = dir.as_str();
        std::iter::once(dir).chain(parents(dir))
    });
    unread.chain(left_out).collect()
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
    let name = names::display(name).escape_debug().to_string();
    Step::Refuse {
        name: names::display(if dir.is_empty() { "." } else { dir }),
        what: format!("`{name}`: {why}"),
    }
}

fn is_below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn by_path(tree: &Tree) -> BTreeMap<&str, &Node> {
    tree.nodes
        .iter()
        .map(|node| (node.path.as_str(), node))
        .collect()
}

/// The directories above a path, nearest first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|cut| cut.0), |dir| {
        dir.rsplit_once('/').map(|cut| cut.0)
    })
}

fn reason_to_skip(node: &Node, other: Option<&Node>, wishes: &Wishes) -> Option<&'static str> {
    let other = other?;
    if wishes.equal.contains(&node.path) {
        return Some("same content");
    }
    if wishes.different.contains(&node.path) {
        return None;
    }
    match compare(&node.facts, &other.facts) {
        Difference::Same => Some("same size and time"),
        Difference::Older if !wishes.keeps_times => Some("same size, uploaded later"),
        Difference::Older if wishes.update_only => Some("newer on the target"),
        Difference::Size if wishes.update_only && is_newer(other, node) => {
            Some("newer on the target")
        }
        _ => None,
    }
}

fn is_newer(one: &Node, other: &Node) -> bool {
    matches!((one.facts.modified, other.facts.modified), (Some(a), Some(b)) if a > b)
}

/// The two tops and the way between.
struct Ends<'a> {
    way: Way,
    local_top: &'a Path,
    remote_top: &'a str,
}

impl Ends<'_> {
    fn remote(&self, path: &str) -> String {
        names::join(self.remote_top, path)
    }

    fn make_dir(&self, path: &str) -> Step {
        match self.way {
            Way::Up => Step::MakeRemoteDir {
                path: self.remote(path),
            },
            Way::Down => Step::MakeLocalDir {
                path: local_path(path),
            },
        }
    }

    fn copy(&self, node: &Node) -> Step {
        match self.way {
            Way::Up => Step::Send {
                local: self.local_top.join(local_path(&node.path)),
                remote: self.remote(&node.path),
                size: node.facts.size.unwrap_or(0),
                modified: node.facts.modified,
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
            },
        }
    }

    fn delete(&self, node: &Node) -> Step {
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
    fn replace_kind(&self, plan: &mut Plan, target: &Tree, other: &Node) {
        let below = |node: &&Node| is_below(&node.path, &other.path);
        let children = target.nodes.iter().filter(below);
        let all: Vec<&Node> = std::iter::once(other).chain(children).collect();
        self.delete_all(plan, &all);
    }

    /// `nodes` has parents first. Links go before anything that a listing shows below them.
    fn delete_all(&self, plan: &mut Plan, nodes: &[&Node]) {
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::plan::compare::Facts;

    fn tree(rows: &[(&str, Option<u64>, u64)]) -> Tree {
        let nodes = rows
            .iter()
            .map(|(path, size, secs)| Node {
                path: (*path).to_owned(),
                is_dir: size.is_none(),
                facts: Facts {
                    size: *size,
                    modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(*secs)),
                    precision: Duration::from_secs(1),
                },
            })
            .collect();
        Tree {
            nodes,
            ..Tree::default()
        }
    }

    /// One word a step.
    fn words(source: &Tree, target: &Tree, wishes: &Wishes) -> Vec<String> {
        plan(source, target, Path::new("/l"), "/r", wishes)
            .steps
            .iter()
            .map(|step| match step {
                Step::MakeRemoteDir { path } => format!("mkdir {path}"),
                Step::MakeLocalDir { path } => format!("mkdir {}", path.display()),
                Step::Send { local, remote, .. } => format!("{}>{remote}", local.display()),
                Step::Fetch { remote, local, .. } => format!("{remote}>{}", local.display()),
                Step::DeleteRemote { path, dir } => format!("rm {path} {dir}"),
                Step::DeleteLocal { path, dir } => format!("rm {} {dir}", path.display()),
                Step::UnlinkRemote { path } => format!("unlink {path}"),
                Step::ClearSent { dirs } => format!("clear {dirs:?}"),
                Step::Refuse { name, what } => format!("refuse {name}: {what}"),
                Step::Skip { name, reason } => format!("skip {name}: {reason}"),
            })
            .collect()
    }

    #[test]
    fn new_and_changed_files_go_the_large_ones_first() {
        let source = tree(&[
            ("d", None, 0),
            ("a", Some(1), 9),
            ("b", Some(2), 9),
            ("d/c", Some(7), 9),
        ]);
        let target = tree(&[("a", Some(1), 9), ("b", Some(3), 9), ("x", Some(1), 1)]);
        let up = words(&source, &target, &Wishes::new(Way::Up));
        assert_eq!(
            up,
            [
                "mkdir /r/d",
                "skip a: same size and time",
                "/l/d/c>/r/d/c",
                "/l/b>/r/b"
            ]
        );
        let down = words(&source, &target, &Wishes::new(Way::Down));
        assert_eq!(
            down,
            [
                "mkdir d",
                "skip a: same size and time",
                "/r/d/c>d/c",
                "/r/b>b"
            ]
        );
    }

    #[test]
    fn a_second_run_does_nothing() {
        let same = tree(&[("d", None, 5), ("d/a", Some(1), 9)]);
        let mut wishes = Wishes::new(Way::Up);
        wishes.delete = true;
        let plan = plan(&same, &same, Path::new("/l"), "/r", &wishes);
        assert!(plan.is_idle(), "{plan:?}");
    }

    #[test]
    fn removals_come_last_children_first() {
        let source = tree(&[("a", Some(1), 1)]);
        let target = tree(&[("d", None, 0), ("d/e", None, 0), ("d/e/f", Some(1), 1)]);
        let mut wishes = Wishes::new(Way::Up);
        wishes.delete = true;
        let steps = words(&source, &target, &wishes);
        assert_eq!(
            steps,
            [
                "/l/a>/r/a",
                "unlink /r/d",
                "unlink /r/d/e",
                "rm /r/d/e/f false",
                "rm /r/d/e true",
                "rm /r/d true"
            ]
        );
    }

    #[test]
    fn a_file_in_place_of_a_directory_goes_first_and_once() {
        let source = tree(&[("x", Some(1), 1)]);
        let target = tree(&[("x", None, 0), ("x/y", Some(1), 1)]);
        let mut wishes = Wishes::new(Way::Down);
        wishes.delete = true;
        let steps = words(&source, &target, &wishes);
        assert_eq!(steps, ["rm x/y false", "rm x true", "/r/x>x"]);
    }

    #[test]
    fn without_delete_only_an_empty_directory_makes_room() {
        let source = tree(&[
            ("d", None, 0),
            ("d/e", None, 0),
            ("d/e/f", Some(1), 1),
            ("none", Some(1), 1),
            ("x", Some(1), 1),
        ]);
        let target = tree(&[
            ("d", Some(1), 1),
            ("none", None, 0),
            ("x", None, 0),
            ("x/only", Some(1), 1),
        ]);
        assert_eq!(
            words(&source, &target, &Wishes::new(Way::Up)),
            [
                "refuse .: `d`: the target has a file of that name; `--delete` replaces it",
                "unlink /r/none",
                "rm /r/none true",
                "refuse .: `x`: the target has a directory that is not empty of that name; \
                 `--delete` replaces it",
                "/l/none>/r/none",
            ]
        );
    }

    #[test]
    fn update_only_leaves_newer_targets_alone() {
        let source = tree(&[("a", Some(1), 100)]);
        let target = tree(&[("a", Some(2), 200)]);
        let mut wishes = Wishes::new(Way::Up);
        assert_eq!(words(&source, &target, &wishes), ["/l/a>/r/a"]);
        wishes.update_only = true;
        assert_eq!(
            words(&source, &target, &wishes),
            ["skip a: newer on the target"]
        );
    }

    #[test]
    fn what_was_not_read_is_not_removed() {
        let mut source = tree(&[("a", Some(1), 1)]);
        source.unread.push("locked".to_owned());
        let target = tree(&[
            ("locked", None, 0),
            ("locked/x", Some(1), 1),
            ("lock", Some(1), 1),
        ]);
        let mut wishes = Wishes::new(Way::Up);
        wishes.delete = true;
        let steps = words(&source, &target, &wishes);
        assert_eq!(
            steps
                .iter()
                .filter(|step| step.starts_with("rm"))
                .collect::<Vec<_>>(),
            ["rm /r/lock false"]
        );
        assert_eq!(
            steps
                .iter()
                .filter(|step| step.starts_with("skip locked"))
                .count(),
            2
        );
    }

    #[test]
    fn a_directory_that_holds_what_was_left_out_is_not_removed() {
        let source = tree(&[("a", Some(1), 1)]);
        let mut target = tree(&[
            ("a", Some(1), 1),
            ("d", None, 0),
            ("l", None, 0),
            ("x", None, 0),
            ("d/e", None, 0),
            ("d/e/f", Some(1), 1),
        ]);
        target.holding.push("d/e".to_owned());
        target.unread.push("l/link".to_owned());
        let mut wishes = Wishes::new(Way::Down);
        wishes.delete = true;
        let why = "not removed: it holds what was left out";
        assert_eq!(
            words(&source, &target, &wishes),
            [
                "skip a: same size and time".to_owned(),
                format!("skip d: {why}"),
                format!("skip l: {why}"),
                format!("skip d/e: {why}"),
                "rm d/e/f false".to_owned(),
                "rm x true".to_owned(),
            ]
        );
    }

    #[test]
    fn nothing_is_sent_where_the_target_cannot_be_read() {
        let source = tree(&[
            ("locked", None, 0),
            ("open", Some(1), 1),
            ("locked/x", Some(1), 1),
        ]);
        let mut target = tree(&[("locked", None, 0)]);
        target.closed.push("locked".to_owned());
        let steps = words(&source, &target, &Wishes::new(Way::Up));
        let refused = "refuse .: `locked`: the target cannot be read there";
        assert_eq!(steps, [refused, "/l/open>/r/open"]);
    }

    #[test]
    fn a_server_that_keeps_no_times_is_not_sent_everything_again() {
        let source = tree(&[("a", Some(1), 100), ("b", Some(2), 100)]);
        let target = tree(&[("a", Some(1), 900), ("b", Some(1), 900)]);
        let mut wishes = Wishes::new(Way::Up);
        wishes.keeps_times = false;
        let steps = words(&source, &target, &wishes);
        assert_eq!(steps, ["skip a: same size, uploaded later", "/l/b>/r/b"]);
    }

    #[test]
    fn hashes_overrule_times() {
        let source = tree(&[("a", Some(1), 100), ("b", Some(1), 100)]);
        let target = tree(&[("a", Some(1), 900), ("b", Some(1), 100)]);
        let mut wishes = Wishes::new(Way::Up);
        wishes.equal.insert("a".to_owned());
        wishes.different.insert("b".to_owned());
        assert_eq!(
            words(&source, &target, &wishes),
            ["skip a: same content", "/l/b>/r/b"]
        );
    }
}
