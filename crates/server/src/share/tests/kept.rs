//! What is kept of an upload that did not come to its end, and what is not.

use super::*;

#[test]
fn nothing_is_kept_where_that_is_not_wished() {
    let mut bed = Bed::new();
    bed.uploads.keep_partial_for = std::time::Duration::ZERO;
    let home = bed.home(Rights::READ_WRITE, "/");
    interrupted(&home, "a", b"half");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn the_last_byte_that_is_kept_goes_like_all_behind_the_offset() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    interrupted(&home, "a", b"12");
    store(&home, "a", at(1), b"").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"1");
}

#[test]
fn what_came_behind_a_copy_is_kept_with_it() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "log", FRESH, b"base").unwrap();
    let mut upload = home.begin_upload(&path("log"), at(4), None).unwrap();
    assert!(upload.copies());
    upload.start(&|| false).unwrap();
    upload.file().write_all(b"+").unwrap();
    drop(upload);
    assert_eq!(bed.partials(), 1);
    store(&home, "log", at(5), b"!").unwrap();
    assert_eq!(fs::read(bed.disk("log")).unwrap(), b"base+!");
}

#[test]
fn a_file_that_shrinks_before_its_copy_is_not_appended_to() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "log", FRESH, b"base").unwrap();
    let begun = home.begin_upload(&path("log"), Intent::Append, None);
    let mut upload = begun.unwrap();
    fs::write(bed.disk("log"), "b").unwrap();
    let refused = upload.start(&|| false).unwrap_err();
    assert_eq!(refused.code(), 554, "{refused}");
    drop(upload);
    assert_eq!(bed.partials(), 0, "half a copy");
    assert_eq!(fs::read(bed.disk("log")).unwrap(), b"b");
}

#[test]
fn a_copy_that_could_never_fit_is_refused_before_a_byte_moves() {
    const MIB: u64 = 1 << 20;
    let mut bed = Bed::new();
    let none = Reserve::Bytes(ByteSize(0));
    let disk = room::ask(fs::File::open(bed.dir.path()).unwrap(), none).unwrap();
    bed.share.reserve = Reserve::Bytes(ByteSize(disk.free.saturating_sub(1024 * MIB)));
    let home = bed.home(Rights::READ_WRITE, "/");
    // Sparse: it takes no room, but its copy would.
    let base = fs::File::create(bed.disk("base")).unwrap();
    base.set_len(64 << 30).unwrap();
    for intent in [Intent::Append, at(64 << 30)] {
        let refused = home.begin_upload(&path("base"), intent, None).unwrap_err();
        assert_eq!(refused.code(), 452, "{refused}");
    }
    assert_eq!(bed.partials(), 0);
}

/// What stood there was kept for this client, who would not know that it begins anew.
#[test]
fn an_append_to_what_somebody_has_taken_hold_of_is_refused() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    interrupted(&home, "a", b"half");
    let names = fs::read_dir(&bed.share.root).unwrap();
    let partial = names.last().unwrap().unwrap().path();
    fs::hard_link(&partial, bed.disk("theirs")).unwrap();
    let refused = store(&home, "a", Intent::Append, b"+").unwrap_err();
    assert!(matches!(refused, ShareError::Held { .. }), "{refused}");
    assert_eq!(bed.partials(), 1, "none was made beside it");
    assert_eq!(fs::read(bed.disk("theirs")).unwrap(), b"half");
    assert!(!bed.disk("a").exists());
}

#[test]
fn a_directory_that_holds_more_than_partials_loses_nothing() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    home.make_dir(&path("d")).unwrap();
    store(&home, "d/whole", FRESH, b"whole").unwrap();
    interrupted(&home, "d/half", b"half");
    let refused = home.remove_dir(&path("d")).unwrap_err();
    assert!(matches!(refused, ShareError::NotEmpty { .. }), "{refused}");
    assert_eq!(fs::read(bed.disk("d/whole")).unwrap(), b"whole");
    store(&home, "d/half", at(4), b"+").unwrap();
    assert_eq!(fs::read(bed.disk("d/half")).unwrap(), b"half+");
}
