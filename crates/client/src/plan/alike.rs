//! Names that some servers store as one though they differ in more than case: letters composed or not
//! (macOS), blanks and dots at the end (Windows), blanks at the beginning, characters and bytes that are replaced by others. Pure.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use unicode_normalization::UnicodeNormalization as _;

use super::{
    Plan,
    case::{self, Twin, fold},
    walk::{Node, Tree},
};
use crate::remote::names;

/// In a larger group each name of a plan is compared with the first alone, since what is done to one is done
/// to all; and of so many pairs across two trees none is asked about.
const MOST: usize = 16;

impl Plan {
    /// Returns targets that would be one on some servers. Which it is on this one is to be asked.
    #[must_use]
    pub fn alike(&self) -> Vec<Twin> {
        let targets: BTreeSet<String> = self.steps.iter().filter_map(case::target_of).collect();
        pairs_among(&targets)
    }
}

impl Tree {
    /// Returns names that would be one on some disks, by their paths in the tree.
    #[must_use]
    pub fn alike(&self) -> Vec<Twin> {
        let paths = self.nodes.iter().map(|node| node.path.clone());
        pairs_among(&paths.collect())
    }
}

fn pairs_among(paths: &BTreeSet<String>) -> Vec<Twin> {
    // By hashes, since a plan may be large: two that meet by chance are one question more.
    let mut groups: HashMap<u64, Vec<&str>> = HashMap::new();
    let mut in_doubt: HashMap<u64, Vec<&str>> = HashMap::new();
    for path in paths {
        let (dir, name) = names::split(path);
        let key = hash_of(dir, &likeness(name));
        groups.entry(key).or_default().push(path);
        if !name.is_ascii() {
            let key = hash_of(dir, &skeleton(name));
            in_doubt.entry(key).or_default().push(path);
        }
    }
    let alike = groups.values().flat_map(|group| pairs_of(group));
    let unread = in_doubt.values().flat_map(|group| pairs_of(group));
    let unread = unread.filter(|(one, other)| is_raw(one) || is_raw(other));
    let pairs = alike.chain(unread);
    let pairs = pairs.filter(|(one, other)| fold(one) != fold(other));
    let pairs: BTreeSet<_> = pairs.collect();
    let twin = |(first, second): (&str, &str)| Twin::new(first.to_owned(), second.to_owned());
    pairs.into_iter().map(twin).collect()
}

/// What a target may have stored under other names than the source's.
#[derive(Debug, Default)]
pub(super) struct Counterparts {
    /// Names of the source that the target has not, each with one, unknown to the source, that it may be
    /// stored as.
    pub(super) pairs: Vec<(String, String)>,
    /// Names of the target in groups too large to ask about.
    pub(super) doubtful: BTreeSet<String>,
}

impl Counterparts {
    /// Pairs what may be one in a group of like names; a group that is too large is in doubt.
    fn take_group(&mut self, ours: &[&str], theirs: &[&str]) {
        if ours.len() * theirs.len() > MOST {
            let theirs = theirs.iter().map(|name| (*name).to_owned());
            self.doubtful.extend(theirs);
            return;
        }
        for ours in ours {
            let alike = theirs.iter().filter(|theirs| may_be_one(ours, theirs));
            self.pairs
                .extend(alike.map(|theirs| ((*ours).to_owned(), (*theirs).to_owned())));
        }
    }
}

/// Finds what a server may have stored under another name.
pub(super) fn counterparts(source: &Tree, target: &Tree) -> Counterparts {
    let (here, there): (HashSet<&str>, HashSet<&str>) = (paths(source), paths(target));
    let strange: Vec<&Node> = lacking(target, &here).collect();
    let mut found = Counterparts::default();
    if strange.is_empty() {
        return found;
    }
    let unread: HashSet<&str> = target.unread.iter().map(String::as_str).collect();
    let mut groups: HashMap<u64, (Vec<&str>, Vec<&str>)> = HashMap::new();
    for node in lacking(source, &there).filter(|node| !unread.contains(node.path.as_str())) {
        let (dir, name) = names::split(&node.path);
        for shorter in [reading_of(name), Some(dropped(name))]
            .into_iter()
            .flatten()
        {
            let theirs = names::join(dir, &shorter);
            if theirs != node.path
                && there.contains(theirs.as_str())
                && !here.contains(theirs.as_str())
            {
                found.pairs.push((node.path.clone(), theirs));
            }
        }
        groups.entry(key_of(node)).or_default().0.push(&node.path);
    }
    for node in strange {
        if let Some(group) = groups.get_mut(&key_of(node)) {
            group.1.push(&node.path);
        }
    }
    for (ours, theirs) in groups.into_values() {
        found.take_group(&ours, &theirs);
    }
    found.pairs.sort();
    found.pairs.dedup();
    found
}

fn paths(tree: &Tree) -> HashSet<&str> {
    tree.nodes.iter().map(|node| node.path.as_str()).collect()
}

fn lacking<'a>(tree: &'a Tree, other: &'a HashSet<&str>) -> impl Iterator<Item = &'a Node> {
    let nodes = tree.nodes.iter();
    nodes.filter(|node| !other.contains(node.path.as_str()))
}

fn key_of(node: &Node) -> u64 {
    let (dir, name) = names::split(&node.path);
    let kind = if node.is_dir { "/" } else { "" };
    hash_of(dir, &format!("{kind}{}", likeness(name)))
}

/// Hashes meet by chance. Names that differ in case only are asked about elsewhere.
fn may_be_one(ours: &str, theirs: &str) -> bool {
    let ((dir, ours), (other_dir, theirs)) = (names::split(ours), names::split(theirs));
    dir == other_dir && fold(ours) != fold(theirs) && likeness(ours) == likeness(theirs)
}

/// Tells whether `theirs` is how a server reads the bytes of `ours`.
pub(super) fn is_reading_of(ours: &str, theirs: &str) -> bool {
    let read = reading_of(names::split(ours).1);
    read.is_some_and(|read| read == names::split(theirs).1)
}

fn is_raw(name: &str) -> bool {
    name.chars().any(|c| names::raw_byte(c).is_some())
}

/// Returns what a server reads the bytes of a name as that are no UTF-8, by the usual older encoding.
pub(crate) fn reading_of(name: &str) -> Option<String> {
    if !is_raw(name) {
        return None;
    }
    let codec = names::Codec::new("gb18030".parse().ok());
    let read = codec.decode(&names::encode_lossless(name));
    (!is_raw(&read)).then_some(read)
}

fn hash_of(dir: &str, key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (dir, key).hash(&mut hasher);
    hasher.finish()
}

fn pairs_of<'a>(group: &[&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let firsts = if group.len() > MOST { 1 } else { group.len() };
    (0..firsts).flat_map(move |at| {
        let others = group[at + 1..].iter();
        others.map(move |other| (group[at], *other))
    })
}

/// What is left of a name where much is taken from it: equal for names that may become one.
pub(crate) fn likeness(name: &str) -> String {
    let plain = name.nfkc().flat_map(|c| match names::raw_byte(c) {
        Some(_) => '\u{fffd}'.to_lowercase(),
        None if c.is_control() || "\"*:<>?|\\".contains(c) => '_'.to_lowercase(),
        None => c.to_lowercase(),
    });
    let plain: String = plain.collect();
    let ended = plain.trim_end_matches([' ', '.', '_']);
    ended.trim_start_matches(' ').to_owned()
}

/// What is left of a name where quotes, blanks at its ends and what looks like an option are dropped.
fn dropped(name: &str) -> String {
    let unquoted = name.replace('"', "");
    let mut words = unquoted.trim().split(' ');
    let first = words.next().map(str::to_owned);
    let words = words.filter(|word| !word.starts_with('-'));
    first
        .into_iter()
        .chain(words.map(str::to_owned))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Tells whether the two differ at their beginning: then it may be the listing that drops a blank.
pub(super) fn begins_otherwise(ours: &str, theirs: &str) -> bool {
    names::split(ours).1.starts_with(' ') != names::split(theirs).1.starts_with(' ')
}

/// What a name keeps in an encoding that is not known: the ASCII in it.
fn skeleton(name: &str) -> String {
    let mut bones = String::new();
    for c in name.chars() {
        match c.is_ascii() {
            true => bones.push(c),
            false if bones.ends_with('\u{fffd}') => {}
            false => bones.push('\u{fffd}'),
        }
    }
    bones
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Step, walk::tree_of};

    fn alike(paths: &[&str]) -> Vec<(String, String)> {
        let mut plan = Plan::new(".");
        plan.steps = paths.iter().map(|path| Step::send(path, path, 1)).collect();
        let twins = plan.alike();
        let whole = |twin: &Twin| (twin.first().to_owned(), twin.second().to_owned());
        twins.iter().map(whole).collect()
    }

    #[test]
    fn names_are_alike_that_some_server_stores_as_one() {
        let raw = |bytes: &[u8]| names::decode_lossless(bytes);
        let (ce, shi) = (raw(b"\xb2\xe2.txt"), raw(b"\xca\xd4.txt"));
        for (one, other) in [
            ("e\u{301}", "\u{e9}"),
            ("x ", "x_"),
            ("x", "x."),
            ("d/x", "d/ x"),
            ("d/a\tb", "d/a_b"),
            ("a:b", "a?b"),
            (&*ce, &*shi),
            ("\u{6d4b}.txt", &*ce),
        ] {
            let (first, second) = (one.min(other), one.max(other));
            let want = [(first.to_owned(), second.to_owned())];
            assert_eq!(alike(&[one, other]), want, "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_a_target_may_have_under_another_name_is_found() {
        let raw = names::decode_lossless(b"\xc4\xe3\xba\xc3.txt");
        let source = tree_of(&["d/", "d/x ", &raw, "same", "new", ".config", "link "]);
        let theirs = "\u{4f60}\u{597d}.txt";
        let mut target = tree_of(&[
            "d/",
            "d/x_",
            theirs,
            "\u{7167}.txt",
            "same",
            "config",
            "link_",
        ]);
        target.unread.push("link ".to_owned());
        let found = counterparts(&source, &target);
        let mut want = [("d/x ", "d/x_"), (raw.as_str(), theirs)];
        want.sort_unstable();
        let pairs: Vec<_> = found.pairs.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(pairs, want);
        assert!(found.doubtful.is_empty());
        let many = |end: &str| {
            (0..5)
                .map(|n| format!("x{}{end}", "_".repeat(n)))
                .collect::<Vec<_>>()
        };
        let tree =
            |names: Vec<String>| tree_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let found = counterparts(&tree(many(".")), &tree(many(" ")));
        assert_eq!((found.pairs.len(), found.doubtful.len()), (0, 5));
    }

    #[test]
    fn what_a_server_drops_of_a_name_is_known() {
        for (name, left) in [
            ("a \"b\".txt", "a b.txt"),
            (" b ", "b"),
            ("it's -r ok", "it's ok"),
            ("-a", "-a"),
            ("a  b", "a  b"),
            ("", ""),
        ] {
            assert_eq!(dropped(name), left, "{name}");
        }
        let source = tree_of(&["d/", "d/\"a\"", "d/b -x", "\"c\""]);
        let target = tree_of(&["d/", "d/a", "d/b", "d/c"]);
        let pairs = counterparts(&source, &target).pairs;
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(pairs, [("d/\"a\"", "d/a"), ("d/b -x", "d/b")]);
    }

    #[test]
    fn other_names_are_not_asked_about() {
        let none: [(String, String); 0] = [];
        assert_eq!(alike(&["a", "b", "ab", "d/a", "e/a", "a.b", "a_b"]), none);
        assert_eq!(alike(&["\u{6d4b}.txt", "\u{8bd5}.txt"]), none);
        assert_eq!(alike(&["A", "a"]), none, "those differ in case only");
        let many: Vec<String> = (0..100).map(|n| format!("x{}", ".".repeat(n))).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(alike(&many).len(), 99);
    }
}
