//! By which command an upload goes on: REST where it is promised, APPE, or from the beginning.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::resume_up::cut_upload;
use crate::{fake::Fake, noise, run, sending};

#[tokio::test]
async fn without_rest_an_upload_goes_on_by_appending() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(200_000);
    let cut = Arc::new(AtomicBool::new(false));
    let server = Fake::default()
        .hook(move |session, line| match line.split(' ').next().unwrap() {
            "REST" if line != "REST 34464" => {
                session.say("502 no");
                true
            }
            "STOR" if !cut.swap(true, Ordering::SeqCst) => {
                cut_upload(session, line, 100_000);
                true
            }
            _ => false,
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), content);
    assert_eq!(server.count("APPE"), 1);
}

#[tokio::test]
async fn an_upload_goes_on_by_rest_only_where_that_is_promised() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(200_000);
    let cut = Arc::new(AtomicBool::new(false));
    let server = Fake::default()
        .feat(&["SIZE"])
        .hook(move |session, line| {
            if !line.starts_with("STOR") {
                return false;
            }
            if cut.swap(true, Ordering::SeqCst) {
                let path = line.split_once(' ').unwrap().1.to_owned();
                // Opened anew, then written at the offset.
                let hole = vec![0; session.rest];
                session.files.lock().unwrap().insert(path, hole);
                return false;
            }
            cut_upload(session, line, 100_000);
            true
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.content("/a").unwrap() == content);
    assert_eq!((server.count("STOR"), server.count("APPE")), (1, 1));
}

#[tokio::test]
async fn a_server_that_takes_no_restart_and_replaces_nothing_gets_the_file_anew() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(200_000);
    let cut = AtomicBool::new(false);
    let server = Fake::default()
        .hook(move |session, line| {
            let Some((verb @ ("STOR" | "APPE" | "RETR"), path)) = line.split_once(' ') else {
                return false;
            };
            if verb == "APPE" || std::mem::take(&mut session.rest) > 0 {
                session.say("451 Append/Restart not permitted, try again");
                return true;
            }
            if verb == "RETR" {
                return false;
            }
            if session.content(path).is_some() {
                session.say("550 Overwrite permission denied");
                return true;
            }
            !cut.swap(true, Ordering::SeqCst) && {
                cut_upload(session, line, 100_000);
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), content);
    assert_eq!(server.names(), ["/a"]);
}

/// Bytes that are the same everywhere never show that what is there is another part of the file.
#[tokio::test]
async fn a_server_that_replaces_where_it_should_append_gets_the_file_anew() {
    let temp = tempfile::tempdir().unwrap();
    let content = vec![0; 300_000];
    let cut = AtomicBool::new(false);
    let server = Fake::default()
        .feat(&["SIZE"])
        .hook(move |session, line| {
            if let Some(path) = line.strip_prefix("APPE ") {
                session.files.lock().unwrap().remove(path);
            }
            let is_cut = line.starts_with("STOR") && !cut.swap(true, Ordering::SeqCst);
            if is_cut {
                cut_upload(session, line, 100_000);
            }
            is_cut
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.content("/a").unwrap() == content);
    assert_eq!(server.names(), ["/a"]);
    assert_eq!((server.count("STOR"), server.count("APPE")), (2, 1));
}

#[tokio::test]
async fn what_is_cut_while_it_goes_on_goes_on_again() {
    let temp = tempfile::tempdir().unwrap();
    let content = vec![0; 300_000];
    let cuts = AtomicUsize::new(0);
    let server = Fake::default()
        .feat(&["SIZE"])
        .hook(move |session, line| {
            let Some(("STOR" | "APPE", path)) = line.split_once(' ') else {
                return false;
            };
            let is_cut = cuts.fetch_add(1, Ordering::SeqCst) < 3;
            if is_cut {
                let mut head = session.content(path).unwrap_or_default();
                cut_upload(session, line, 70_000);
                head.resize(head.len() + 70_000, 0);
                session.files.lock().unwrap().insert(path.to_owned(), head);
            }
            is_cut
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.content("/a").unwrap() == content);
    assert_eq!((server.count("STOR"), server.count("APPE")), (1, 3));
}
