//! The spelling of a target's names, where its disk does not tell two cases apart. Pure.

use std::collections::{HashMap, HashSet};

use super::{case::fold, walk::Tree};
use crate::remote::names;

/// A name of the target that differs from one of the source in case only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The directory of both, as the source spells it.
    pub(super) dir: String,
    /// The path as the source spells it.
    pub(super) ours: String,
}

/// Target paths, each with its spelling in the source where that differs.
pub(super) type Spelled = HashMap<String, String>;

/// Finds the names of the target that `takes` takes for ones of the source.
pub(super) fn pair(source: &Tree, target: &Tree, takes: &mut dyn FnMut(&Pair) -> bool) -> Spelled {
    let here: HashSet<&str> = paths(source).collect();
    let mut spelled = Spelled::new();
    if paths(target).all(|path| here.contains(path)) {
        return spelled;
    }
    let there: HashSet<&str> = paths(target).collect();
    let folded: HashMap<String, &str> = paths(source).map(|path| (fold(path), path)).collect();
    for theirs in paths(target) {
        let (own_dir, name) = names::split(theirs);
        let dir = spelled.get(own_dir).map_or(own_dir, String::as_str);
        let mut path = names::join(dir, name);
        let ours = folded.get(&fold(&path)).copied();
        if let Some(ours) = ours.filter(|_| !here.contains(path.as_str())) {
            let (above, name) = names::split(ours);
            // Where the target has both, or may have, they are two.
            let other = names::join(own_dir, name);
            let both = there.contains(other.as_str()) || target.unread.contains(&other);
            let pair = Pair {
                dir: dir.to_owned(),
                ours: ours.to_owned(),
            };
            if above == dir && !both && takes(&pair) {
                path = pair.ours;
            }
        }
        if path != theirs {
            spelled.insert(theirs.to_owned(), path);
        }
    }
    spelled
}

/// Spells a tree so.
pub(super) fn apply(tree: &mut Tree, spelled: &Spelled) {
    let nodes = tree.nodes.iter_mut().map(|node| &mut node.path);
    let lists = [&mut tree.unread, &mut tree.closed, &mut tree.holding];
    for path in nodes.chain(lists.into_iter().flatten()) {
        if let Some(ours) = spelling_of(path, spelled) {
            *path = ours;
        }
    }
}

/// What is no entry of the tree is spelled as the directory that holds it.
pub(super) fn spelling_of(path: &str, spelled: &Spelled) -> Option<String> {
    if let Some(ours) = spelled.get(path) {
        return Some(ours.clone());
    }
    let (dir, name) = path.rsplit_once('/')?;
    Some(names::join(&spelling_of(dir, spelled)?, name))
}

fn paths(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.nodes.iter().map(|node| node.path.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::walk::tree_of;

    fn spelled(source: &[&str], target: &[&str], takes: bool) -> Vec<String> {
        let (source, mut target) = (tree_of(source), tree_of(target));
        let spelled = pair(&source, &target, &mut |_| takes);
        apply(&mut target, &spelled);
        paths(&target).map(str::to_owned).collect()
    }

    #[test]
    fn names_are_spelled_as_in_the_source_with_all_below() {
        let source = ["Dir/", "Dir/A", "README", "same"];
        let target = ["dir/", "dir/a", "dir/old", "readme", "same", "Other"];
        assert_eq!(
            spelled(&source, &target, true),
            ["Dir", "Dir/A", "Dir/old", "README", "same", "Other"]
        );
        assert_eq!(
            spelled(&source, &target, false),
            ["dir", "dir/a", "dir/old", "readme", "same", "Other"]
        );
    }

    #[test]
    fn what_the_target_has_twice_is_not_one() {
        assert_eq!(spelled(&["A"], &["a", "A"], true), ["a", "A"]);
        assert_eq!(
            spelled(&["D/", "D/A"], &["d/", "d/A", "d/a"], true),
            ["D", "D/A", "D/a"]
        );
    }

    #[test]
    fn what_was_not_read_is_spelled_with_its_directory() {
        let (source, mut target) = (tree_of(&["Dir/"]), tree_of(&["dir/"]));
        target.unread = vec!["dir/x/y".to_owned(), "else".to_owned(), String::new()];
        target.holding = vec!["dir".to_owned()];
        let spelled = pair(&source, &target, &mut |_| true);
        apply(&mut target, &spelled);
        assert_eq!(target.unread, ["Dir/x/y", "else", ""]);
        assert_eq!(target.holding, ["Dir"]);
    }
}
