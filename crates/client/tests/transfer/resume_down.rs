//! Downloads that were cut, or stopped, and go on with what was kept.

use std::{
    fs,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use ftpc::{
    event::{Event, Events},
    remote::Dial as _,
    transfer::{Backoff, Cancel, Engine, Options},
};

use crate::{
    cut_after, fake::Fake, fetching, leftovers, noise, only_error, options, run, run_with,
};

#[tokio::test]
async fn a_cut_download_goes_on_where_it_stopped() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(1_000_000);
    let cuts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&cuts);
    let server = Fake::default()
        .file("/a", content.clone())
        .hook(move |session, line| {
            line == "RETR /a" && count.fetch_add(1, Ordering::SeqCst) < 9 && {
                let offset = session.rest;
                cut_after(session, "/a", offset, 200_000);
                true
            }
        })
        .start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    assert_eq!(leftovers(temp.path()), ["a"]);
    // Nine cuts with five tries: each one brought bytes, so the count began anew.
    assert!(
        events
            .iter()
            .filter(|event| matches!(event, Event::Retrying { .. }))
            .count()
            >= 6
    );
    assert!(
        server.lines().iter().any(|line| line == "REST 134464"),
        "{:?}",
        server.lines()
    );
    // Only the overlap was fetched twice.
    assert!(summary.bytes < 1_000_100, "{}", summary.bytes);
}

/// A server that is out of something for a moment says so behind its 150.
#[tokio::test]
async fn a_resumed_download_that_is_refused_at_once_keeps_what_is_here() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(300_000);
    let turn = AtomicUsize::new(0);
    let server = Fake::default()
        .file("/a", content.clone())
        .hook(move |session, line| {
            line == "RETR /a"
                && match turn.fetch_add(1, Ordering::SeqCst) {
                    0 => {
                        cut_after(session, "/a", 0, 200_000);
                        true
                    }
                    1 => {
                        session.say("150 here it comes");
                        drop(session.data());
                        session.say("451 no thread");
                        true
                    }
                    _ => false,
                }
        })
        .start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    let said =
        |event: &Event| matches!(event, Event::Retrying { reason, .. } if reason.contains("451"));
    assert!(events.iter().any(said), "{events:?}");
    let restarts = server
        .lines()
        .iter()
        .filter(|line| line.starts_with("REST"))
        .count();
    assert_eq!(restarts, 2, "{:?}", server.lines());
}

/// ProFTPD's `AllowRetrieveRestart off`.
#[tokio::test]
async fn a_server_that_restarts_no_download_sends_it_anew() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(300_000);
    let cut = AtomicBool::new(false);
    let server = Fake::default()
        .file("/a", content.clone())
        .hook(move |session, line| {
            if line != "RETR /a" {
                return false;
            }
            if std::mem::take(&mut session.rest) > 0 {
                session.say("451 Restart not permitted, try again");
                return true;
            }
            !cut.swap(true, Ordering::SeqCst) && {
                cut_after(session, "/a", 0, 200_000);
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    assert_eq!(leftovers(temp.path()), ["a"]);
}

/// As printers refuse what they do not know.
#[tokio::test]
async fn an_epsv_that_is_answered_by_202_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "content")
        .hook(|session, line| {
            line == "EPSV" && {
                session.say("202 Command not implemented");
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"content");
    let mut session = server.dialer().dial().await.unwrap();
    session.list("/").await.unwrap();
}

#[tokio::test]
async fn another_run_goes_on_with_a_kept_part_and_not_with_another_file() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(400_000);
    let fake = Fake::default().file("/a", content.clone());
    let server = fake
        .clone()
        .hook(|session, line| {
            line == "RETR /a" && {
                cut_after(session, "/a", 0, 300_000);
                true
            }
        })
        .start();
    let once = Options {
        backoff: Backoff {
            attempts: 1,
            ..Backoff::default()
        },
        ..options()
    };
    let (summary, _) = run_with(&server, once, fetching(temp.path(), "/a")).await;
    assert!(only_error(&summary).is_transient());
    assert_eq!(
        leftovers(temp.path()),
        [".a.ftpc-part", ".a.ftpc-part.json"]
    );
    drop(server);

    // The same bytes on another port are another server: from the beginning.
    let server = fake.start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("REST"), 0);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    assert_eq!(leftovers(temp.path()), ["a"]);
}

#[tokio::test]
async fn a_part_whose_end_differs_is_thrown_away() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(300_000);
    let server = Fake::default().file("/a", content.clone()).start();
    let endpoint = format!("127.0.0.1:{}", server.address.port());
    let mut part = content[..200_000].to_vec();
    part[199_000] ^= 1;
    fs::write(temp.path().join(".a.ftpc-part"), part).unwrap();
    let note =
        format!(r#"{{"endpoint":"{endpoint}","path":"/a","size":300000,"modified":1704164645}}"#);
    fs::write(temp.path().join(".a.ftpc-part.json"), note).unwrap();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("REST"), 1);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
}

#[tokio::test]
async fn the_note_of_a_part_is_written_through_no_link() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", noise(300_000)).start();
    fs::write(temp.path().join("important"), "only").unwrap();
    let note = temp.path().join(".a.ftpc-part.json");
    std::os::unix::fs::symlink("important", note).unwrap();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("important")).unwrap(), b"only");
    assert_eq!(leftovers(temp.path()), ["a", "important"]);
}

#[tokio::test]
async fn a_stop_keeps_what_can_be_resumed() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(1_000_000);
    let server = Fake::default()
        .file("/a", content)
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("150 ok");
                let mut data = session.data();
                let content = session.content("/a").unwrap();
                let _ = data.write_all(&content[..500_000]);
                // Then nothing, until the client goes.
                use std::io::Read;
                let _ = data.read(&mut [0]);
                session.say("426 gone");
                true
            }
        })
        .start();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let cancel = Cancel::default();
    let engine = Engine::new(
        Arc::new(server.dialer()),
        options(),
        Events::new(sender),
        cancel.clone(),
    );
    let stop = async {
        while let Some(event) = receiver.recv().await {
            if matches!(event, Event::Advanced { bytes: 500_000, .. }) {
                cancel.stop();
            }
        }
    };
    let summary = tokio::select! {
        summary = engine.run(fetching(temp.path(), "/a")) => summary,
        () = stop => unreachable!("the engine holds the sender"),
    };
    assert!(summary.interrupted);
    assert_eq!(
        fs::metadata(temp.path().join(".a.ftpc-part"))
            .unwrap()
            .len(),
        500_000
    );
    assert!(!temp.path().join("a").exists());
}
