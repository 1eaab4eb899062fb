//! Uploads under the final name, where the server takes no part: what was there is not lost to them.

use std::{
    io::Read as _,
    sync::atomic::{AtomicBool, Ordering},
};

use ftpc::{
    error::{Error, RemoteError},
    event::{Event, Events},
    transfer::{Cancel, Engine, Summary},
};

use crate::{
    fake::{Fake, Running, Session},
    noise, only_error, options, run, run_with, sending,
};

/// As vsftpd on a full disk: no new file, and an old one is emptied before its bytes find no room.
fn is_full(session: &mut Session, line: &str) -> bool {
    let Some(path) = line.strip_prefix("STOR ") else {
        return false;
    };
    if session.content(path).is_none() && path.ends_with("-part") {
        session.say("553 Could not create file.");
        return true;
    }
    session.say("150 go");
    let _ = session.data().read_to_end(&mut Vec::new());
    session.put(path, b"ne");
    session.say("451 Failure writing to local file.");
    true
}

#[tokio::test]
async fn a_full_disk_costs_no_old_file() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "old").hook(is_full).start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    assert_eq!(
        error.to_string(),
        "STOR `/a`: 451 Failure writing to local file."
    );
    assert_eq!(server.content("/a").unwrap(), b"old");
    assert_eq!(server.names(), ["/a"]);
}

/// One that has no SIZE and no MLST, and renames over nothing.
#[tokio::test]
async fn a_full_disk_of_a_small_server_costs_no_old_file() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .feat(&[])
        .hook(|session, line| {
            let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
            let refusal = match verb {
                "SIZE" | "MLST" | "MLSD" => "502 not here",
                "CWD" if session.content(path).is_some() => "550 no directory",
                "RNTO" if session.content(path).is_some() => "553 exists",
                "LIST" => {
                    let files = session.files.lock().unwrap().clone();
                    let line = |(path, _): (String, _)| {
                        format!("-rw-r--r-- 1 a a 3 Jan 2 2024 {}\r\n", &path[1..])
                    };
                    return session.sends(files.into_iter().map(line).collect::<String>());
                }
                _ => return is_full(session, line),
            };
            session.say(refusal);
            true
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let told = only_error(&summary).chain();
    assert!(told.contains("451 Failure writing"), "{told}");
    assert_eq!(server.content("/a").unwrap(), b"old", "{told}");
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn without_an_old_file_what_broke_off_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().hook(is_full).start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let told = only_error(&summary).chain();
    let words = "what the server has as `/a` is not whole: STOR `/a`: 451";
    assert!(told.starts_with(words), "{told}");
}

/// Takes files by their final names alone.
fn by_final_name() -> Fake {
    Fake::default().file("/a.jpg", "old").hook(|session, line| {
        let refuses = line.starts_with("STOR") && !line.ends_with(".jpg");
        let is_long = line.starts_with("RNTO") && line.len() > 30;
        (refuses || is_long) && {
            session.say("553 no such name here");
            true
        }
    })
}

#[tokio::test]
async fn an_old_file_goes_aside_by_a_short_name_and_then_for_good() {
    let temp = tempfile::tempdir().unwrap();
    let server = by_final_name().start();
    let plan = sending(temp.path(), "a", b"new", "/a.jpg");
    let (summary, events) = run_with(&server, options(), plan).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a.jpg").unwrap(), b"new");
    assert_eq!(server.names(), ["/a.jpg"]);
    let told = events
        .iter()
        .any(|event| matches!(event, Event::Message { text } if text.contains("sent directly")));
    assert!(told, "{events:?}");
}

#[tokio::test]
async fn an_old_file_that_cannot_go_aside_is_not_written_over() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .hook(|session, line| {
            let refuses = line.starts_with("RN") || line.ends_with("-part");
            refuses && {
                session.say("553 no");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    let Error::NoPart { source, .. } = error else {
        panic!("{error:?}")
    };
    assert!(matches!(&**source, RemoteError::Refused { reply, .. } if reply.code == 553));
    assert!(error.to_string().contains("remove it first"), "{error}");
    assert!(!server.lines().contains(&"STOR /a".to_owned()));
    assert_eq!(server.content("/a").unwrap(), b"old");
}

#[tokio::test]
async fn a_part_that_was_stored_and_may_not_be_renamed_has_shown_that_there_is_room() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .answers("RNFR", "502 not here")
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.names(), ["/a"]);
}

/// As on Windows, where a scanner holds what has just been stored; then the server goes down in the direct upload.
#[tokio::test]
async fn a_part_that_is_only_held_costs_no_old_file() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .hook(|session, line| {
            let is_held = line.ends_with("-part") && !line.contains(".old.");
            if is_held && (line.starts_with("RNFR") || line.starts_with("DELE")) {
                session.say("550 it is being used by another process");
                return true;
            }
            line == "STOR /a" && {
                session.say("150 go");
                let _ = session.data().read_to_end(&mut Vec::new());
                session.put("/a", b"ne");
                session.say("451 going down");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let told = only_error(&summary).to_string();
    assert_eq!(told, "STOR `/a`: 451 going down");
    assert_eq!(server.content("/a").unwrap(), b"old");
}

/// Stops the run while the file comes under its final name.
async fn stopped(server: &Running, cancel: Cancel, content: &[u8]) -> String {
    let temp = tempfile::tempdir().unwrap();
    let plan = sending(temp.path(), "a", content, "/a");
    let dial = std::sync::Arc::new(server.dialer());
    let engine = Engine::new(dial, options(), Events::silent(), cancel);
    let summary = engine.run(plan).await;
    only_error(&summary).chain()
}

#[tokio::test]
async fn a_stop_in_the_middle_brings_the_old_file_back() {
    for has_old in [true, false] {
        let (cancel, once) = (Cancel::default(), AtomicBool::new(false));
        let stop = cancel.clone();
        let mut fake = Fake::default();
        if has_old {
            fake = fake.file("/a", "old");
        }
        let server = fake
            .hook(move |session, line| {
                if line.ends_with("-part") && line.starts_with("STOR") {
                    session.say("553 no");
                    return true;
                }
                line == "STOR /a" && !once.swap(true, Ordering::SeqCst) && {
                    session.say("150 go");
                    let mut data = session.data();
                    let _ = data.read_exact(&mut [0; 1000]);
                    session.put("/a", &[0; 1000]);
                    stop.stop();
                    let _ = data.read_to_end(&mut Vec::new());
                    session.say("426 gone");
                    true
                }
            })
            .start();
        let told = stopped(&server, cancel, &noise(8 << 20)).await;
        if has_old {
            assert_eq!(told, "interrupted");
            assert_eq!(server.content("/a").unwrap(), b"old");
        } else {
            let words = "what the server has as `/a` is not whole: interrupted";
            assert_eq!(told, words);
        }
        assert_eq!(server.names(), ["/a"]);
    }
}

/// Commits what came of the first upload, whose data connection has ended early, and refuses all that follow.
#[tokio::test]
async fn what_a_server_that_commits_whole_files_has_of_a_cut_one_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let is_cut = AtomicBool::new(false);
    let fake = Fake::default().file("/a", "old");
    let server = fake
        .feat(&["X-ATOMIC-STOR", "SIZE", "MLST type*;size*;"])
        .hook(move |session, line| {
            if line.starts_with("LIST") {
                session.say("502 no");
                return true;
            }
            let Some(path) = line.strip_prefix("STOR ") else {
                return false;
            };
            session.say("150 go");
            let _ = session.data().read_to_end(&mut Vec::new());
            if is_cut.swap(true, Ordering::SeqCst) {
                session.say("426 broken");
            } else {
                session.put(path, b"ne");
                session.say("226 stored");
            }
            true
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let told = only_error(&summary).chain();
    let words = "what the server has as `/a` is not whole: STOR `/a.";
    assert!(told.starts_with(words), "{told}");
    assert_eq!(server.content("/a").unwrap(), b"ne");
}

/// As vsftpd over a data connection that never reaches it: it makes the file, and waits before its 150.
fn hung(session: &mut Session, line: &str) -> bool {
    if line.starts_with("STOR") && line.ends_with("-part") {
        session.say("553 no such name here");
        return true;
    }
    line == "STOR /a" && {
        session.put("/a", b"");
        session.wait();
        true
    }
}

async fn sent_to_the_hung(server: &Running, attempts: u32) -> Summary {
    let temp = tempfile::tempdir().unwrap();
    let mut dialer = server.impatient(|limits| &mut limits.reply);
    dialer.deadlines.data_connect = dialer.deadlines.reply;
    let mut options = options();
    options.backoff.attempts = attempts;
    let (dial, cancel) = (std::sync::Arc::new(dialer), Cancel::default());
    let engine = Engine::new(dial, options, Events::silent(), cancel);
    let summary = engine.run(sending(temp.path(), "a", b"new", "/a")).await;
    engine.close().await;
    summary
}

#[tokio::test]
async fn an_upload_that_the_server_never_began_brings_the_old_file_back() {
    let server = Fake::default().file("/a", "old").hook(hung).start();
    let summary = sent_to_the_hung(&server, 1).await;
    let told = only_error(&summary).chain();
    assert!(told.starts_with("no answer for"), "{told}");
    assert_eq!(server.content("/a").unwrap(), b"old");
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn what_the_server_never_began_goes_before_the_next_try() {
    let is_held = AtomicBool::new(false);
    let fake = Fake::default().file("/a", "old");
    let server = fake
        .hook(move |session, line| {
            // The dead session locks the file that it has made, not another of this name.
            let is_locked = line != "STOR /a" || session.content("/a").is_some();
            let hangs = is_locked || !is_held.swap(true, Ordering::SeqCst);
            hangs && hung(session, line)
        })
        .start();
    let summary = sent_to_the_hung(&server, 3).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.names(), ["/a"]);
    assert_eq!(
        server
            .lines()
            .iter()
            .filter(|line| *line == "STOR /a")
            .count(),
        2
    );
}
