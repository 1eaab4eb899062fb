//! One file down: whole or not at all, with its time and what proves it.

use std::{
    fs,
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    error::{Error, RemoteError},
    event::Event,
    transfer::Options,
};

use crate::{
    cut_after, fake::Fake, fetching, leftovers, noise, only_error, options, run, run_with,
};

#[tokio::test]
async fn a_file_comes_with_its_time_and_leaves_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a b.txt", "content").start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a b.txt")).await;
    assert_eq!((summary.files, summary.bytes), (1, 7));
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a b.txt")).unwrap(), b"content");
    assert_eq!(leftovers(temp.path()), ["a b.txt"]);
    let modified = fs::metadata(temp.path().join("a b.txt"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(
        modified
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
        1_704_164_645
    );
    assert!(matches!(events[0], Event::Planned { files: 1, .. }));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Finished { bytes: 7, .. }))
    );
}

#[tokio::test]
async fn an_existing_file_stays_unless_forced() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("a"), b"old").unwrap();
    let server = Fake::default().file("/a", "new").start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(matches!(only_error(&summary), Error::Exists { .. }));
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"old");
    let forced = Options {
        force: true,
        ..options()
    };
    run_with(&server, forced, fetching(temp.path(), "/a")).await;
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"new");
}

#[tokio::test]
async fn what_an_earlier_run_fetched_needs_no_byte() {
    let temp = tempfile::tempdir().unwrap();
    let mine = temp.path().join("a");
    let server = Fake::default().file("/a", "content").start();
    run(&server, fetching(temp.path(), "/a")).await;
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!((summary.files, summary.skipped, summary.bytes), (0, 1, 0));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Skipped { .. }))
    );
    assert_eq!(server.count("RETR"), 1);

    // One of that size and another time, or the reverse, is another file.
    let time = fs::metadata(&mine).unwrap().modified().unwrap();
    for (content, time) in [("contenT", time + Duration::from_secs(9)), ("conten", time)] {
        fs::write(&mine, content).unwrap();
        let file = fs::File::options().write(true).open(&mine).unwrap();
        file.set_modified(time).unwrap();
        let summary = run(&server, fetching(temp.path(), "/a")).await;
        assert!(matches!(only_error(&summary), Error::Exists { .. }));
        assert_eq!(fs::read(&mine).unwrap(), content.as_bytes());
    }

    // With hashes that are always wished, so is one of another content.
    let server = Fake::default()
        .feat(&["HASH SHA-256*", "MDTM", "SIZE"])
        .file("/a", "content")
        .start();
    let proved = || Options {
        verify: Verify::Always,
        ..options()
    };
    fs::write(&mine, "contenT").unwrap();
    let file = fs::File::options().write(true).open(&mine).unwrap();
    file.set_modified(time).unwrap();
    let (summary, _) = run_with(&server, proved(), fetching(temp.path(), "/a")).await;
    assert!(matches!(only_error(&summary), Error::Exists { .. }));
    fs::write(&mine, "content").unwrap();
    file.set_modified(time).unwrap();
    let (summary, _) = run_with(&server, proved(), fetching(temp.path(), "/a")).await;
    assert_eq!((summary.skipped, summary.verified), (1, 1));

    // So is a link to the very same, whoever made it.
    fs::write(temp.path().join("b"), "content").unwrap();
    let file = fs::File::options()
        .write(true)
        .open(temp.path().join("b"))
        .unwrap();
    file.set_modified(time).unwrap();
    fs::remove_file(&mine).unwrap();
    std::os::unix::fs::symlink("b", &mine).unwrap();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(matches!(only_error(&summary), Error::Exists { .. }));
}

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
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", vec![1; 1000])
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("150 ok");
                let mut data = session.data();
                while data.write_all(&[1; 65536]).is_ok() {}
                session.say("226 done");
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
}

#[tokio::test]
async fn refusals_are_not_tried_again() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "x")
        .answers("RETR /a", "550 not yours")
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert_eq!(only_error(&summary).to_string(), "RETR `/a`: 550 not yours");
    assert_eq!(server.count("RETR"), 1);
    assert_eq!(leftovers(temp.path()), Vec::<String>::new());
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
async fn a_rate_limit_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", noise(100_000)).start();
    let slow = Options {
        limit: ByteRate(200_000),
        ..options()
    };
    let began = std::time::Instant::now();
    let (summary, _) = run_with(&server, slow, fetching(temp.path(), "/a")).await;
    assert_eq!(summary.files, 1);
    // A lower bound only: 0.5 s at the rate, less the burst.
    assert!(began.elapsed() >= Duration::from_millis(240));
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
async fn a_fifo_or_a_device_is_not_replaced() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let server = Fake::default().file("/a", "x").start();
    let forced = Options {
        force: true,
        ..options()
    };
    let (summary, _) = run_with(&server, forced, fetching(temp.path(), "/a")).await;
    let text = only_error(&summary).chain();
    assert!(text.contains("not a regular file"), "{text}");
    let kind = fs::symlink_metadata(&path).unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&kind));
    assert_eq!(server.count("RETR"), 0);
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
    });
    let summary = run(&server, plan).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"0123");
    assert_eq!(server.count("RETR"), 2);
}
