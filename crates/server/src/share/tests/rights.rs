//! What each set of rights allows, and what it does not.

use std::os::unix::fs::MetadataExt as _;

use super::*;

const NO_FILE: FileId = FileId {
    device: 0,
    inode: 0,
};

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
    // Nor by the room that is left.
    assert!(drop.free_space(&path("/")).is_ok());
    for name in ["there", "not there"] {
        lacks(drop.free_space(&path(name)).map(|_| ()), Right::List);
    }
    lacks(drop.remove_file(&path("there")), Right::Delete);
    let now = SystemTime::now();
    let timed = |name, own| drop.set_modified(&path(name), now, own).map(|_| ());
    lacks(timed("there", None), Right::Overwrite);
    let id = |name| {
        let meta = fs::metadata(bed.disk(name)).unwrap();
        let (device, inode) = (meta.dev(), meta.ino());
        Some(FileId { device, inode })
    };
    assert!(timed("new", id("new")).is_ok());
    // Another file has its name by now.
    lacks(timed("there", id("new")), Right::Overwrite);
    lacks(drop.remove_dir(&path("d")), Right::Delete);
    lacks(drop.rename(&path("there"), &path("t")), Right::Rename);
    lacks(
        drop.set_mode(&path("there"), 0o600).map(|_| ()),
        Right::Chmod,
    );
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
        home.set_modified(&path("a"), SystemTime::now(), Some(NO_FILE))
            .is_err()
    );
    assert_eq!(home.open_read(&path("a"), 1).unwrap().meta.size, 1);
}
