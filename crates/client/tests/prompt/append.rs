//! `append`, and what the server makes of it.

use std::fs;

use crate::{fake::Fake, run, url};

fn words_of(server: Fake, code: i32) -> String {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("more"), "+ten bytes").unwrap();
    let server = server.start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], "append more log\n");
    assert_eq!(ran.status.code(), Some(code), "{ran:?}");
    assert_eq!(server.count("APPE"), 1, "{:?}", server.lines());
    let said = String::from_utf8(ran.stderr).unwrap();
    said.split_once("ready\n").unwrap().1.to_owned()
}

#[test]
fn what_a_server_has_after_an_append_is_told_where_it_is_not_both() {
    let replaces = |file: &'static str| {
        Fake::default().file("/log", file).hook(|session, line| {
            if let Some(path) = line.strip_prefix("APPE ") {
                session.files.lock().unwrap().remove(path);
            }
            false
        })
    };
    assert_eq!(
        words_of(replaces("the only copy"), 6),
        "ftpc: `/log`: the server replaced the file instead of appending to it; it had 13 bytes, \
         10 were sent, and now it has 10\n"
    );
    let loses = Fake::default().file("/log", "old").hook(|session, line| {
        line.starts_with("APPE") && {
            session.say("150 go");
            std::io::copy(&mut session.data(), &mut std::io::sink()).unwrap();
            session.say("226 stored");
            true
        }
    });
    assert_eq!(
        words_of(loses, 6),
        "ftpc: `/log`: the server did not append what was sent, or somebody else changed the file; \
         it had 3 bytes, 10 were sent, and now it has 3\n"
    );
}

#[test]
fn an_append_that_is_whole_or_of_untold_size_is_done() {
    assert_eq!(words_of(Fake::default().file("/log", "old"), 0), "");
    assert_eq!(words_of(Fake::default(), 0), "");
    let untold = Fake::default()
        .file("/log", "old")
        .answers("SIZE", "502 no");
    assert_eq!(words_of(untold, 0), "");
}

#[test]
fn a_session_closed_behind_an_append_is_no_reason_not_to_look() {
    let closes = Fake::default().file("/log", "old").hook(|session, line| {
        let Some(path) = line.strip_prefix("APPE ") else {
            return false;
        };
        session.files.lock().unwrap().remove(path);
        session.store(path, 0);
        session.hang_up();
        true
    });
    assert!(words_of(closes, 6).contains("the server replaced the file"));
}
