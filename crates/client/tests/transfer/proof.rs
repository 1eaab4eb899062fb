//! What proves that a download is whole, and the file that was meant.

use std::{
    fs,
    io::{Read as _, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use ftp_config::client::Verify;
use ftpc::{
    error::{Error, RemoteError},
    event::Event,
    transfer::Options,
};

use crate::{
    cut_after,
    fake::{Fake, Running},
    fetching, leftovers, noise, only_error, options, run, run_with, sending,
};

#[tokio::test]
async fn fewer_bytes_than_announced_are_no_file() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", vec![1; 1000])
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("150 ok");
                let _ = session.data().write_all(&[1; 400]);
                session.say("226 all of it");
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(matches!(
        only_error(&summary),
        Error::Truncated {
            want: 1000,
            got: 400,
            ..
        }
    ));
    assert!(!temp.path().join("a").exists());
}

#[tokio::test]
async fn more_bytes_than_announced_are_cut_off() {
    for length in [1000, 2 << 20] {
        let temp = tempfile::tempdir().unwrap();
        let server = Fake::default()
            .file("/a", vec![1; length])
            .hook(move |session, line| {
                line == "RETR /a" && {
                    session.say("150 ok");
                    let mut data = session.data();
                    // Not for ever, should the client take all of it.
                    let sent = (0..length / 500).all(|_| data.write_all(&[1; 65536]).is_ok());
                    session.say(if sent { "226 done" } else { "426 gone" });
                    true
                }
            })
            .start();
        let summary = run(&server, fetching(temp.path(), "/a")).await;
        let text = only_error(&summary).chain();
        assert!(
            text.contains("more bytes than the server announced"),
            "{text}"
        );
        assert!(!temp.path().join("a").exists());
    }
}

#[tokio::test]
async fn a_file_that_grows_is_not_tried_for_ever() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", noise(400_000))
        .hook(|session, line| {
            if line == "RETR /a" {
                let content = session.content("/a").unwrap();
                session.put("/a", &[&content[..], &[7; 100_000]].concat());
                // Were it tried on and on, it would come to an end here.
                return content.len() < 2_000_000
                    && session.sends([&content[..], &[7; 100_000]].concat());
            }
            false
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    let text = only_error(&summary).chain();
    assert!(text.contains("more bytes than"), "{text}");
    assert_eq!(server.count("RETR"), 5);
}

#[tokio::test]
async fn a_whole_file_whose_226_is_lost_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", noise(1000))
        .hook(|session, line| {
            line == "RETR /a" && {
                cut_after(session, "/a", 0, 1000);
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), noise(1000));
}

#[tokio::test]
async fn a_whole_file_whose_226_is_lost_is_still_compared_by_its_hash() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(2 << 20);
    let lost = AtomicBool::new(false);
    let server = Fake::default()
        .file("/a", content.clone())
        .feat(&["HASH SHA-256*", "SIZE", "MDTM", "REST STREAM"])
        .hook(move |session, line| {
            line == "RETR /a" && !lost.swap(true, Ordering::SeqCst) && {
                cut_after(session, "/a", 0, 2 << 20);
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert_eq!((summary.files, summary.verified), (1, 1));
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    let lines = server.lines();
    assert!(
        lines.iter().any(|line| line.starts_with("REST ")),
        "{lines:?}"
    );
    assert_eq!(server.count("RETR"), 2, "what is here is not sent again");
}

#[tokio::test]
async fn hashes_are_compared_when_offered_and_a_lie_is_found() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(2 << 20);
    let fake = Fake::default()
        .file("/a", content.clone())
        .feat(&["HASH SHA-256*", "SIZE", "MDTM"]);
    let server = fake.clone().start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a")).await;
    assert_eq!((summary.files, summary.verified), (1, 1));
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Finished {
            verified: Some("SHA-256"),
            ..
        }
    )));
    drop(server);

    fs::remove_file(temp.path().join("a")).unwrap();
    let zeros = "0".repeat(64);
    let server = fake
        .hook(move |session, line| {
            line.starts_with("HASH") && {
                session.say(&format!("213 SHA-256 0-1 {zeros} a"));
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(matches!(only_error(&summary), Error::HashMismatch { .. }));
    assert_eq!(leftovers(temp.path()), Vec::<String>::new());
}

#[tokio::test]
async fn always_verify_needs_a_server_that_can() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "x").start();
    let always = Options {
        verify: Verify::Always,
        ..options()
    };
    let (summary, _) = run_with(&server, always, fetching(temp.path(), "/a")).await;
    assert!(matches!(
        only_error(&summary),
        Error::Remote(RemoteError::Unsupported { .. })
    ));
}

#[tokio::test]
async fn a_file_that_was_rewritten_while_it_came_is_fetched_again() {
    let temp = tempfile::tempdir().unwrap();
    let (old, new) = (noise(2 << 20), vec![b'n'; 2 << 20]);
    let written = AtomicBool::new(false);
    let replaced = new.clone();
    let server = Fake::default()
        .file("/a", old)
        .feat(&["SIZE", "MDTM", "REST STREAM"])
        .hook(move |session, line| {
            if line.starts_with("RETR") && !written.swap(true, Ordering::SeqCst) {
                session.retrieve("/a", 0);
                // In place, with no other size: the middle of it might have come mixed.
                session
                    .files
                    .lock()
                    .unwrap()
                    .insert("/a".to_owned(), replaced.clone());
                return true;
            }
            let told = line.starts_with("MDTM") && written.load(Ordering::SeqCst);
            if told {
                session.say("213 20250607080910");
            }
            told
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(fs::read(temp.path().join("a")).unwrap() == new);
    assert_eq!(server.count("RETR"), 2);
    assert_eq!(leftovers(temp.path()), ["a"]);
}

#[tokio::test]
async fn a_file_that_became_shorter_after_the_listing_comes_as_it_is_now() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/d/a", "0123456789")
        .hook(|session, line| {
            if line.starts_with("RETR") {
                let mut files = session.files.lock().unwrap();
                files.insert("/d/a".to_owned(), b"0123".to_vec());
            }
            false
        })
        .start();
    let mut plan = ftpc::plan::Plan::new(temp.path());
    plan.push(ftpc::plan::Step::Fetch {
        remote: "/d/a".to_owned(),
        local: "a".into(),
        size: Some(10),
        modified: None,
        seen: None,
    });
    let summary = run(&server, plan).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"0123");
    assert_eq!(server.count("RETR"), 2);
}

/// Answers no SIZE, and takes only the head of the first upload for all of it: its data connection has ended early.
fn without_size(fake: Fake) -> Running {
    let is_cut = AtomicBool::new(false);
    let fake = fake.hook(move |session, line| {
        if line.starts_with("SIZE") {
            session.say("550 no");
            return true;
        }
        let Some(path) = line.strip_prefix("STOR ") else {
            return false;
        };
        !is_cut.swap(true, Ordering::SeqCst) && {
            session.say("150 go");
            let _ = session.data().read_to_end(&mut Vec::new());
            session.put(path, b"ne");
            session.say("226 stored");
            true
        }
    });
    fake.start()
}

#[tokio::test]
async fn the_size_of_an_upload_is_compared_where_mlst_alone_tells_it() {
    let temp = tempfile::tempdir().unwrap();
    let server = without_size(Fake::default().file("/a", "old"));
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.count("STOR"), 2, "{:?}", server.lines());
    // Who answers SIZE is not asked more.
    let server = Fake::default().start();
    run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert_eq!((server.count("SIZE"), server.count("MLST")), (1, 0));
}
