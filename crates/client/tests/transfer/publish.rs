//! The rename that gives an upload its name, with an answer that is lost or a part that is gone.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{fake::Fake, noise, run, sending};

#[tokio::test]
async fn a_rename_whose_answer_is_lost_is_not_done_twice() {
    let temp = tempfile::tempdir().unwrap();
    let lost = Arc::new(AtomicBool::new(false));
    let server = Fake::default()
        .hook(move |session, line| {
            line.starts_with("RNTO") && !lost.swap(true, Ordering::SeqCst) && {
                let mut files = session.files.lock().unwrap();
                let part = files
                    .keys()
                    .find(|name| name.ends_with("-part"))
                    .cloned()
                    .unwrap();
                let content = files.remove(&part).unwrap();
                files.insert("/a".to_owned(), content);
                drop(files);
                session.hang_up();
                true
            }
        })
        .start();
    let content = noise(100_000);
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("STOR"), 1);
    assert_eq!(server.content("/a").unwrap(), content);
}

#[tokio::test]
async fn a_part_that_somebody_takes_away_is_sent_again_and_the_file_there_stays_whole() {
    let temp = tempfile::tempdir().unwrap();
    let taken = AtomicBool::new(false);
    let server = Fake::default()
        .file("/a", "old, and of another content")
        .hook(move |session, line| {
            if line.starts_with("RNFR") && !taken.swap(true, Ordering::SeqCst) {
                let mut files = session.files.lock().unwrap();
                files.retain(|name, _| name == "/a");
            }
            false
        })
        .start();
    let content = noise(100_000);
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), content);
    let direct = server.lines().iter().any(|line| line == "STOR /a");
    assert!(!direct && server.count("STOR") == 2, "{:?}", server.lines());
}

#[tokio::test]
async fn an_old_file_of_the_same_size_is_not_taken_for_the_new_one() {
    // The server dies at the rename and has neither part nor new file when it is back.
    for (verb, feat) in [
        ("RNFR", "SIZE"),
        ("RNTO", "SIZE"),
        ("RNTO", "HASH SHA-256*"),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let lost = AtomicBool::new(false);
        let server = Fake::default()
            .feat(&[feat, "SIZE", "MDTM", "MFMT", "REST STREAM"])
            .file("/a", vec![b'o'; 100_000])
            .hook(move |session, line| {
                line.starts_with(verb) && !lost.swap(true, Ordering::SeqCst) && {
                    let mut files = session.files.lock().unwrap();
                    files.retain(|name, _| name == "/a");
                    drop(files);
                    session.hang_up();
                    true
                }
            })
            .start();
        let content = noise(100_000);
        let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
        assert!(summary.failed.is_empty(), "{verb} {:?}", summary.failed);
        assert_eq!(server.content("/a").unwrap(), content, "{verb} {feat}");
        assert_eq!(server.names(), ["/a"]);
    }
}

#[tokio::test]
async fn a_part_that_goes_while_it_is_written_is_no_reason_to_write_over_the_file_there() {
    let temp = tempfile::tempdir().unwrap();
    let taken = AtomicBool::new(false);
    let server = Fake::default()
        .file("/a", "whole, and of another content")
        .hook(move |session, line| {
            // Before the server has told its size.
            if line.ends_with("-part")
                && line.starts_with("SIZE")
                && session.content("/a").is_some()
            {
                let mut files = session.files.lock().unwrap();
                let stored = files.keys().any(|name| name.ends_with("-part"));
                if stored && !taken.swap(true, Ordering::SeqCst) {
                    files.retain(|name, _| name == "/a");
                }
            }
            false
        })
        .start();
    let content = noise(100_000);
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), content);
    let direct = server.lines().iter().any(|line| line == "STOR /a");
    assert!(!direct && server.count("STOR") == 2, "{:?}", server.lines());
}

/// What a server will not hash may be the old file.
#[tokio::test]
async fn without_the_hash_of_it_a_file_is_not_taken_for_the_new_one() {
    let temp = tempfile::tempdir().unwrap();
    let lost = AtomicBool::new(false);
    let server = Fake::default()
        .feat(&["HASH SHA-256*", "SIZE", "MDTM", "REST STREAM"])
        .file("/a", vec![b'o'; 100_000])
        .hook(move |session, line| {
            if line.starts_with("HASH") {
                session.say("550 not here");
                return true;
            }
            line.starts_with("RNTO") && !lost.swap(true, Ordering::SeqCst) && {
                session.files.lock().unwrap().retain(|name, _| name == "/a");
                session.hang_up();
                true
            }
        })
        .start();
    let content = noise(100_000);
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.content("/a").unwrap() == content);
}
