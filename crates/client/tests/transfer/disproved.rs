//! Uploads that turn out to be another file than the local one, and what is left on the server then.

use std::{
    fs,
    io::Read as _,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use ftpc::{error::Error, transfer::Options};

use crate::{
    fake::{Fake, Session},
    noise, only_error, options, run, run_with, sending,
};

/// Answers HASH by that of no file.
fn tells_another_hash(session: &mut Session, line: &str) -> bool {
    line.starts_with("HASH") && {
        session.say(&format!("213 SHA-256 0-1 {} a", "0".repeat(64)));
        true
    }
}

#[tokio::test]
async fn a_part_whose_hash_is_another_goes_and_never_gets_the_name() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .feat(&["HASH SHA-256*", "SIZE", "MDTM"])
        .file("/a", "old")
        .hook(tells_another_hash)
        .start();
    let summary = run(&server, sending(temp.path(), "a", &noise(2 << 20), "/a")).await;
    assert!(matches!(only_error(&summary), Error::HashMismatch { .. }));
    assert_eq!(server.names(), ["/a"]);
    assert_eq!(server.content("/a").unwrap(), b"old");
}

/// Under the final name it may be somebody else's by now.
#[tokio::test]
async fn what_has_the_final_name_is_not_removed_for_its_hash() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "HASH SHA-256*", "SIZE", "MDTM"])
        .hook(tells_another_hash)
        .start();
    let summary = run(&server, sending(temp.path(), "a", &noise(2 << 20), "/a")).await;
    assert!(matches!(only_error(&summary), Error::HashMismatch { .. }));
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn a_file_refused_under_its_final_name_leaves_what_is_there() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .hook(|session, line| {
            if line.starts_with("STOR") && line.ends_with("-part") {
                session.say("553 no temporary name here");
                return true;
            }
            line == "STOR /a" && {
                session.say("150 go");
                let _ = session.data().read_to_end(&mut Vec::new());
                session.say("552 quota exceeded");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    assert!(error.to_string().contains("552"), "{error}");
    assert!(!server.lines().contains(&"DELE /a".to_owned()));
    assert_eq!(server.content("/a").unwrap(), b"old");
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_not_published() {
    for length in [1000, 2 << 20] {
        let temp = tempfile::tempdir().unwrap();
        let plan = sending(temp.path(), "a", &noise(length), "/a");
        let path = temp.path().join("a");
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(then).unwrap();
        let changed = AtomicBool::new(false);
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |_, line| {
                if line.starts_with("STOR") && !changed.swap(true, Ordering::SeqCst) {
                    // Of the same size, so that only its time tells.
                    fs::write(&path, vec![b'n'; length]).unwrap();
                }
                false
            })
            .start();
        let once = Options {
            backoff: ftpc::transfer::Backoff {
                attempts: 1,
                ..options().backoff
            },
            ..options()
        };
        let (summary, _) = run_with(&server, once, plan).await;
        let error = only_error(&summary);
        let is_told = matches!(error, Error::ChangedMeanwhile { .. });
        assert!(is_told, "{length}: {}", error.chain());
        assert_eq!(server.content("/a").unwrap(), b"old");
    }
}

#[tokio::test]
async fn what_a_server_says_that_it_keeps_is_not_more_than_the_file() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(17 << 20);
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "SIZE"])
        .hook(|session, line| {
            line.starts_with("STOR") && session.rest > 0 && {
                session.rest = 0;
                session.say("554 /a: offset 1 is beyond the 99999999 bytes that are here");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.content("/a").unwrap() == content);
}
