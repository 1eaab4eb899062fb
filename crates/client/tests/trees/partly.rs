//! Servers that show or serve a part only.

use std::{
    fs,
    io::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{fake::Fake, ftpc, says, write};

/// A server whose `t/locked` may not be listed.
fn with_locked() -> Fake {
    let fake = Fake::default().file("t/locked/x", "x");
    fake.file("t/open", "open").hook(|session, line| {
        let locked = line == "MLSD t/locked";
        if locked {
            session.say("550 permission denied");
        }
        locked
    })
}

#[test]
fn one_directory_that_is_not_listed_does_not_stop_the_others() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = with_locked().start();
    let words = "`locked`: MLSD `t/locked`: 550 permission denied";
    says(here, &server, &["get", "-r", "@/t"], 1, words);
    assert_eq!(fs::read(here.join("t/open")).unwrap(), b"open");
    write(here, "t/locked/mine", "only");
    write(here, "t/old", "old");
    says(here, &server, &["sync", "--delete", "@/t", "t"], 1, words);
    assert!(here.join("t/locked/mine").exists() && !here.join("t/old").exists());
    says(here, &server, &["find", "@/t"], 1, words);
    let words = "`locked`: the target cannot be read there";
    says(here, &server, &["sync", "t", "@/t"], 1, words);
    assert_eq!(server.count("STOR"), 0);
}

#[test]
fn a_refusal_that_names_an_empty_thing_is_no_empty_directory() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default()
        .file("t/empty-nest/egg", "x")
        .answers("MLSD t/empty-nest", "550 t/empty-nest: permission denied")
        .start();
    write(here, "t/empty-nest/egg", "only");
    let words = "`empty-nest`: MLSD";
    says(here, &server, &["sync", "--delete", "@/t", "t"], 1, words);
    assert!(here.join("t/empty-nest/egg").exists());
}

#[test]
fn a_listing_that_the_server_cuts_short_is_told_and_nothing_is_concluded_from_it() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default()
        .file("t/a", "a")
        .hook(|session, line| {
            line == "MLSD t" && {
                session.say("150 here it comes");
                let mut data = session.data();
                data.write_all(b"type=file;size=1; a\r\n").unwrap();
                drop(data);
                session.say("226-Options: -a -l ");
                session.say("226 Output truncated to 1 matches");
                true
            }
        })
        .start();
    write(here, "t/b", "only");
    let words = "left out names that the server did not list: 226";
    says(here, &server, &["sync", "--delete", "@/t", "t"], 1, words);
    assert!(here.join("t/a").exists() && here.join("t/b").exists());
    let words = "the server left entries out: 226";
    says(here, &server, &["ls", "@/t"], 1, words);
    // What a pattern matches may be among them.
    let words = "left out names that the server did not list: 226";
    says(here, &server, &["ls", "@/t/*"], 1, words);
    says(here, &server, &["get", "@/t/*", "-o", "-"], 1, words);
    says(here, &server, &["get", "@/t/*", "back/"], 1, words);
    assert!(here.join("back/a").exists());
    says(here, &server, &["rm", "@/t/*"], 1, words);
    assert_eq!(server.content("t/a"), None);
}

#[test]
fn a_pattern_tells_what_it_matches_and_cannot_name() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let rows = "type=file;size=1; a.txt\r\ntype=file;size=1; ../b.txt\r\n\
                type=file;size=1; ../`c`d.log\r\n";
    let server = Fake::default()
        .file("t/a.txt", "a")
        .hook(move |session, line| line == "MLSD t" && session.sends(rows))
        .start();
    // What it does not match is nobody's loss.
    says(here, &server, &["get", "@/t/a*", "c/"], 0, "");
    for line in [
        ["get", "@/t/*.txt"],
        ["ls", "@/t/*.txt"],
        ["rm", "@/t/*.txt"],
    ] {
        says(here, &server, &line, 1, "b.txt");
    }
    assert!(here.join("a.txt").exists());
    says(here, &server, &["get", "@/t/*.log"], 1, "`c`d.log");
}

#[test]
fn a_line_that_cannot_be_read_may_be_what_a_pattern_matches() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let asked = |pattern: &str, row: &'static str, code: i32, words: &str| {
        let server = Fake::default()
            .file("t/a.txt", "a")
            .hook(move |session, line| {
                let rows = format!("type=file;size=1; a.txt\r\n{row}\r\n");
                line == "MLSD t" && session.sends(rows)
            })
            .start();
        let get = ["get", "--force", pattern, "c/"];
        says(here, &server, &get, code, words);
    };
    asked(
        "@/t/*.txt",
        "type=file",
        1,
        "`type=file`: the line cannot be read",
    );
    assert!(here.join("c/a.txt").exists());
    // One that holds nothing like it is no loss.
    asked("@/t/*.txt", "volume is FLASH, b.log", 0, "");
    asked("@/t/*.log", "volume is FLASH, b.log", 1, "volume is FLASH");
    // A name stands anywhere.
    for row in [
        "b.txt 1234 bytes 2024",
        "B.txt;1 12 1-JAN-2024 10:00",
        "?rw-r--r-- b.txt -> /x/data",
        "-rwx b.txt*",
        "x b c.txt ",
        "?rw x /t/b.txt",
        "\"b.txt\", 5 bytes",
    ] {
        asked("@/t/*.txt", row, 1, "cannot be read");
    }
    asked("@/t/*=", "?rw-r--r-- 1 a b 3 Foo b=", 1, "cannot be read");
    asked("@/t/*;1", "?rw x b.dat;1", 1, "cannot be read");
}

#[test]
fn a_server_that_cannot_list_just_now_is_asked_again() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let refused = AtomicUsize::new(0);
    let server = Fake::default()
        .file("t/d/a", "a")
        .hook(move |session, line| {
            let first = |at| refused.fetch_add(1, Ordering::SeqCst) == at;
            (line == "MLSD t" && first(0) || line == "MLSD t/d" && first(1)) && {
                session.say("425 no port just now");
                true
            }
        })
        .start();
    says(here, &server, &["get", "-r", "@/t"], 0, "");
    assert_eq!(fs::read(here.join("t/d/a")).unwrap(), b"a");
}

#[test]
fn parts_of_uploads_are_not_left_out_without_a_word() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default()
        .file("t/mine.ftpc-part", "1")
        .file("t/a", "2")
        .start();
    let words = "left out: mine.ftpc-part: a part of a transfer";
    says(here, &server, &["get", "-r", "@/t"], 0, words);
}

#[test]
fn what_lies_beside_an_unreadable_directory_is_listed() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("t/a/x", "x")
        .file("t/b/y", "y")
        .file("t/c/z", "z")
        .answers("MLSD t/b", "550 permission denied")
        .start();
    let words = "left out `t/b`: MLSD: 550 permission denied";
    for args in [&["ls", "-R", "@/t"][..], &["--json", "ls", "-R", "@/t"]] {
        says(temp.path(), &server, args, 1, words);
        let out = ftpc(temp.path(), &server, args);
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(text.contains('x') && text.contains('z'), "{text}");
    }
}

#[test]
fn what_is_named_is_listed_whatever_its_name() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("d/.hid", "x")
        .file("d/one/f", "y")
        .file("d/f1", "1")
        .file("d/f2", "2")
        .start();
    let listed = |args: &[&str]| {
        let out = ftpc(temp.path(), &server, args);
        assert!(out.status.success(), "{args:?}: {out:?}");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    assert_eq!(listed(&["ls", "@/d/.hid"]), ".hid\n");
    assert_eq!(listed(&["ls", "@/d/.h*"]), ".hid\n");
    // A pattern that one directory matches means what it holds.
    assert_eq!(listed(&["ls", "@/d/on*"]), "f\n");
    let json = listed(&["--json", "ls", "@/d/f[12]"]);
    assert!(
        json.contains("\"d/f1\"") && json.contains("\"d/f2\""),
        "{json}"
    );
}

#[test]
fn sizes_without_measure_do_not_wrap() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("t/a", "").hook(|session, line| {
        line == "MLSD t" && {
            let row = |size: u64, name| format!("type=file;size={size}; {name}\r\n");
            session.sends(row(u64::MAX, "a") + &row(u64::MAX, "b") + &row(5, "c"))
        }
    });
    let server = server.start();
    let out = ftpc(temp.path(), &server, &["--json", "du", "@/t"]);
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(told.contains(&u64::MAX.to_string()), "{told} {out:?}");
}
