//! One file down: whole or not at all, with its time.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    error::Error,
    event::Event,
    plan::{Plan, Step},
    transfer::{Options, Summary},
};

use crate::{fake::Fake, fetching, leftovers, noise, only_error, options, run, run_with};

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

/// Fetches `/a`, of which a listing has told that size, from a server that has four bytes and no SIZE.
async fn fetch_listed(listed: u64, local: &Path) -> (Summary, usize) {
    let server = Fake::default()
        .file("/a", "half")
        .answers("SIZE", "502 no")
        .start();
    let mut plan = Plan::new(local);
    let mut step = Step::fetch("/a");
    if let Step::Fetch { size, .. } = &mut step {
        *size = Some(listed);
    }
    plan.push(step);
    let summary = run(&server, plan).await;
    (summary, server.count("RETR"))
}

#[tokio::test]
async fn a_listed_size_counts_where_the_server_tells_none_again() {
    let temp = tempfile::tempdir().unwrap();
    let (summary, tries) = fetch_listed(8, temp.path()).await;
    let error = only_error(&summary);
    let Error::Truncated { want, got, .. } = error else {
        panic!("{error}")
    };
    assert_eq!((*want, *got), (8, 4));
    assert!(tries > 1);
    assert!(!temp.path().join("a").exists());
}

#[tokio::test]
async fn what_has_grown_since_it_was_listed_is_fetched() {
    let temp = tempfile::tempdir().unwrap();
    let (summary, tries) = fetch_listed(3, temp.path()).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(tries, 2);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"half");
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
async fn a_file_goes_through_no_link_to_another_directory() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real", temp.path().join("d")).unwrap();
    let server = Fake::default().file("/a", "content").start();
    let mut plan = ftpc::plan::Plan::new(temp.path());
    plan.push(ftpc::plan::Step::Fetch {
        remote: "/a".to_owned(),
        local: "d/a".into(),
        size: Some(7),
        modified: None,
        seen: None,
    });
    let summary = run(&server, plan).await;
    let text = only_error(&summary).chain();
    assert!(text.contains("a link leads there"), "{text}");
    assert_eq!(leftovers(&temp.path().join("real")), Vec::<String>::new());
}
