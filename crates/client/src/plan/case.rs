//! Names that differ only in case, for disks that do not tell them apart. Pure.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use super::{
    Plan, Step, clash,
    sync::parents,
    walk::{Tree, inner_name},
};
use crate::remote::names;

/// Two paths that may be one: they differ in case only, or are alike otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    first: String,
    second: String,
}

impl Twin {
    pub(super) fn new(first: String, second: String) -> Self {
        Self { first, second }
    }

    pub(super) fn first(&self) -> &str {
        &self.first
    }

    pub(super) fn second(&self) -> &str {
        &self.second
    }

    /// Returns the directory in which the two meet.
    pub(super) fn dir(&self) -> &str {
        names::split(&self.second).0
    }

    /// Returns the directory of the second, and what to say of it.
    fn refusal(&self, why: &str) -> (&str, String) {
        let shown = |path: &str| names::escaped(names::split(path).1);
        let (first, second) = (shown(&self.first), shown(&self.second));
        let dir = match self.dir() {
            "" => ".",
            dir => dir,
        };
        let how = match fold(&self.first) == fold(&self.second) {
            true => format!("it differs from `{first}` in case only"),
            false => format!("it is much like `{first}`"),
        };
        let what = format!("`{second}`: {how}, and {why}");
        (dir, what)
    }
}

/// Tells whether a path is one of those that come second, or lies below one.
fn is_second(twins: &HashSet<&str>, path: &str) -> bool {
    std::iter::once(path)
        .chain(parents(path))
        .any(|path| twins.contains(path))
}

fn seconds(twins: &[Twin]) -> HashSet<&str> {
    twins.iter().map(|twin| twin.second.as_str()).collect()
}

/// Returns a path without its case: each character for itself, as disks do.
pub(super) fn fold(path: &str) -> String {
    let upper = path.chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}

/// Returns the paths that come second. `paths` has directories before what they hold.
fn twins<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<Twin> {
    let mut firsts = HashMap::new();
    let mut seconds = HashSet::new();
    let mut twins = Vec::new();
    for path in paths {
        // What a second directory holds goes with it.
        if seconds.contains(names::split(path).0) {
            seconds.insert(path);
            continue;
        }
        let first = *firsts.entry(fold(path)).or_insert(path);
        if first != path {
            seconds.insert(path);
            twins.push(Twin {
                first: first.to_owned(),
                second: path.to_owned(),
            });
        }
    }
    twins
}

impl Tree {
    /// Returns the names that would overwrite another one where cases are not told apart.
    #[must_use]
    pub fn twins(&self) -> Vec<Twin> {
        twins(self.nodes.iter().map(|node| node.path.as_str()))
    }

    /// Returns what would be refused where two names are one on the target's disk, of which it was not asked:
    /// the directory, and the name with what to say of it.
    #[must_use]
    pub fn unjudged_twins(&self) -> Vec<(String, String)> {
        const WHY: &str =
            "the run asks whether they are one on the target's disk, and refuses it then";
        let twins: Vec<Twin> = self.twins().into_iter().chain(self.alike()).collect();
        let mut told = HashSet::new();
        let once = twins.iter().filter(|twin| told.insert(twin.second()));
        let said = once.map(|twin| twin.refusal(WHY));
        said.map(|(dir, what)| (names::display(dir), what))
            .collect()
    }

    /// Refuses the second of each two, so that the first stays whole.
    pub fn refuse_twins(&mut self, twins: Vec<Twin>, why: &str) {
        let second = seconds(&twins);
        self.nodes.retain(|node| !is_second(&second, &node.path));
        for twin in twins {
            let (dir, what) = twin.refusal(why);
            self.refuse(dir, what);
            self.unread.push(twin.second);
        }
    }
}

impl Plan {
    /// Returns the targets that would overwrite another one where cases are not told apart.
    #[must_use]
    pub fn twins(&self) -> Vec<Twin> {
        let targets: Vec<String> = self.steps.iter().filter_map(target_of).collect();
        twins(targets.iter().map(String::as_str))
    }

    /// Refuses the second of each two with all that goes below it, so that the first stays whole.
    pub fn refuse_twins(&mut self, twins: &[Twin], why: &str) {
        let second = seconds(twins);
        self.steps
            .retain(|step| target_of(step).is_none_or(|path| !is_second(&second, &path)));
        // Like several others it is refused once.
        let mut told = HashSet::new();
        for twin in twins.iter().filter(|twin| told.insert(twin.second())) {
            let (dir, what) = twin.refusal(why);
            self.push(Step::Refuse {
                name: names::display(dir),
                what,
            });
        }
    }
}

/// What a step makes, in the inner form.
pub(super) fn target_of(step: &Step) -> Option<String> {
    let (target, _) = clash::made_by(step)?;
    match step {
        // Paths of a server are in that form already.
        Step::MakeRemoteDir { .. } | Step::Send { .. } => target.into_string().ok(),
        _ => Some(inner_name(Path::new(&target))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::walk::tree_of;

    #[test]
    fn a_refusal_writes_what_cannot_be_shown_once() {
        let mut tree = tree_of(&["\u{10FFD6}\nA", "\u{10FFD6}\na"]);
        let twins = tree.twins();
        tree.refuse_twins(twins, "so");
        let (_, what) = &tree.refused[0];
        let want = "`\\xD6\\na`: it differs from `\\xD6\\nA` in case only, and so";
        assert_eq!(what, want);
    }

    #[test]
    fn the_second_of_two_names_is_refused_with_all_below() {
        let mut tree = tree_of(&[
            "A.txt", "Dir/", "a.txt", "dir/", "Dir/x", "dir/x", "dir/y", "é", "É", "ΟΔΟΣ", "οδοσ",
        ]);
        let twins = tree.twins();
        tree.refuse_twins(twins, "it is so");
        let left: Vec<_> = tree.nodes.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(left, ["A.txt", "Dir", "Dir/x", "é", "ΟΔΟΣ"]);
        let refused: Vec<_> = tree.refused.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(refused.len(), 4, "{refused:?}");
        assert_eq!(
            refused[0],
            "`a.txt`: it differs from `A.txt` in case only, and it is so"
        );
        assert!(tree.is_unread("dir/y"), "what was not read is not gone");
    }

    #[test]
    fn a_name_that_a_listing_dropped_takes_no_other_along() {
        let mut tree = tree_of(&["A", "a", "b"]);
        tree.unread.push(String::new());
        let twins = tree.twins();
        tree.refuse_twins(twins, "it is so");
        let left: Vec<_> = tree.nodes.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(left, ["A", "b"]);
    }

    #[test]
    fn a_plan_keeps_the_first_of_two_targets_and_tells_of_the_second() {
        let mut plan = Plan::new(".");
        let make = |path: &str| Step::MakeRemoteDir {
            path: path.to_owned(),
        };
        plan.steps = vec![
            make("/in/Dir"),
            Step::send("Dir/x", "/in/Dir/x", 1),
            make("/in/dir"),
            Step::send("dir/y", "/in/dir/y", 1),
            Step::send("dirt", "/in/dirt", 1),
        ];
        let twins = plan.twins();
        assert_eq!(twins.len(), 1, "{twins:?}");
        plan.refuse_twins(&twins, "it is so");
        let kept = [
            make("/in/Dir"),
            Step::send("Dir/x", "/in/Dir/x", 1),
            Step::send("dirt", "/in/dirt", 1),
            Step::Refuse {
                name: "/in".to_owned(),
                what: "`dir`: it differs from `Dir` in case only, and it is so".to_owned(),
            },
        ];
        assert_eq!(plan.steps, kept);
    }

    #[test]
    fn bytes_that_are_no_text_are_not_taken_for_one_another() {
        let mut plan = Plan::new(".");
        plan.steps = [0xfe, 0xff]
            .map(|byte| Step::fetch(&names::decode_lossless(&[b'x', byte])))
            .to_vec();
        assert_eq!(plan.twins(), []);
    }
}
