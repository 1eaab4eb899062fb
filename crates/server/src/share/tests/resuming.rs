//! Uploads that go on: never behind bytes of another file, never over one that somebody changed.

use super::*;

#[test]
fn what_was_kept_is_not_mixed_into_a_file_that_changed() {
    let bed = Bed::new();
    let (ann, bob) = (bed.home(Rights::READ_WRITE, "/"), bed.other("bob"));
    interrupted(&ann, "doc", b"111111");
    store(&bob, "doc", FRESH, b"22").unwrap();
    store(&ann, "doc", at(2), b"33").unwrap();
    assert_eq!(fs::read(bed.disk("doc")).unwrap(), b"2233");
    // The same where a rename has brought the file.
    interrupted(&ann, "note", b"111111");
    store(&ann, "other", FRESH, b"444").unwrap();
    ann.rename(&path("other"), &path("note")).unwrap();
    store(&ann, "note", at(2), b"x").unwrap();
    assert_eq!(fs::read(bed.disk("note")).unwrap(), b"44x");
}

/// lftp begins again by itself at the size that it is told, which is the old file's.
#[test]
fn a_client_that_goes_on_at_the_size_of_an_old_file_mixes_nothing() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    for kept in [b"12345".as_slice(), b"12"] {
        interrupted(&home, "a", kept);
        // Some clients go on by APPE (FFFTP).
        for goes_on in [at(3), Intent::Append] {
            let error = store(&home, "a", goes_on, b"+").unwrap_err();
            assert_eq!(error.code(), 554, "{error}");
            assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old");
            assert_eq!(bed.partials(), 1);
        }
    }
    // Sent whole it is right, and nothing is left of what was kept.
    store(&home, "a", FRESH, b"123+").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"123+");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn a_client_that_goes_on_at_the_size_it_sees_means_the_file_it_sees() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    for kept in [b"old45".as_slice(), b"ol"] {
        store(&home, "a", FRESH, b"old").unwrap();
        interrupted(&home, "a", kept);
        store(&home, "a", at(3), b"+").unwrap();
        assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old+");
    }
}

/// The difference may stand far behind what is looked at before the 150.
#[test]
fn what_is_kept_is_compared_to_its_end() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let old = vec![b'o'; 3 << 20];
    store(&home, "a", FRESH, &old).unwrap();
    let mut new = old.clone();
    new[(3 << 20) - 1] = b'n';
    interrupted(&home, "a", &new);
    let offset = old.len() as u64;
    let mut upload = home.begin_upload(&path("a"), at(offset), None).unwrap();
    assert!(upload.copies());
    assert_eq!(upload.start(&|| false).unwrap_err().code(), 554);
    drop(upload);
    assert_eq!(fs::read(bed.disk("a")).unwrap(), old);
    assert_eq!(bed.partials(), 1);
}

#[test]
fn a_removed_file_leaves_nothing_to_append_to() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    interrupted(&home, "a", b"stale");
    fs::write(bed.disk("a"), "there").unwrap();
    home.remove_file(&path("a")).unwrap();
    store(&home, "a", Intent::Append, b"new").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"new");
}

#[test]
fn guests_do_not_go_on_with_each_others_uploads() {
    let bed = Bed::new();
    let guest = bed.guest();
    interrupted(&guest, "a", b"secret");
    assert_eq!(bed.partials(), 0, "nobody can go on with it");
    store(&guest, "a", Intent::Append, b"mine").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"mine");
}

/// Between the look of an append and its rename nobody else's rename fits.
#[test]
fn an_append_takes_no_file_away_that_came_meanwhile() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    for round in 0..300 {
        store(&home, "log", FRESH, b"base").unwrap();
        let mut append = home
            .begin_upload(&path("log"), Intent::Append, None)
            .unwrap();
        append.start(&|| false).unwrap();
        append.file().write_all(b"+").unwrap();
        let whole = home.begin_upload(&path("log"), FRESH, None).unwrap();
        whole.file().write_all(b"new").unwrap();
        let settled = whole.settle(None).unwrap();
        let other = std::thread::spawn(move || settled.publish().is_ok());
        let appended = append.commit(None).is_ok();
        assert!(other.join().unwrap());
        // Either way the file that was confirmed last, or alone, is the one that is there.
        assert_eq!(
            fs::read(bed.disk("log")).unwrap(),
            b"new",
            "round {round}, appended: {appended}"
        );
    }
}

#[test]
fn of_two_appends_none_is_lost() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "log", FRESH, b"base\n").unwrap();
    let one = home.begin_upload(&path("log"), Intent::Append, None);
    let two = home.begin_upload(&path("log"), Intent::Append, None);
    let (mut one, mut two) = (one.unwrap(), two.unwrap());
    one.start(&|| false).unwrap();
    two.start(&|| false).unwrap();
    one.file().write_all(b"one\n").unwrap();
    two.file().write_all(b"two\n").unwrap();
    one.commit(None).unwrap();
    let refused = two.commit(None).unwrap_err();
    assert_eq!(refused.code(), 450, "{refused}");
    assert_eq!(fs::read(bed.disk("log")).unwrap(), b"base\none\n");
    store(&home, "log", Intent::Append, b"two\n").unwrap();
    assert_eq!(fs::read(bed.disk("log")).unwrap(), b"base\none\ntwo\n");
}

#[test]
fn a_copy_of_what_is_there_can_be_stopped_and_leaves_nothing() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "log", FRESH, b"base\n").unwrap();
    let append = || {
        home.begin_upload(&path("log"), Intent::Append, None)
            .unwrap()
    };
    let mut upload = append();
    assert!(upload.copies());
    let stopped = upload.start(&|| true).unwrap_err();
    assert_eq!(stopped.code(), 426, "{stopped}");
    drop(upload);
    assert_eq!(bed.partials(), 0, "half a copy");
    let mut upload = append();
    upload.start(&|| false).unwrap();
    drop(upload);
    assert_eq!(bed.partials(), 0, "no byte came");
    let never = append().commit(None).unwrap_err();
    assert_eq!(never.code(), 451, "{never}");
    assert_eq!(fs::read(bed.disk("log")).unwrap(), b"base\n");
}

#[test]
fn going_on_is_no_way_around_the_policy_for_taken_names() {
    let mut bed = Bed::new();
    for (on_duplicate, outcome) in [
        (OnDuplicate::Rename, Ok("/g (1)")),
        (OnDuplicate::Refuse, Err(553)),
    ] {
        bed.uploads.on_duplicate = on_duplicate;
        let (ann, bob) = (bed.home(Rights::READ_WRITE, "/"), bed.other("bob"));
        interrupted(&ann, "g", b"1111");
        let upload = ann.begin_upload(&path("g"), at(4), None).unwrap();
        upload.file().write_all(b"5").unwrap();
        store(&bob, "g", FRESH, b"bob").unwrap();
        let done = upload.commit(None).map(|done| done.path.to_string());
        let done = done.map_err(|error| error.code());
        assert_eq!(done, outcome.map(str::to_owned));
        assert_eq!(fs::read(bed.disk("g")).unwrap(), b"bob");
        let onto = store(&ann, "g", at(1), b"zzz").map_err(|error| error.code());
        assert_eq!(
            onto.is_ok(),
            on_duplicate == OnDuplicate::Rename,
            "{onto:?}"
        );
        assert_eq!(fs::read(bed.disk("g")).unwrap(), b"bob");
        fs::remove_file(bed.disk("g")).unwrap();
    }
}

#[test]
fn a_try_that_gets_no_data_connection_keeps_what_was_kept() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    interrupted(&home, "a", b"12345");
    drop(home.begin_upload(&path("a"), FRESH, None).unwrap());
    let mut upload = home.begin_upload(&path("a"), at(5), None).unwrap();
    upload.start(&|| false).unwrap();
    upload.file().write_all(b"6").unwrap();
    upload.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"123456");
}

#[test]
fn a_shorter_upload_leaves_nothing_of_what_was_kept() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    interrupted(&home, "a", b"12345");
    let mut upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.start(&|| false).unwrap();
    upload.file().write_all(b"x").unwrap();
    upload.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"x");
}

#[test]
fn no_copy_is_left_of_a_file_that_was_changed_while_it_was_appended_to() {
    let bed = Bed::new();
    let (ann, bob) = (bed.home(Rights::READ_WRITE, "/"), bed.other("bob"));
    let refused = |intent, left| {
        let mut upload = ann.begin_upload(&path("a"), intent, None).unwrap();
        upload.start(&|| false).unwrap();
        upload.file().write_all(b"+").unwrap();
        store(&bob, "a", FRESH, b"bob's").unwrap();
        assert_eq!(upload.commit(None).unwrap_err().code(), 450);
        assert_eq!(bed.partials(), left);
    };
    for old in [b"old".as_slice(), b""] {
        store(&bob, "a", FRESH, old).unwrap();
        refused(Intent::Append, 0);
    }
    refused(at(5), 0);
    // A new file's bytes are kept: the name may be free again.
    ann.remove_file(&path("a")).unwrap();
    interrupted(&ann, "a", b"new");
    refused(at(3), 1);
    bob.remove_file(&path("a")).unwrap();
    store(&ann, "a", at(4), b"!").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"new+!");
}
