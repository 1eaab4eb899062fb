//! Servers that say `202 Command not implemented` of what they did not do.

use std::fs;

use crate::{
    fake::{Fake, Running},
    says, write,
};

/// A server that answers these verbs by 202, and does nothing.
fn ignoring(verbs: &'static [&'static str]) -> Running {
    let fake = Fake::default().file("t/a", "old").file("t/d/", "");
    let ignoring = fake.hook(|session, line| {
        let is_ignored = verbs.contains(&line.split(' ').next().unwrap_or_default());
        if is_ignored {
            session.say("202 Command not implemented");
        }
        is_ignored
    });
    ignoring.start()
}

#[test]
fn what_a_server_did_not_do_is_not_told_as_done() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = ignoring(&["DELE", "RMD", "MKD", "RNFR", "SITE"]);
    write(here, "empty/x", "x");
    fs::remove_file(here.join("empty/x")).unwrap();
    let asks: [&[&str]; 6] = [
        &["rm", "@/t/a"],
        &["rmdir", "@/t/d"],
        &["mkdir", "@/t/new"],
        &["mv", "@/t/a", "@/t/b"],
        &["chmod", "600", "@/t/a"],
        &["sync", "--delete", "--yes", "empty", "@/t"],
    ];
    for args in asks {
        says(here, &server, args, 6, "202 Command not implemented");
    }
    assert_eq!(server.names(), ["t/a", "t/d/"]);
}

#[test]
fn an_original_stays_where_the_server_has_its_part_only() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "b", "only copy");
    let put = ["put", "--move", "b", "@/"];
    let server = ignoring(&["RNTO", "DELE"]);
    says(here, &server, &put, 6, "RNTO `b`: 202");
    assert!(here.join("b").exists() && server.content("b").is_none());

    // One that renames nothing may take the file under its own name.
    let server = ignoring(&["RNFR", "DELE"]);
    says(here, &server, &put, 0, "it stays");
    assert_eq!(server.content("b").unwrap(), b"only copy");
    assert!(!here.join("b").exists());
}

#[test]
fn a_listing_is_asked_for_in_another_way() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let fake = Fake::default().file("a", "content");
    let server = fake.hook(|session, line| match line.split(' ').next() {
        Some("MLSD" | "MLST" | "NOOP") => {
            session.say("202 Command not implemented");
            true
        }
        Some("LIST") => session.sends("-rw-r--r-- 1 a a 7 Jan 1 2024 a\r\n"),
        Some("CWD") if line == "CWD a" => {
            session.say("550 a file");
            true
        }
        _ => false,
    });
    let server = server.start();
    says(here, &server, &["get", "-r", "@/", "all"], 0, "");
    assert_eq!(fs::read(here.join("all/a")).unwrap(), b"content");
    says(here, &server, &["get", "@/a"], 0, "");
    assert_eq!(fs::read(here.join("a")).unwrap(), b"content");
}
