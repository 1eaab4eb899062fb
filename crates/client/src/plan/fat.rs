//! Whether a disk keeps times to two seconds, as FAT does, where only its times can tell. Pure.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use super::{
    compare::{Facts, TWO_SECONDS, seconds},
    sync::by_path,
    walk::{Node, Tree},
};

/// So many different times that are all even are no chance: one in 256 at most, and less with each more.
const ENOUGH: usize = 8;
/// Even times alone do not prove a disk: archives keep them so (zip), and those of files that came out of one
/// are even on every disk. So many were seen to be odd where they came from.
const ENOUGH_CUT: usize = 3;

/// Where the times of the target are such as a FAT disk makes of those of the source, they are taken for no
/// more exact.
pub fn allow_for_fat(source: &Tree, target: &mut Tree) {
    let times = exact_files(target).filter_map(|node| node.facts.modified);
    if are_two_seconds_apart(times) && cut_times(source, target) >= ENOUGH_CUT {
        for node in &mut target.nodes {
            node.facts.precision = node.facts.precision.max(TWO_SECONDS);
        }
    }
}

fn is_exact(facts: &Facts) -> bool {
    facts.precision <= Duration::from_secs(1)
}

/// The files of whose times the seconds are known; whole minutes are even everywhere.
fn exact_files(tree: &Tree) -> impl Iterator<Item = &Node> {
    let nodes = tree.nodes.iter();
    nodes.filter(|node| !node.is_dir && is_exact(&node.facts))
}

/// Tells whether all these times are such as a FAT disk keeps; of a few different ones that may be chance.
fn are_two_seconds_apart(mut times: impl Iterator<Item = SystemTime>) -> bool {
    let mut different = BTreeSet::new();
    let all_even = times.all(|time| {
        let time = seconds(time);
        different.insert(time);
        time % 2 == 0
    });
    all_even && different.len() >= ENOUGH
}

/// Counts the different even times of files that have an odd one beside it on the other side, and the same size.
/// Files that were all written in one second and changed in the next are one.
fn cut_times(source: &Tree, target: &Tree) -> usize {
    let ours = by_path(source);
    let cut = exact_files(target).filter_map(|node| {
        let other = ours.get(node.path.as_str())?;
        let is_like =
            !other.is_dir && is_exact(&other.facts) && other.facts.size == node.facts.size;
        let (odd, even) = (
            seconds(other.facts.modified?),
            seconds(node.facts.modified?),
        );
        (is_like && even.abs_diff(odd) == 1).then_some(even)
    });
    cut.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{
        compare::{Difference, compare},
        walk::tree_of,
    };

    #[test]
    fn a_fat_disk_is_known_by_its_times() {
        let times = |all: &[u64]| {
            let time = |secs: &u64| SystemTime::UNIX_EPOCH + Duration::from_secs(*secs);
            are_two_seconds_apart(all.iter().map(time).collect::<Vec<_>>().into_iter())
        };
        let even: Vec<u64> = (0..8).map(|n| n * 2).collect();
        assert!(times(&even));
        assert!(!times(&even[1..]), "so few may be so by chance");
        assert!(!times(&[&even[..], &[7]].concat()));
        assert!(!times(&[6; 20]), "one time is one, of however many files");
    }

    /// A tree of files `0`, `1`... of one size with these times.
    fn timed(times: &[u64], precision: u64) -> Tree {
        let names: Vec<String> = (0..times.len()).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut tree = tree_of(&names);
        for (node, secs) in tree.nodes.iter_mut().zip(times) {
            node.facts = Facts {
                size: Some(3),
                modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(*secs)),
                precision: Duration::from_secs(precision),
            };
        }
        tree
    }

    #[test]
    fn times_that_are_even_by_chance_hide_no_change() {
        let zipped: Vec<u64> = (0..20).map(|n| 1_700_000_000 + n * 10).collect();
        let one = vec![1_700_000_000; 20];
        let cut = |times: &[u64], odd: usize| {
            let (kept, later) = times.split_at(times.len() - odd);
            let later = later.iter().map(|time| time + 1);
            kept.iter().copied().chain(later).collect::<Vec<_>>()
        };
        let rows = [
            (cut(&one, 1), &one, 1, false, "one of many of one second"),
            (cut(&one, 20), &one, 1, false, "all of one second"),
            (cut(&zipped, 1), &zipped, 1, false, "one of an archive"),
            (cut(&zipped, 2), &zipped, 1, false, "two of an archive"),
            (cut(&zipped, 9), &zipped, 60, false, "minutes"),
            (cut(&zipped, 9), &zipped, 1, true, "FAT"),
            (cut(&zipped, 9), &cut(&zipped, 1), 1, false, "an odd one"),
        ];
        for (ours, theirs, precision, is_fat, what) in rows {
            let (source, mut target) = (timed(&ours, 1), timed(theirs, precision));
            allow_for_fat(&source, &mut target);
            let widened = target.nodes[0].facts.precision == TWO_SECONDS;
            assert_eq!(widened, is_fat, "{what}");
            let first_cut = ours
                .iter()
                .zip(theirs)
                .position(|(one, other)| one != other);
            let n = first_cut.unwrap();
            let same = compare(&source.nodes[n].facts, &target.nodes[n].facts) == Difference::Same;
            assert_eq!(same, is_fat || precision > 1, "{what}");
        }
    }
}
