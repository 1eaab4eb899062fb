//! Names and what stands under them: links, odd names, things that are no files, renames.

use super::*;

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
fn what_was_kept_for_a_name_goes_when_another_file_takes_it() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    for round in ["free", "taken"] {
        let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
        upload.file().write_all(b"half").unwrap();
        drop(upload);
        assert_eq!(bed.partials(), 1, "{round}");
        store(&home, "whole", FRESH, round.as_bytes()).unwrap();
        home.rename(&path("whole"), &path("a")).unwrap();
        assert_eq!(bed.partials(), 0, "{round}");
        assert_eq!(fs::read(bed.disk("a")).unwrap(), round.as_bytes());
    }
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
fn a_directory_with_only_partials_is_renamed_over_as_an_empty_one() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    for name in ["empty", "half", "full", "from"] {
        home.make_dir(&path(name)).unwrap();
    }
    store(&home, "full/a", FRESH, b"whole").unwrap();
    for name in ["half/a", "full/b"] {
        let upload = home.begin_upload(&path(name), FRESH, None).unwrap();
        upload.file().write_all(b"x").unwrap();
    }
    let refused = home.rename(&path("from"), &path("full")).unwrap_err();
    assert!(matches!(refused, ShareError::NotEmpty { .. }), "{refused}");
    assert_eq!(fs::read_dir(bed.disk("full")).unwrap().count(), 2);
    home.rename(&path("from"), &path("empty")).unwrap();
    home.rename(&path("empty"), &path("half")).unwrap();
    assert!(!bed.disk("empty").exists() && bed.disk("half").is_dir());
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
        rustix::fs::Mode::RUSR,
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
