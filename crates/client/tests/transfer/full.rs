//! Uploads to a server whose disk is full: what it has already is not lost to them.

use std::sync::atomic::{AtomicBool, Ordering};

use ftpc::error::Error;

use crate::{fake::Fake, only_error, resume_up::cut_upload, run, sending};

#[tokio::test]
async fn a_refusal_at_the_end_of_a_part_is_no_reason_to_write_over_the_file_there() {
    for reply in ["550 ENOSPC", "553 no room", "500 write failed"] {
        let temp = tempfile::tempdir().unwrap();
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |session, line| {
                line.starts_with("STOR") && line.ends_with("-part") && {
                    // What came stays there, as much as found room.
                    session.say("150 go");
                    let mut data = session.data();
                    let mut bytes = Vec::new();
                    std::io::Read::read_to_end(&mut data, &mut bytes).unwrap();
                    let path = line.split_once(' ').unwrap().1.to_owned();
                    session.files.lock().unwrap().insert(path, bytes);
                    session.say(reply);
                    true
                }
            })
            .start();
        let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
        let error = only_error(&summary).to_string();
        assert!(
            error.starts_with("STOR `/a") && error.ends_with(reply),
            "{error}"
        );
        let lines = server.lines();
        assert!(!lines.contains(&"STOR /a".to_owned()), "{lines:?}");
        assert_eq!(server.count("STOR"), 1, "nothing is sent twice");
        assert_eq!(server.content("/a").unwrap(), b"old");
        assert_eq!(server.names(), ["/a"]);
    }
}

#[tokio::test]
async fn a_part_whose_rest_does_not_fit_stays() {
    const PART: usize = 17 << 20;
    let temp = tempfile::tempdir().unwrap();
    let is_cut = AtomicBool::new(false);
    let server = Fake::default()
        .feat(&["AVBL", "SIZE", "REST STREAM"])
        .hook(move |session, line| {
            if line.starts_with("AVBL") {
                let free = if is_cut.load(Ordering::SeqCst) {
                    9
                } else {
                    1_u64 << 40
                };
                session.say(&format!("213 {free}"));
                return true;
            }
            line.starts_with("STOR") && !is_cut.swap(true, Ordering::SeqCst) && {
                cut_upload(session, line, PART);
                true
            }
        })
        .start();
    // The try behind the one that was cut, and another run.
    for _ in 0..2 {
        let plan = sending(temp.path(), "a", &vec![7; 40 << 20], "/a");
        let file = std::fs::File::options()
            .write(true)
            .open(temp.path().join("a"));
        file.unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let summary = run(&server, plan).await;
        let error = only_error(&summary);
        assert!(matches!(error, Error::NoRoom { .. }), "{error}");
        let names = server.names();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(server.content(&names[0]).unwrap().len(), PART);
    }
    assert_eq!((server.count("STOR"), server.count("DELE")), (1, 0));
}

/// What a server says at once to the command that goes on, and would say to any other, is no word about the offset.
#[tokio::test]
async fn a_part_that_is_refused_for_room_or_rights_stays_and_the_refusal_is_told() {
    for (reply, tries) in [
        ("452 no", 1),
        ("552 no", 1),
        ("550 No space left on device", 1),
        ("550 Permission denied", 1),
        ("553 Could not create file", 1),
        ("530 Not logged in", 1),
        ("532 Need an account", 1),
        ("451 Disk quota exceeded", 4),
        ("425 no data connection", 4),
    ] {
        for (verb, feat) in [("STOR", "REST STREAM"), ("APPE", "UTF8")] {
            let temp = tempfile::tempdir().unwrap();
            let is_cut = AtomicBool::new(false);
            let server = Fake::default()
                .feat(&["SIZE", feat])
                .file("/a", "old")
                .hook(move |session, line| {
                    let is_upload = line.starts_with("STOR") || line.starts_with("APPE");
                    is_upload && {
                        session.rest = 0;
                        match is_cut.swap(true, Ordering::SeqCst) {
                            true => session.say(reply),
                            false => cut_upload(session, line, 100_000),
                        }
                        true
                    }
                })
                .start();
            let content = vec![7; 200_000];
            let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
            let error = only_error(&summary).to_string();
            let is_told = error.starts_with(verb) && error.ends_with(reply);
            assert!(is_told, "{feat}: {error}");
            let names = server.names();
            assert_eq!(names.len(), 2, "{reply} {feat}: {names:?}");
            assert_eq!(server.content(&names[1]).unwrap().len(), 100_000);
            assert_eq!(server.content("/a").unwrap(), b"old");
            let sent = server.count("STOR") + server.count("APPE");
            assert_eq!((sent, server.count("DELE")), (1 + tries, 0), "{reply}");
        }
    }
}

#[tokio::test]
async fn a_file_is_not_sent_to_its_name_where_its_part_finds_no_room() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .hook(|session, line| {
            let is_part = line.starts_with("STOR") && line.ends_with("-part");
            if is_part {
                session.say("550 No space left on device");
            }
            is_part
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary).to_string();
    assert!(error.ends_with("550 No space left on device"), "{error}");
    assert_eq!(server.count("STOR"), 1, "{:?}", server.lines());
    assert_eq!(server.content("/a").unwrap(), b"old");
}

/// A server that commits whole files tells how much it keeps with the refusal of an offset, unless something
/// else is refused first.
#[tokio::test]
async fn a_lack_of_room_is_not_taken_for_a_server_that_keeps_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let full = AtomicBool::new(true);
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "SIZE", "REST STREAM"])
        .hook(move |session, line| {
            let is_full = line.starts_with("STOR") && full.swap(false, Ordering::SeqCst);
            if is_full {
                session.rest = 0;
                session.say("452 not enough room");
            }
            is_full
        })
        .start();
    let content = vec![7; 17 << 20];
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    let error = only_error(&summary).to_string();
    assert!(error.ends_with("452 not enough room"), "{error}");
    assert_eq!(server.count("STOR"), 1, "{:?}", server.lines());
}

#[tokio::test]
async fn bytes_of_a_file_that_failed_are_not_in_the_total() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("STOR /bad") && {
                session.say("150 go");
                let mut data = session.data();
                std::io::Read::read_to_end(&mut data, &mut Vec::new()).unwrap();
                session.say("550 no");
                true
            }
        })
        .start();
    let mut plan = sending(temp.path(), "good", &[7; 1000], "/good");
    let bad = sending(temp.path(), "bad", &[7; 500_000], "/bad");
    plan.push(bad.steps.into_iter().next().unwrap());
    let summary = run(&server, plan).await;
    only_error(&summary);
    assert_eq!((summary.files, summary.bytes), (1, 1000));
}
