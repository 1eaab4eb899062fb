//! What was kept and must not be gone on with: the same account has sent the file since, or the name is free again.

use super::*;

/// An upload whose client is gone, which nobody has noticed yet.
fn dead(home: &Home) -> Upload {
    let mut upload = home.begin_upload(&path("log"), FRESH, None).unwrap();
    upload.obey(Arc::new(|| {}));
    upload.start(&|| false).unwrap();
    upload.file().write_all(b"stale").unwrap();
    upload
}

fn read(bed: &Bed, name: &str) -> Vec<u8> {
    fs::read(bed.disk(name)).unwrap()
}

#[test]
fn what_a_dead_session_holds_goes_when_its_client_has_sent_the_file_anew() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    for is_held in [true, false] {
        let held = dead(&home);
        let mut anew = home.begin_upload(&path("log"), FRESH, None).unwrap();
        anew.start(&|| false).unwrap();
        anew.file().write_all(b"whole").unwrap();
        // It may be let go of before the new one is whole.
        let held = is_held.then_some(held);
        anew.commit(None).unwrap();
        drop(held);
        assert_eq!(bed.partials(), 0);
        // Another program takes the file away.
        fs::rename(bed.disk("log"), bed.disk("taken")).unwrap();
        store(&home, "log", Intent::Append, b"new").unwrap();
        assert_eq!(read(&bed, "log"), b"new");
        fs::remove_file(bed.disk("log")).unwrap();
    }
}

#[test]
fn two_uploads_at_once_still_both_come_to_their_end() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let slow = dead(&home);
    store(&home, "log", FRESH, b"quick").unwrap();
    slow.commit(None).unwrap();
    assert_eq!(read(&bed, "log"), b"stale");
}

#[test]
fn what_is_held_when_its_name_becomes_free_is_not_kept() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let remove = || home.remove_file(&path("log"));
    let rename = || home.rename(&path("log"), &path("log.1"));
    let acts: [&dyn Fn() -> Result<(), ShareError>; 2] = [&remove, &rename];
    for act in acts {
        let held = dead(&home);
        fs::write(bed.disk("log"), "another's").unwrap();
        act().unwrap();
        assert_eq!(bed.partials(), 1, "its client may still be there");
        drop(held);
        assert_eq!(bed.partials(), 0);
    }
}

#[test]
fn a_file_that_was_renamed_leaves_nothing_to_append_to() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    drop(dead(&home));
    fs::write(bed.disk("log"), "another's").unwrap();
    home.rename(&path("log"), &path("log.1")).unwrap();
    store(&home, "log", Intent::Append, b"new").unwrap();
    assert_eq!(read(&bed, "log"), b"new");
}

/// Its client sends the same again.
#[test]
fn an_append_that_was_refused_leaves_what_it_found() {
    let bed = Bed::new();
    let (ann, bob) = (bed.home(Rights::READ_WRITE, "/"), bed.other("bob"));
    for kept in ["", "stale"] {
        if !kept.is_empty() {
            drop(dead(&ann));
        }
        let mut append = ann
            .begin_upload(&path("log"), Intent::Append, None)
            .unwrap();
        append.start(&|| false).unwrap();
        append.file().write_all(b"+1").unwrap();
        store(&bob, "log", FRESH, b"bob's").unwrap();
        assert_eq!(append.commit(None).unwrap_err().code(), 450);
        fs::remove_file(bed.disk("log")).unwrap();
        store(&ann, "log", Intent::Append, b"+1").unwrap();
        assert_eq!(read(&bed, "log"), format!("{kept}+1").as_bytes());
        fs::remove_file(bed.disk("log")).unwrap();
    }
}

#[test]
fn an_append_that_is_overtaken_goes_beside_with_no_policy() {
    for on_duplicate in [
        OnDuplicate::Overwrite,
        OnDuplicate::Rename,
        OnDuplicate::Refuse,
    ] {
        let mut bed = Bed::new();
        bed.uploads.on_duplicate = on_duplicate;
        let home = bed.home(Rights::READ_WRITE, "/");
        let begin = || home.begin_upload(&path("log"), Intent::Append, None);
        let late = begin().unwrap();
        late.file().write_all(b"late").unwrap();
        store(&bed.other("bob"), "log", Intent::Append, b"first").unwrap();
        assert_eq!(late.commit(None).unwrap_err().code(), 450);
        assert_eq!(bed.partials(), 0);
        assert!(!bed.disk("log (1)").exists());
        store(&home, "log", Intent::Append, b"late").unwrap();
        assert_eq!(read(&bed, "log"), b"firstlate");
    }
}

/// It may be all that is left of a stream, so it stays on the disk.
#[test]
fn a_new_file_that_is_refused_its_name_is_no_beginning_of_another() {
    for on_duplicate in [OnDuplicate::Overwrite, OnDuplicate::Refuse] {
        let mut bed = Bed::new();
        bed.uploads.on_duplicate = on_duplicate;
        let home = bed.home(Rights::DROPBOX, "/");
        let late = dead(&home);
        fs::write(bed.disk("log"), "another's").unwrap();
        assert_eq!(late.commit(None).unwrap_err().code(), 553);
        fs::remove_file(bed.disk("log")).unwrap();
        assert_eq!(store(&home, "log", at(5), b"+").unwrap_err().code(), 554);
        store(&home, "log", Intent::Append, b"new").unwrap();
        assert_eq!(read(&bed, "log"), b"new");
        let left = fs::read_dir(bed.disk("")).unwrap().map(|it| it.unwrap());
        let left = left.filter(|it| names::is_partial(&it.file_name()));
        let left: Vec<_> = left.map(|it| fs::read(it.path()).unwrap()).collect();
        assert_eq!(left, [b"stale"]);
    }
}
