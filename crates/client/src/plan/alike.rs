//! Names that some servers store as one though they differ in more than case: letters composed or not
//! (macOS), blanks and dots at the end (Windows), characters and bytes that are replaced by others. Pure.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use unicode_normalization::UnicodeNormalization as _;

use super::{
    Plan,
    case::{self, Twin, fold},
    walk::Tree,
};
use crate::remote::names;

/// In a larger group each name is compared with the first alone: what is done to one is done to all.
const MOST: usize = 16;

impl Plan {
    /// Returns targets that would be one on some servers. Which it is on this one is to be asked.
    #[must_use]
    pub fn alike(&self) -> Vec<Twin> {
        let targets: BTreeSet<String> = self.steps.iter().filter_map(case::target_of).collect();
        // By hashes, since a plan may be large: two that meet by chance are one question more.
        let mut groups: HashMap<u64, Vec<&str>> = HashMap::new();
        let mut in_doubt: HashMap<u64, Vec<&str>> = HashMap::new();
        for path in &targets {
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
}

/// A name of the source that the target has not, with those of the target, unknown to the source, that it
/// may be stored as.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counterparts {
    pub(super) ours: String,
    pub(super) theirs: Vec<String>,
}

/// Finds what a server may have stored under another name.
pub(super) fn counterparts(source: &Tree, target: &Tree) -> Vec<Counterparts> {
    let paths = |tree| -> HashMap<&str, bool> { nodes(tree).collect() };
    let (here, there) = (paths(source), paths(target));
    let mut strange: HashMap<u64, Vec<&str>> = HashMap::new();
    let only_there = nodes(target).filter(|(path, _)| !here.contains_key(path));
    for (path, is_dir) in only_there {
        for key in keys(path, is_dir) {
            strange.entry(key).or_default().push(path);
        }
    }
    let mut found = Vec::new();
    if strange.is_empty() {
        return found;
    }
    for (ours, is_dir) in nodes(source).filter(|(path, _)| !there.contains_key(path)) {
        let theirs: BTreeSet<&str> = keys(ours, is_dir)
            .filter_map(|key| strange.get(&key))
            .flatten()
            .copied()
            .filter(|theirs| may_be_one(ours, theirs))
            .collect();
        if !theirs.is_empty() {
            found.push(Counterparts {
                ours: ours.to_owned(),
                theirs: theirs.into_iter().map(str::to_owned).collect(),
            });
        }
    }
    found
}

fn nodes(tree: &Tree) -> impl Iterator<Item = (&str, bool)> {
    tree.nodes
        .iter()
        .map(|node| (node.path.as_str(), node.is_dir))
}

fn keys(path: &str, is_dir: bool) -> impl Iterator<Item = u64> {
    let (dir, name) = names::split(path);
    let kind = if is_dir { "/" } else { "" };
    let bones = (!name.is_ascii()).then(|| hash_of(dir, &format!("{kind}//{}", skeleton(name))));
    let like = hash_of(dir, &format!("{kind}{}", likeness(name)));
    std::iter::once(like).chain(bones)
}

/// Hashes meet by chance, and names of one skeleton are one only where one of them is not read. Those that
/// differ in case only are asked about elsewhere.
fn may_be_one(ours: &str, theirs: &str) -> bool {
    let ((dir, ours), (other_dir, theirs)) = (names::split(ours), names::split(theirs));
    let same_bones = skeleton(ours) == skeleton(theirs) && (is_raw(ours) || is_raw(theirs));
    dir == other_dir
        && fold(ours) != fold(theirs)
        && (likeness(ours) == likeness(theirs) || same_bones)
}

fn is_raw(name: &str) -> bool {
    name.chars().any(|c| names::raw_byte(c).is_some())
}

/// Tells whether `theirs` is how a server reads the bytes of `ours` by its usual older encoding.
pub(super) fn is_reading_of(ours: &str, theirs: &str) -> bool {
    let usual = "gb18030".parse().ok();
    let name = names::split(ours).1;
    is_raw(name)
        && names::Codec::new(usual).decode(&names::encode_lossless(name)) == names::split(theirs).1
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
fn likeness(name: &str) -> String {
    let plain = name.nfkc().flat_map(|c| match names::raw_byte(c) {
        Some(_) => '\u{fffd}'.to_lowercase(),
        None if c.is_control() || "\"*:<>?|\\".contains(c) => '_'.to_lowercase(),
        None => c.to_lowercase(),
    });
    let plain: String = plain.collect();
    plain.trim_matches([' ', '.', '_']).to_owned()
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
        let whole = |twin: &Twin| {
            let (first, second) = twin.names();
            (
                names::join(twin.dir(), &first),
                names::join(twin.dir(), &second),
            )
        };
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
        let source = tree_of(&["d/", "d/x ", &raw, "same", "new"]);
        let target = tree_of(&[
            "d/",
            "d/x_",
            "\u{4f60}\u{597d}.txt",
            "\u{7167}.txt",
            "same",
            "old",
        ]);
        let mut found = counterparts(&source, &target);
        found.sort_by(|a, b| a.ours.cmp(&b.ours));
        let pairs: Vec<_> = found
            .iter()
            .map(|pair| (pair.ours.as_str(), pair.theirs.len()))
            .collect();
        assert_eq!(pairs, [("d/x ", 1), (raw.as_str(), 2)]);
        assert!(is_reading_of(&raw, "\u{4f60}\u{597d}.txt"));
        assert!(!is_reading_of(&raw, "\u{7167}.txt"));
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
