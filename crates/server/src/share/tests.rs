//! The share's promises, on real directories.

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _, path::Path};

use ftp_config::{
    ByteRate, ByteSize, Right, Rights,
    server::{Fsync, OnDuplicate},
};

use super::*;

struct Bed {
    dir: tempfile::TempDir,
    share: server::Share,
    uploads: Uploads,
}

impl Bed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let share = server::Share {
            root: dir.path().join("share"),
            reserve: Reserve::Bytes(ByteSize(0)),
            umask: 0o022,
            show_dotfiles: true,
            show_owner: false,
        };
        let uploads = Uploads {
            on_duplicate: OnDuplicate::Overwrite,
            keep_partial_for: std::time::Duration::from_secs(3600),
            fsync: Fsync::File,
            mode: 0o666,
        };
        Self {
            dir,
            share,
            uploads,
        }
    }

    fn home(&self, rights: Rights, home: &str) -> Home {
        self.enter("ann", false, rights, home)
    }

    /// Another user who may do everything.
    fn other(&self, name: &str) -> Home {
        self.enter(name, false, Rights::READ_WRITE, "/")
    }

    fn guest(&self) -> Home {
        self.enter("anonymous", true, Rights::READ_WRITE, "/")
    }

    fn enter(&self, name: &str, anonymous: bool, rights: Rights, home: &str) -> Home {
        let share = Share::open(&self.share, &self.uploads).unwrap();
        let account = Account {
            name: name.parse().unwrap(),
            anonymous,
            home: home.parse().unwrap(),
            rights,
            rate_down: ByteRate::UNLIMITED,
            rate_up: ByteRate::UNLIMITED,
            max_sessions: 0,
        };
        share.enter(&Arc::new(account)).unwrap()
    }

    fn disk(&self, path: &str) -> PathBuf {
        self.share.root.join(path)
    }

    fn partials(&self) -> usize {
        let names = fs::read_dir(&self.share.root).unwrap();
        names
            .filter(|entry| names::is_partial(&entry.as_ref().unwrap().file_name()))
            .count()
    }
}

fn path(text: &str) -> SharePath {
    SharePath::root().join(text).unwrap()
}

fn store(home: &Home, name: &str, intent: Intent, bytes: &[u8]) -> Result<Committed, ShareError> {
    let upload = home.begin_upload(&path(name), intent, None)?;
    upload.start()?;
    upload.file().write_all(bytes).unwrap();
    upload.commit(None)
}

const FRESH: Intent = Intent::Store { offset: 0 };

#[test]
fn a_file_takes_its_name_only_when_it_is_whole() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    assert_eq!(
        fs::metadata(bed.disk("a")).unwrap().permissions().mode() & 0o777,
        0o644
    );
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.file().write_all(b"new and longer").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old");
    let seen: Vec<String> = home
        .list(
            &path("/"),
            ListOptions {
                all: true,
                ..ListOptions::default()
            },
        )
        .unwrap()
        .map(|entry| entry.name.into_owned())
        .collect();
    assert_eq!(seen, ["a"]);
    upload.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"new and longer");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn an_interrupted_upload_can_go_on_and_leaves_the_old_file() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.file().write_all(b"12345").unwrap();
    drop(upload);
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old");
    assert_eq!(bed.partials(), 1);
    let error = home
        .begin_upload(&path("a"), Intent::Store { offset: 6 }, None)
        .unwrap_err();
    assert_eq!(error.code(), 554);
    store(&home, "a", Intent::Store { offset: 4 }, b"x").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"1234x");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn appending_goes_behind_the_file_or_behind_the_kept_partial() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"abc").unwrap();
    store(&home, "a", Intent::Append, b"def").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"abcdef");
    store(&home, "a", Intent::Store { offset: 2 }, b"X").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"abX");
    let upload = home.begin_upload(&path("new"), FRESH, None).unwrap();
    upload.file().write_all(b"half").unwrap();
    drop(upload);
    store(&home, "new", Intent::Append, b"+rest").unwrap();
    assert_eq!(fs::read(bed.disk("new")).unwrap(), b"half+rest");
}

#[test]
fn two_uploads_to_one_name_are_never_mixed() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let one = home.begin_upload(&path("a"), FRESH, None).unwrap();
    let two = home.begin_upload(&path("a"), FRESH, None).unwrap();
    one.file().write_all(b"1111").unwrap();
    two.file().write_all(b"22").unwrap();
    one.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"1111");
    two.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"22");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn a_taken_name_is_overwritten_renamed_or_refused() {
    let mut bed = Bed::new();
    for (on_duplicate, outcome) in [
        (OnDuplicate::Overwrite, Ok("/a.txt")),
        (OnDuplicate::Rename, Ok("/a (1).txt")),
        (OnDuplicate::Refuse, Err(553)),
    ] {
        bed.uploads.on_duplicate = on_duplicate;
        fs::create_dir_all(&bed.share.root).unwrap();
        fs::write(bed.disk("a.txt"), "old").unwrap();
        let home = bed.home(Rights::READ_WRITE, "/");
        let done = store(&home, "a.txt", FRESH, b"new");
        let done = done
            .map(|done| done.path.to_string())
            .map_err(|error| error.code());
        assert_eq!(done, outcome.map(str::to_owned));
    }
    assert_eq!(fs::read(bed.disk("a.txt")).unwrap(), b"old");
    let unique = store(
        &bed.home(Rights::READ_WRITE, "/"),
        "a.txt",
        Intent::Unique,
        b"u",
    )
    .unwrap();
    assert_eq!(unique.path.as_str(), "/a (2).txt");
}

#[test]
fn a_dropbox_adds_and_nothing_else() {
    let bed = Bed::new();
    let all = bed.home(Rights::READ_WRITE, "/");
    store(&all, "there", FRESH, b"x").unwrap();
    let drop = bed.home(Rights::DROPBOX, "/");
    store(&drop, "new", FRESH, b"y").unwrap();
    drop.make_dir(&path("d")).unwrap();
    let lacks = |result: Result<(), ShareError>, right: Right| match result {
        Err(ShareError::Right { right: found, .. }) => assert_eq!(found, right),
        other => panic!("expected a missing right, got {other:?}"),
    };
    lacks(
        store(&drop, "there", FRESH, b"z").map(|_| ()),
        Right::Overwrite,
    );
    lacks(
        store(&drop, "there", Intent::Append, b"z").map(|_| ()),
        Right::Overwrite,
    );
    lacks(drop.open_read(&path("there"), 0).map(|_| ()), Right::Read);
    lacks(
        drop.list(&path("/"), ListOptions::default()).map(|_| ()),
        Right::List,
    );
    lacks(drop.metadata(&path("there")).map(|_| ()), Right::List);
    lacks(drop.remove_file(&path("there")), Right::Delete);
    let now = SystemTime::now();
    let timed = |name, is_own| drop.set_modified(&path(name), now, is_own).map(|_| ());
    lacks(timed("there", false), Right::Overwrite);
    assert!(timed("new", true).is_ok());
    lacks(drop.remove_dir(&path("d")), Right::Delete);
    lacks(drop.rename(&path("there"), &path("t")), Right::Rename);
    lacks(drop.set_mode(&path("there"), 0o600), Right::Chmod);
    assert_eq!(fs::read(bed.disk("there")).unwrap(), b"x");
}

#[test]
fn a_read_only_account_changes_nothing() {
    let bed = Bed::new();
    store(&bed.home(Rights::READ_WRITE, "/"), "a", FRESH, b"x").unwrap();
    let home = bed.home(Rights::READ_ONLY, "/");
    let error = store(&home, "b", FRESH, b"y").unwrap_err();
    assert_eq!(
        error.reply(),
        (550, "b: you do not have the right `write` here".to_owned())
    );
    assert!(home.make_dir(&path("d")).is_err());
    assert!(
        home.set_modified(&path("a"), SystemTime::now(), true)
            .is_err()
    );
    assert_eq!(home.open_read(&path("a"), 1).unwrap().meta.size, 1);
}

#[test]
fn renames_do_what_they_say() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"a").unwrap();
    store(&home, "b", FRESH, b"b").unwrap();
    home.make_dir(&path("d")).unwrap();
    home.make_dir(&path("d/e")).unwrap();
    let into = home.rename(&path("d"), &path("d/e/f")).unwrap_err();
    assert!(matches!(into, ShareError::IntoItself { .. }));
    home.rename(&path("a"), &path("b")).unwrap();
    assert_eq!(fs::read(bed.disk("b")).unwrap(), b"a");
    home.rename(&path("b"), &path("d/e/b")).unwrap();
    assert!(matches!(
        home.rename(&path("gone"), &path("x")),
        Err(ShareError::Missing { .. })
    ));
    assert!(matches!(
        home.rename(&path("d"), &path("no/x")),
        Err(ShareError::NoParent { .. })
    ));
    assert!(matches!(
        home.remove_dir(&path("d")),
        Err(ShareError::NotEmpty { .. })
    ));
    assert!(matches!(home.remove_dir(&path("/")), Err(ShareError::Root)));
    assert!(matches!(
        home.remove_file(&path("d")),
        Err(ShareError::IsDirectory { .. })
    ));
    assert!(matches!(
        home.remove_dir(&path("d/e/b")),
        Err(ShareError::NotDirectory { .. })
    ));
    let careful = bed.home(Rights::READ_ONLY.with(Right::Rename), "/");
    store(&home, "x", FRESH, b"x").unwrap();
    assert!(matches!(
        careful.rename(&path("x"), &path("d/e/b")),
        Err(ShareError::Right { .. })
    ));
    assert_eq!(fs::read(bed.disk("d/e/b")).unwrap(), b"a");
}

#[test]
fn a_directory_with_only_partials_can_be_removed() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    home.make_dir(&path("d")).unwrap();
    let upload = home.begin_upload(&path("d/a"), FRESH, None).unwrap();
    upload.file().write_all(b"x").unwrap();
    drop(upload);
    home.remove_dir(&path("d")).unwrap();
    assert!(!bed.disk("d").exists());
}

#[test]
fn what_is_not_a_file_is_never_opened() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let fifo = bed.disk("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    assert!(matches!(
        home.open_read(&path("fifo"), 0),
        Err(ShareError::Special { .. })
    ));
    assert!(matches!(
        store(&home, "fifo", FRESH, b""),
        Err(ShareError::Special { .. })
    ));
    assert!(matches!(
        home.open_read(&path("/"), 0),
        Err(ShareError::IsDirectory { .. })
    ));
    let listed: Vec<Entry> = home
        .list(&path("/"), ListOptions::default())
        .unwrap()
        .collect();
    assert_eq!((listed.len(), listed[0].meta.kind), (1, Kind::Other));
}

#[test]
fn links_are_listed_and_followed_only_inside() {
    use std::os::unix::fs::symlink;
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "f", FRESH, b"in").unwrap();
    fs::write(bed.dir.path().join("secret"), "out").unwrap();
    symlink("f", bed.disk("in")).unwrap();
    symlink("../secret", bed.disk("out")).unwrap();
    let listed: Vec<Entry> = home
        .list(&path("/"), ListOptions::default())
        .unwrap()
        .collect();
    let facts: Vec<_> = listed
        .iter()
        .map(|e| (&*e.name, e.target.is_some()))
        .collect();
    assert_eq!(facts, [("f", false), ("in", true), ("out", false)]);
    assert!(matches!(
        home.open_read(&path("out"), 0),
        Err(ShareError::Outside { .. })
    ));
    assert!(matches!(
        store(&home, "out", FRESH, b"!"),
        Err(ShareError::Outside { .. })
    ));
    assert!(matches!(
        home.set_mode(&path("out"), 0o777),
        Err(ShareError::Outside { .. })
    ));
    store(&home, "in", FRESH, b"changed").unwrap();
    assert_eq!(fs::read(bed.disk("f")).unwrap(), b"changed");
    assert!(fs::symlink_metadata(bed.disk("in")).unwrap().is_symlink());
    assert_eq!(fs::read(bed.dir.path().join("secret")).unwrap(), b"out");
    home.remove_file(&path("out")).unwrap();
    assert!(bed.dir.path().join("secret").exists());
}

#[test]
fn where_a_link_leads_cannot_forge_a_line_of_a_listing() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    std::os::unix::fs::symlink("x\r\n-rw-r--r-- forged", bed.disk("link")).unwrap();
    let mut listed = home.list(&path("/"), ListOptions::default()).unwrap();
    let link = listed.next().unwrap();
    assert_eq!((&*link.name, link.meta.kind), ("link", Kind::Link));
    assert_eq!(link.link_target, None);
}

#[test]
fn a_home_is_made_and_has_no_way_up() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/people/ann");
    store(&home, "../../x", FRESH, b"1").unwrap();
    assert!(bed.disk("people/ann/x").exists());
}

#[test]
fn no_room_is_told_with_figures_and_leaves_nothing() {
    let mut bed = Bed::new();
    bed.share.reserve = Reserve::Bytes(ByteSize(u64::MAX));
    let home = bed.home(Rights::READ_WRITE, "/");
    let error = home.begin_upload(&path("a"), FRESH, Some(10)).unwrap_err();
    assert_eq!(error.reply().0, 452);
    assert!(error.to_string().contains("10 B needed, 0 free"), "{error}");
    assert_eq!(home.make_dir(&path("d")).unwrap_err().code(), 452);
    assert_eq!(bed.partials(), 0);
}

#[test]
fn odd_names_are_ordinary_names() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let long = "n".repeat(255);
    let odd = [
        " a ",
        "-rf",
        "*",
        "[x]",
        "q\"q",
        "b\\b",
        "😀",
        "中文.txt",
        "#%",
        long.as_str(),
    ];
    for name in odd {
        store(&home, name, FRESH, name.as_bytes()).unwrap();
        assert_eq!(fs::read(bed.disk(name)).unwrap(), name.as_bytes());
    }
    let raw = names::from_disk(b"\xd6\xd0.txt");
    store(&home, &raw, FRESH, b"gbk").unwrap();
    let disk: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xd6\xd0.txt");
    assert_eq!(
        fs::read(bed.share.root.join(Path::new(disk))).unwrap(),
        b"gbk"
    );
    let listed: Vec<String> = home
        .list(&path("/"), ListOptions::default())
        .unwrap()
        .map(|entry| entry.name.into_owned())
        .collect();
    assert_eq!(listed.len(), odd.len() + 1);
    assert!(listed.contains(&raw.into_owned()));
    let partial = store(&home, ".ftpd-part-x", FRESH, b"");
    assert!(partial.is_err());
}

#[test]
fn times_and_modes_are_set() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.commit(Some(then)).unwrap();
    assert_eq!(home.metadata(&path("a")).unwrap().modified, then);
    let earlier = then - std::time::Duration::from_secs(5);
    home.set_modified(&path("a"), earlier, false).unwrap();
    home.set_mode(&path("a"), 0o4600).unwrap();
    let meta = home.metadata(&path("a")).unwrap();
    assert_eq!((meta.modified, meta.mode), (earlier, 0o600));
}

#[test]
fn a_hash_is_of_the_range_asked_for() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"xxabc").unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (hex, range) = home
        .hash(&path("a"), Algorithm::Md5, 2..u64::MAX, &stop)
        .unwrap();
    assert_eq!(
        (hex.as_str(), range),
        ("900150983cd24fb0d6963f7d28e17f72", 2..5)
    );
}

#[test]
fn an_overwritten_file_keeps_its_mode_but_never_set_id_bits() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "tool", FRESH, b"old").unwrap();
    fs::set_permissions(bed.disk("tool"), fs::Permissions::from_mode(0o6750)).unwrap();
    for intent in [FRESH, Intent::Append, Intent::Store { offset: 1 }] {
        store(&home, "tool", intent, b"new").unwrap();
        let mode = fs::metadata(bed.disk("tool")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o750, "{intent:?}");
        fs::set_permissions(bed.disk("tool"), fs::Permissions::from_mode(0o6750)).unwrap();
    }
}

#[test]
fn a_long_name_that_is_not_utf8_can_be_fetched() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let bytes = b"\xd6\xd0".repeat(100);
    let disk: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&bytes);
    fs::write(bed.share.root.join(Path::new(disk)), "gbk").unwrap();
    let mut listed = home.list(&path("/"), ListOptions::default()).unwrap();
    let name = listed.next().unwrap().name;
    let shown = SharePath::root().join(&name).unwrap();
    assert_eq!(home.open_read(&shown, 0).unwrap().meta.size, 3);
}

#[test]
fn a_file_too_large_for_the_disk_is_552() {
    let error = ShareError::from_io(&path("a"), rustix::io::Errno::FBIG.into());
    assert_eq!(error.reply().0, 552);
}

#[path = "resume_tests.rs"]
mod resuming;
