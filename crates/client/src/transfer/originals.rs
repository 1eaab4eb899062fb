//! `put --move` where a server may store a name as another: some drop or replace characters, or what
//! looks like an option, and say nothing of it, so that of two files one is left. There the originals
//! go at the end, once a listing shows each name of a directory as it was sent. Pure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use super::moved::Sent;
use crate::{
    plan::{Step, likeness, reading_of},
    remote::{Entry, Kind, Listing, names},
};

/// A local file that was sent and is still here.
pub(super) struct Original {
    pub(super) local: PathBuf,
    pub(super) sent: Sent,
    /// Where it was sent to.
    pub(super) remote: String,
    pub(super) size: u64,
    /// When it was changed last.
    pub(super) modified: Option<SystemTime>,
}

/// What each directory of the server must show, by its path; parents come first.
pub(super) type Expected = BTreeMap<String, Names>;

/// What one directory must show.
pub(super) type Names = BTreeMap<String, What>;

/// What must be shown under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Dir,
    File(u64, Option<SystemTime>),
}

/// Tells whether a step makes a name on the server that some would change.
pub(super) fn are_doubtful(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Send { remote: path, .. } | Step::MakeRemoteDir { path } => {
            !is_plain(names::split(path).1)
        }
        _ => false,
    })
}

/// Returns the directories in which steps make a doubtful name.
pub(super) fn doubtful_dirs(steps: &[Step]) -> BTreeSet<String> {
    let targets = steps.iter().filter_map(|step| match step {
        Step::Send { remote, .. } => Some(names::split(remote)),
        _ => None,
    });
    let doubtful = targets.filter(|(_, name)| !is_plain(name));
    doubtful.map(|(dir, _)| dir.to_owned()).collect()
}

/// Returns what the directories must show that have a doubtful name; the others need not be asked.
pub(super) fn expected(originals: &[Original], made: &BTreeSet<String>) -> Expected {
    let files = originals.iter().map(|original| {
        let what = What::File(original.size, original.modified);
        (original.remote.as_str(), what)
    });
    let dirs = made.iter().map(|path| (path.as_str(), What::Dir));
    let mut expected = Expected::new();
    for (path, what) in files.chain(dirs) {
        let (dir, name) = names::split(path);
        let names = expected.entry(dir.to_owned()).or_default();
        names.insert(name.to_owned(), what);
    }
    expected.retain(|_, names| names.keys().any(|name| !is_plain(name)));
    expected
}

/// Returns a name that the listing does not show as it was sent; `before` is what the directory held then. Each
/// entry stands for one name.
pub(super) fn lacking<'a>(
    expected: &'a Names,
    listing: &Listing,
    before: &[Entry],
) -> Option<&'a str> {
    let before = before.iter().map(|entry| (entry.name.as_str(), entry));
    let before: HashMap<&str, &Entry> = before.collect();
    let mut left: Vec<_> = expected.iter().collect();
    let mut entries: Vec<&Entry> = listing.entries.iter().collect();
    // The exact ones first, so that no other is taken for them.
    let ways: [(Key, Key); 3] = [(own, own), (reading_of, own), (alike, alike)];
    for (ours, theirs) in ways {
        let shown = entries
            .iter()
            .map(|entry| (theirs(entry.name.as_str()), *entry));
        let mut shown: HashMap<Option<String>, &Entry> = shown.collect();
        left.retain(|(name, what)| {
            let key = ours(name);
            let found = shown
                .get(&key)
                .is_some_and(|entry| what.may_be(entry, before.get(entry.name.as_str()).copied()));
            if found {
                shown.remove(&key);
            }
            !found
        });
        entries = shown.into_values().collect();
    }
    // Many servers do not list what begins with a dot; where no listed name begins so, a plain one
    // is trusted as it is where all are plain.
    let hides = !listing
        .entries
        .iter()
        .any(|entry| entry.name.as_str().starts_with('.'));
    let mut left = left.into_iter().map(|(name, _)| name.as_str());
    left.find(|name| !(hides && name.starts_with('.') && is_plain(name)))
}

impl What {
    /// A file that was there before, and is as it was, is another one, unless it has the time of ours.
    fn may_be(self, entry: &Entry, before: Option<&Entry>) -> bool {
        let Self::File(size, modified) = self else {
            return entry.kind != Kind::File;
        };
        let is_ours = |(time, ours): (SystemTime, SystemTime)| {
            let apart = time.duration_since(ours);
            let apart = apart.unwrap_or_else(|earlier| earlier.duration());
            apart <= entry.precision + Duration::from_secs(1)
        };
        let has_our_time = entry.modified.zip(modified).is_some_and(is_ours);
        entry.kind != Kind::Dir
            && entry.size.is_none_or(|told| told == size)
            && (has_our_time || before != Some(entry))
    }
}

/// What two names have in common that are one.
type Key = fn(&str) -> Option<String>;

#[expect(clippy::unnecessary_wraps, reason = "as the other keys")]
fn own(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "as the other keys")]
fn alike(name: &str) -> Option<String> {
    Some(likeness(name))
}

/// Tells whether a name is one that every server stores as it is.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._-+,=@()".contains(c);
    let ends = name.starts_with([' ', '-']) || name.ends_with([' ', '.']);
    let option = name.contains("  ") || name.contains(" -");
    name.len() <= LONGEST && !ends && !option && name.chars().all(plain)
}

/// Bytes of a name from which on some cut it.
const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::RemoteName;

    fn listing(shown: &[(&str, Kind, Option<u64>)]) -> Listing {
        let entry = |(name, kind, size): &(&str, Kind, Option<u64>)| {
            let mut entry = Entry::new(RemoteName::new(*name).unwrap(), *kind);
            entry.size = *size;
            entry
        };
        Listing {
            entries: shown.iter().map(entry).collect(),
            ..Listing::default()
        }
    }

    #[test]
    fn names_are_plain_that_no_server_changes() {
        for plain in ["a", ".a", "My file (1).txt", "a-b_c+d,e=f@g.tar.gz"] {
            assert!(is_plain(plain), "{plain}");
        }
        let long = "x".repeat(LONGEST + 1);
        for other in [
            "a\"b", " a", "a ", "a.", "-a", "a -r", "a  b", "\u{e9}", "a:b", "a%41", &long,
        ] {
            assert!(!is_plain(other), "{other}");
        }
        let made = |path: &str| Step::MakeRemoteDir {
            path: path.to_owned(),
        };
        assert!(are_doubtful(&[made("/d"), Step::send("l", "/d/a;1", 1)]));
        assert!(are_doubtful(&[made("/d ")]) && !are_doubtful(&[made("/a:b/d")]));
    }

    #[test]
    fn a_file_of_before_is_not_the_one_that_was_sent() {
        let time = |secs: u64| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(secs));
        let names = Names::from([("a:".to_owned(), What::File(3, time(5000)))]);
        let shown = |size: u64, secs: u64| {
            let mut listing = listing(&[("a:", Kind::File, Some(size))]);
            listing.entries[0].modified = time(secs);
            listing
        };
        for (before, after, is_it) in [
            // Sent again, at whatever time that is there.
            (shown(3, 100), shown(3, 200), true),
            (shown(4, 100), shown(3, 100), true),
            // The very file of before: it has the time of ours, or not.
            (shown(3, 5000), shown(3, 5000), true),
            (shown(3, 100), shown(3, 100), false),
        ] {
            let lacks = lacking(&names, &after, &before.entries);
            assert_eq!(lacks.is_none(), is_it, "{before:?} {after:?}");
        }
    }

    #[test]
    fn each_name_needs_an_entry_of_its_own() {
        let names = BTreeMap::from(
            [
                ("a\"b", What::File(3, None)),
                ("ab", What::File(3, None)),
                ("d:", What::Dir),
                (".x", What::File(1, None)),
            ]
            .map(|(name, what)| (name.to_owned(), what)),
        );
        let file = |name, size| (name, Kind::File, size);
        let dir = ("d:", Kind::Dir, None);
        let all = [file("a\"b", Some(3)), file("ab", None), dir];
        assert_eq!(lacking(&names, &listing(&all), &[]), None);
        for (shown, lacks) in [
            (vec![file("ab", Some(3)), dir], "a\"b"),
            (
                vec![file("a\"b", Some(4)), file("ab", Some(3)), dir],
                "a\"b",
            ),
            (
                vec![file("a\"b", Some(3)), file("ab", Some(3)), file("d:", None)],
                "d:",
            ),
            ([&all[..], &[file(".y", None)]].concat(), ".x"),
        ] {
            assert_eq!(
                lacking(&names, &listing(&shown), &[]),
                Some(lacks),
                "{shown:?}"
            );
        }
        // As macOS or Windows stores it; one entry is not two files.
        let (one, two) = ("\u{e9}", "e\u{301}");
        let composed = BTreeMap::from([(one.to_owned(), What::File(1, None))]);
        assert_eq!(
            lacking(&composed, &listing(&[file(two, Some(1))]), &[]),
            None
        );
        let trimmed = BTreeMap::from([("x ".to_owned(), What::File(1, None))]);
        assert_eq!(
            lacking(&trimmed, &listing(&[file("x", Some(1))]), &[]),
            None
        );
        let both = BTreeMap::from([one, two].map(|name| (name.to_owned(), What::File(1, None))));
        assert_eq!(
            lacking(&both, &listing(&[file(two, Some(1))]), &[]),
            Some(one)
        );
    }

    #[test]
    fn directories_are_asked_that_have_a_doubtful_name() {
        let original = |remote: &str| Original {
            local: PathBuf::new(),
            sent: Sent::look(std::path::Path::new(".")),
            remote: remote.to_owned(),
            size: 1,
            modified: None,
        };
        let originals = ["/t/a", "/t/x:/b", "/t/c/d\"e"].map(original);
        let made = BTreeSet::from(["/t", "/t/x:", "/t/c"].map(str::to_owned));
        let asked = expected(&originals, &made);
        assert_eq!(asked.keys().collect::<Vec<_>>(), ["/t", "/t/c"]);
        let of_t: Vec<_> = asked["/t"]
            .iter()
            .map(|(name, what)| (name.as_str(), *what))
            .collect();
        assert_eq!(
            of_t,
            [
                ("a", What::File(1, None)),
                ("c", What::Dir),
                ("x:", What::Dir)
            ]
        );
    }
}
