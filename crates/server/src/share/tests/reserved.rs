//! Names that nobody makes, and those that the server keeps for itself.

use super::*;

fn names(bed: &Bed) -> Vec<String> {
    let entries = fs::read_dir(&bed.share.root).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_name_that_is_not_allowed_is_not_made_by_any_command() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"a").unwrap();
    for name in [".ftpd-part-00", ".FTPD-Part-00", "a\u{7}b"] {
        // As for one that is there, whoever has put it there.
        let target = SharePath::root().join_known(name).unwrap();
        for refused in [
            home.begin_upload(&target, FRESH, None).map(drop),
            home.make_dir(&target),
            home.rename(&path("a"), &target),
        ] {
            let is_refused = matches!(refused, Err(ShareError::Name { .. }));
            assert!(is_refused, "{name}: {refused:?}");
        }
    }
    assert_eq!(names(&bed), ["a"]);
}

#[test]
fn nothing_is_reached_through_a_name_that_the_server_keeps() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"a").unwrap();
    let kept = bed.disk(".ftpd-part-d");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("f"), "theirs").unwrap();
    let (dir, file) = (path(".ftpd-part-d"), path(".ftpd-part-d/f"));
    let now = SystemTime::now();
    for (what, missing) in [
        ("look", home.metadata(&file).map(drop)),
        ("read", home.open_read(&file, 0).map(drop)),
        ("enter", home.check_dir(&dir)),
        ("list", home.list(&dir, ListOptions::default()).map(drop)),
        ("room", home.free_space(&dir).map(drop)),
        ("remove", home.remove_file(&file)),
        ("remove", home.remove_dir(&dir)),
        ("rename", home.rename(&file, &path("b"))),
        ("rename", home.rename(&path("a"), &path(".ftpd-part-d/b"))),
        ("make", home.make_dir(&path(".ftpd-part-d/b"))),
        (
            "store",
            store(&home, ".ftpd-part-d/b", FRESH, b"").map(drop),
        ),
        ("mode", home.set_mode(&file, 0o600).map(drop)),
        ("time", home.set_modified(&file, now, None).map(drop)),
    ] {
        let is_missing = matches!(missing, Err(ShareError::Missing { .. }));
        assert!(is_missing, "{what}: {missing:?}");
    }
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 1);
    assert_eq!(fs::read(kept.join("f")).unwrap(), b"theirs");
}

#[test]
fn a_rename_obeys_the_policy_for_taken_names() {
    let mut bed = Bed::new();
    for policy in [OnDuplicate::Refuse, OnDuplicate::Rename] {
        bed.uploads.on_duplicate = policy;
        let home = bed.home(Rights::READ_WRITE, "/");
        for name in ["a", "b"] {
            fs::write(bed.disk(name), name).unwrap();
        }
        let refused = home.rename(&path("a"), &path("b")).unwrap_err();
        assert_eq!(refused.code(), 553, "{refused}");
        assert_eq!(fs::read(bed.disk("b")).unwrap(), b"b");
        assert_eq!(fs::read(bed.disk("a")).unwrap(), b"a");
    }
}

#[test]
fn a_file_is_read_from_its_end_and_not_from_behind_it() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"12345").unwrap();
    assert!(home.open_read(&path("a"), 5).is_ok());
    let refused = home.open_read(&path("a"), 6).unwrap_err();
    assert_eq!(refused.code(), 554, "{refused}");
}
