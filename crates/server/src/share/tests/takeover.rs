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
    let refused = bob.begin_upload(&path("a"), at(5), None).unwrap_err();
    assert_eq!(refused.code(), 554, "{refused}");
    // A try from the first byte needs nothing of it.
    drop(ann.begin_upload(&path("a"), FRESH, None).unwrap());
    assert!(stopped.try_recv().is_err());
}
