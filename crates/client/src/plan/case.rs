//! Names that differ only in case, and disks that do not tell them apart.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use super::walk::Tree;
use crate::remote::names;

/// Refuses every name of a tree that would overwrite another one in `dir`, so that the first of
/// them stays whole. Blocks.
pub fn spare(tree: &mut Tree, dir: &Path) {
    let twins = twins(tree);
    if !twins.is_empty() && is_blind(dir) {
        refuse(tree, twins);
    }
}

/// Returns the paths that come second, each with the path that comes first.
fn twins(tree: &Tree) -> Vec<(String, String)> {
    let mut firsts = HashMap::new();
    let mut seconds = HashSet::new();
    let mut twins = Vec::new();
    for node in &tree.nodes {
        // What a second directory holds goes with it.
        if seconds.contains(names::split(&node.path).0) {
            seconds.insert(node.path.as_str());
            continue;
        }
        let first = *firsts.entry(node.path.to_lowercase()).or_insert(&node.path);
        if *first != node.path {
            seconds.insert(&node.path);
            twins.push((node.path.clone(), first.clone()));
        }
    }
    twins
}

fn refuse(tree: &mut Tree, twins: Vec<(String, String)>) {
    let shown = |path: &str| {
        names::display(names::split(path).1)
            .escape_debug()
            .to_string()
    };
    for (second, first) in twins {
        let (dir, _) = names::split(&second);
        let dir = if dir.is_empty() { "." } else { dir };
        let what = format!(
            "`{}`: it differs from `{}` in case only, and this disk takes them for one",
            shown(&second),
            shown(&first)
        );
        tree.refuse(dir, what);
        tree.unread.push(second);
    }
    let mut nodes = std::mem::take(&mut tree.nodes);
    nodes.retain(|node| !tree.is_unread(&node.path));
    tree.nodes = nodes;
}

/// Tells whether a disk takes two cases of a name for one. A directory that is still to be made is
/// like the one above it; where nothing can be written nothing can be overwritten either.
fn is_blind(dir: &Path) -> bool {
    let Ok(dir) = std::path::absolute(dir) else {
        return false;
    };
    let Some(dir) = dir.ancestors().find(|dir| dir.is_dir()) else {
        return false;
    };
    let probe = |word: &str| dir.join(format!(".ftpc-{word}-{}", std::process::id()));
    if fs::write(probe("case"), "").is_err() {
        return false;
    }
    let blind = probe("CASE").exists();
    let _gone = fs::remove_file(probe("case"));
    blind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{compare::Facts, walk::Node};

    fn tree(paths: &[&str]) -> Tree {
        let node = |path: &&str| Node {
            path: path.trim_end_matches('/').to_owned(),
            is_dir: path.ends_with('/'),
            facts: Facts::default(),
        };
        Tree {
            nodes: paths.iter().map(node).collect(),
            ..Tree::default()
        }
    }

    #[test]
    fn the_second_of_two_names_is_refused_with_all_below() {
        let mut tree = tree(&[
            "A.txt", "Dir/", "a.txt", "dir/", "Dir/x", "dir/x", "dir/y", "é", "É",
        ]);
        let twins = twins(&tree);
        refuse(&mut tree, twins);
        let left: Vec<_> = tree.nodes.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(left, ["A.txt", "Dir", "Dir/x", "é"]);
        let refused: Vec<_> = tree.refused.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(refused.len(), 3, "{refused:?}");
        assert!(
            refused[0].starts_with("`a.txt`: it differs from `A.txt`"),
            "{refused:?}"
        );
        assert!(tree.is_unread("dir/y"), "what was not read is not gone");
    }

    #[test]
    fn a_disk_that_tells_cases_apart_takes_both() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("x"), "").unwrap();
        fs::write(temp.path().join("X"), "").unwrap_or_default();
        let blind = fs::read_dir(temp.path()).unwrap().count() == 1;
        assert_eq!(is_blind(&temp.path().join("not/made/yet")), blind);
        let left = fs::read_dir(temp.path()).unwrap().count();
        assert_eq!(left, if blind { 1 } else { 2 });
    }
}
