//! A client whose line broke takes its upload over from its dead session, and nobody else does.

use std::{sync::mpsc, time::Duration};

use super::*;

/// Begins an upload that tells when it is to stop.
fn watched(home: &Home) -> (Upload, mpsc::Receiver<()>) {
    let (stop, stopped) = mpsc::channel();
    let mut upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.obey(Arc::new(move || stop.send(()).unwrap()));
    upload.start(&|| false).unwrap();
    upload.file().write_all(b"12345").unwrap();
    (upload, stopped)
}

/// Makes it seem that the last bytes came so long ago.
fn wrote_ago(upload: &Upload, ago: Duration) {
    let past = SystemTime::now() - ago;
    upload.file().set_modified(past).unwrap();
}

#[test]
fn a_client_that_comes_back_takes_over_from_its_dead_session() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let (dead, stopped) = watched(&home);
    let refused = || home.begin_upload(&path("a"), at(5), None).unwrap_err();
    // It may be alive; the disk's clock may be ahead.
    let soon = SystemTime::now() + Duration::from_secs(60);
    dead.file().set_modified(soon).unwrap();
    assert_eq!(refused().code(), 450, "{}", refused());
    wrote_ago(&dead, Duration::from_secs(2));
    assert_eq!(refused().code(), 450, "{}", refused());
    assert!(stopped.try_recv().is_err());
    assert_eq!(bed.partials(), 1, "a refused try leaves nothing");
    wrote_ago(&dead, Duration::from_secs(60));
    // What it goes on with may be old, and itself not.
    assert_eq!(refused().code(), 450, "{}", refused());
    assert!(stopped.try_recv().is_err());
    dead.hold
        .as_ref()
        .unwrap()
        .began_ago(Duration::from_secs(60));
    let session = std::thread::spawn(move || {
        stopped.recv().unwrap();
        drop(dead);
    });
    store(&home, "a", at(5), b"678").unwrap();
    session.join().unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"12345678");
    assert_eq!(bed.partials(), 0);
}

/// Its client means the bytes that the dead session has, which nobody else's may stand for.
#[test]
fn a_client_that_comes_back_too_soon_gets_no_bytes_of_the_old_file() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old bytes").unwrap();
    let (dead, _stopped) = watched(&home);
    let refused = home.begin_upload(&path("a"), at(5), None).unwrap_err();
    assert_eq!(refused.code(), 450, "{refused}");
    let refused = store(&home, "a", Intent::Append, b"678").unwrap_err();
    assert_eq!(refused.code(), 554, "{refused}");
    assert_eq!(bed.partials(), 1, "a refused try leaves nothing");
    drop(dead);
    store(&home, "a", at(5), b"678").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"12345678");
}

#[test]
fn another_user_takes_nothing_over() {
    let bed = Bed::new();
    let (ann, bob) = (bed.home(Rights::READ_WRITE, "/"), bed.other("bob"));
    let (upload, stopped) = watched(&ann);
    wrote_ago(&upload, Duration::from_secs(60));
    let hold = upload.hold.as_ref().unwrap();
    hold.began_ago(Duration::from_secs(60));
    let refused = bob.begin_upload(&path("a"), at(5), None).unwrap_err();
    assert_eq!(refused.code(), 554, "{refused}");
    // A try from the first byte needs nothing of it.
    drop(ann.begin_upload(&path("a"), FRESH, None).unwrap());
    assert!(stopped.try_recv().is_err());
}

/// Each looks at what the other one writes to, which may be cut, or have the name, between two looks.
#[test]
fn of_two_that_append_at_once_one_is_told_to_try_again_and_nothing_is_mixed() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    let append = || home.begin_upload(&path("a"), Intent::Append, None).unwrap();
    let mut first = append();
    first.start(&|| false).unwrap();
    let mut second = append();
    first.file().set_len(1).unwrap();
    let refused = second.start(&|| false).unwrap_err();
    assert_eq!(refused.code(), 450, "{refused}");
    drop((first, second));

    let (mut first, mut second) = (append(), append());
    for (upload, bytes) in [(&mut first, b"1"), (&mut second, b"2")] {
        upload.start(&|| false).unwrap();
        upload.file().write_all(bytes).unwrap();
    }
    first.commit(None).unwrap();
    let refused = second.commit(None).unwrap_err();
    assert_eq!(refused.code(), 450, "{refused}");
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old1");
}

#[test]
fn a_file_that_is_cut_while_it_is_compared_is_told_as_changed() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    let append = || home.begin_upload(&path("a"), Intent::Append, None).unwrap();
    let mut kept = append();
    kept.start(&|| false).unwrap();
    kept.file().write_all(b"er").unwrap();
    drop(kept);
    let mut upload = append();
    fs::write(bed.disk("a"), "o").unwrap();
    let refused = upload.start(&|| false).unwrap_err();
    assert_eq!(refused.code(), 450, "{refused}");
}

/// The lock goes before the entry.
#[test]
fn an_upload_that_ends_leaves_the_entry_of_the_next() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let (mut dead, _stopped) = watched(&home);
    let last = dead.hold.take();
    drop(dead);
    let mut next = home.begin_upload(&path("a"), at(5), None).unwrap();
    let (stop, stopped) = mpsc::channel();
    next.obey(Arc::new(move || stop.send(()).unwrap()));
    next.hold
        .as_ref()
        .unwrap()
        .began_ago(Duration::from_secs(60));
    wrote_ago(&next, Duration::from_secs(60));
    drop(last);
    let session = std::thread::spawn(move || {
        stopped.recv().unwrap();
        drop(next);
    });
    store(&home, "a", at(5), b"678").unwrap();
    session.join().unwrap();
}
