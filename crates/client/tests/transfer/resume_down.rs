//! Downloads that were cut and go on.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use ftpc::{event::Event, remote::Dial as _};

use crate::{cut_after, fake::Fake, fetching, leftovers, noise, options, run, run_with};

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

#[tokio::test]
async fn what_was_gone_on_with_is_of_one_state_of_the_file() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(500_000);
    let cut = AtomicBool::new(false);
    let server = Fake::default()
        .file("/a", content.clone())
        .feat(&["SIZE", "MDTM", "REST STREAM"])
        .hook(move |session, line| {
            let first = content.first().copied();
            match line {
                "RETR /a" if !cut.swap(true, Ordering::SeqCst) => {
                    cut_after(session, "/a", 0, 300_000);
                    // Of the same size, and equal where the part ends.
                    session.put("/a", &[&[!content[0]], &content[1..]].concat());
                }
                "MDTM /a"
                    if session.content("/a").and_then(|now| now.first().copied()) != first =>
                {
                    session.say("213 20250102030405");
                }
                _ => return false,
            }
            true
        })
        .start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.lines().iter().any(|line| line.starts_with("REST ")));
    assert!(fs::read(temp.path().join("a")).unwrap() == server.content("/a").unwrap());
    let told = events.iter().any(
        |event| matches!(event, Event::Message { text } if text.contains("from the beginning")),
    );
    assert!(told, "{events:?}");
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
