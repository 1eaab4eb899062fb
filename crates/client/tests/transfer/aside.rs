//! An old file is moved aside for a new one, where the server renames over none: it comes back, or is named.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ftpc::error::Error;

use crate::{fake::Fake, only_error, options, run, run_with, sending};

#[tokio::test]
async fn a_server_that_will_not_rename_over_a_file_is_helped() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .hook(|session, line| {
            line == "RNTO /a" && session.content("/a").is_some() && {
                session.say("553 exists");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    // The old file goes aside first, and is removed last.
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.names(), ["/a"]);
    assert!(!server.lines().contains(&"DELE /a".to_owned()));
}

#[tokio::test]
async fn where_nothing_may_be_renamed_the_old_file_stays() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .answers("RNTO", "550 denied")
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    assert_eq!(error.to_string(), "RNTO `/a`: 550 denied");
    assert_eq!(server.content("/a").unwrap(), b"old");
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn a_directory_is_not_moved_aside() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a/kept", "old")
        .answers("RNTO /a", "550 a directory")
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert_eq!(summary.failed.len(), 1);
    assert_eq!(server.count("RNFR"), 1);
    assert_eq!(server.names(), ["/a/kept"]);
}

#[tokio::test]
async fn a_file_that_went_aside_comes_back_or_is_named() {
    for back in [true, false] {
        let temp = tempfile::tempdir().unwrap();
        let refused = AtomicUsize::new(0);
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |session, line| {
                let refuses = || refused.fetch_add(1, Ordering::SeqCst) < 2 || !back;
                line == "RNTO /a" && refuses() && {
                    session.say("550 denied");
                    true
                }
            })
            .start();
        let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
        let error = only_error(&summary);
        if back {
            assert_eq!(error.to_string(), "RNTO `/a`: 550 denied");
            assert_eq!(server.content("/a").unwrap(), b"old");
            continue;
        }
        // The new one went, and nothing says that it were there.
        let Error::Aside { aside, .. } = error else {
            panic!("{error}");
        };
        assert!(error.to_string().contains(aside), "{error}");
        let said = error.chain();
        assert!(said.ends_with("550 denied"), "{said}");
        assert!(!said.contains("was sent to"), "{said}");
        assert_eq!(server.content(aside).unwrap(), b"old");
        assert_eq!(server.names(), std::slice::from_ref(aside));
    }
}

#[tokio::test]
async fn a_file_that_went_aside_comes_back_when_no_more_is_tried() {
    for back in [true, false] {
        let temp = tempfile::tempdir().unwrap();
        let tries = AtomicUsize::new(0);
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |session, line| {
                if line != "RNTO /a" {
                    return false;
                }
                let (first, mine) = (tries.fetch_add(1, Ordering::SeqCst) == 0, 5 + 1);
                // Its last rename is that of the old file.
                let is_last = tries.load(Ordering::SeqCst) > mine;
                match (first, is_last && back) {
                    (true, _) => session.say("550 exists"),
                    (false, true) => return false,
                    (false, false) => session.say("450 busy"),
                }
                true
            })
            .start();
        let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
        let error = only_error(&summary);
        if back {
            assert!(
                matches!(error, Error::Unpublished { aside: None, .. }),
                "{error}"
            );
            assert_eq!(server.content("/a").unwrap(), b"old");
            continue;
        }
        let said = error.chain();
        let kept = server
            .names()
            .into_iter()
            .find(|name| name.contains(".old."));
        assert!(said.contains(&kept.unwrap()), "{said}");
        assert!(said.ends_with("450 busy"), "{said}");
    }
}

#[tokio::test]
async fn a_connection_lost_between_two_renames_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let lost = AtomicBool::new(false);
    let server = Fake::default()
        .file("/a", "old")
        .hook(move |session, line| {
            if line == "RNTO /a" && session.content("/a").is_some() {
                session.say("553 exists");
                return true;
            }
            line == "RNTO /a" && !lost.swap(true, Ordering::SeqCst) && {
                session.hang_up();
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn where_the_server_keeps_what_is_there_nothing_is_moved() {
    let refusing = || {
        let feat = ["X-ON-DUPLICATE refuse", "MLST type*;size*;", "SIZE"];
        Fake::default().feat(&feat)
    };
    let temp = tempfile::tempdir().unwrap();
    let server = refusing().file("/a", "old").start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert!(matches!(only_error(&summary), Error::Kept { .. }));
    assert_eq!(server.count("STOR"), 0, "it is known before a byte moves");
    assert_eq!(server.content("/a").unwrap(), b"old");

    // One that takes the name while the other is sent.
    let server = refusing()
        .hook(|session, line| match line.split(' ').next() {
            Some("STOR") => {
                let mut files = session.files.lock().unwrap();
                files.insert("/a".to_owned(), b"theirs".to_vec());
                false
            }
            Some("RNTO") if line == "RNTO /a" && session.content("/a").is_some() => {
                session.say("553 exists");
                true
            }
            _ => false,
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert!(only_error(&summary).to_string().contains("553 exists"));
    assert_eq!(server.content("/a").unwrap(), b"theirs");
    assert!(!server.lines().contains(&"RNFR /a".to_owned()));
}

/// The answer to the last rename is lost with the last try.
#[tokio::test]
async fn an_old_file_does_not_come_back_over_the_new_one() {
    let temp = tempfile::tempdir().unwrap();
    let renames = AtomicUsize::new(0);
    let server = Fake::default()
        .file("/a", "old")
        .hook(move |session, line| {
            line == "RNTO /a" && {
                match renames.fetch_add(1, Ordering::SeqCst) {
                    0 => session.say("553 exists"),
                    1 => {
                        let from = session.from.take().unwrap();
                        let mut files = session.files.lock().unwrap();
                        let content = files.remove(&from).unwrap();
                        files.insert("/a".to_owned(), content);
                        drop(files);
                        session.hang_up();
                    }
                    _ => return false,
                }
                true
            }
        })
        .start();
    let mut once = options();
    once.backoff.attempts = 1;
    let plan = sending(temp.path(), "a", b"new", "/a");
    let (summary, _) = run_with(&server, once, plan).await;
    assert!(only_error(&summary).is_transient());
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.names().len(), 2, "the old one is beside it");
}
