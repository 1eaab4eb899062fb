//! Servers that tell nothing of a name, and list nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use ftpc::remote::{Dial as _, Listing};

use crate::{fake::Fake, says, write};

/// A server without MLST and SIZE that answers LIST so, and has one directory.
fn telling_nothing(refusal: &'static str) -> Fake {
    let fake = Fake::default().feat(&["UTF8"]).file("d/small", "content");
    fake.hook(move |session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match verb {
            "SIZE" | "MDTM" | "MLST" | "MLSD" => "502 not here",
            "CWD" if !matches!(path, "/" | "." | "d") => "550 no directory",
            "LIST" if refusal.is_empty() => return session.sends(""),
            "LIST" => refusal,
            _ => return false,
        };
        session.say(answer);
        true
    })
}

#[test]
fn a_refused_listing_does_not_tell_that_nothing_is_there() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let refusal = "550 data encoding must be set to utf8 for listing";
    let invented = "no such file";
    let server = telling_nothing(refusal).start();
    let asks: [&[&str]; 3] = [
        &["get", "@/d/small", "."],
        &["ls", "@/d/small"],
        &["rm", "@/d/small"],
    ];
    for args in asks {
        let said = says(here, &server, args, 6, &format!("LIST `d`: {refusal}"));
        assert!(!said.contains(invented), "{said}");
    }
    assert!(server.content("d/small").is_some());
    // Such a server takes a new name all the same, and says itself that a directory is none.
    says(here, &server, &["mv", "@/d/small", "@/d/new"], 0, "");
    says(here, &server, &["get", "@/none/x", "."], 6, invented);
    // One that lists without it says that it is not there.
    let server = telling_nothing("").start();
    says(here, &server, &["get", "@/d/none", "."], 6, invented);
}

/// A server that lists neither names that begin with a dot nor keys (vsftpd with `hide_file={.*,*.key}`).
fn hiding(feat: &[&'static str]) -> Fake {
    let fake = Fake::default().feat(feat).file("t/a", "1");
    let fake = fake.file("t/.kept", "1").file("t/.dir/x", "1");
    let fake = fake.file("t/my.key", "1");
    fake.hook(|session, line| match line {
        "MLSD t" => session.sends("type=file;size=1;modify=20240102030405; a\r\n"),
        "LIST -a" | "LIST" => session.sends("2024-01-02 03:04 1 a\r\n"),
        "CWD t/.gone" | "CWD t/.kept" | "CWD t/gone" | "CWD t/my.key" => {
            session.say("550 no directory");
            true
        }
        _ => false,
    })
}

#[test]
fn sync_does_not_remove_here_what_the_server_hides() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for feat in [&["MLST type*;size*;modify*;", "SIZE"][..], &["SIZE"]] {
        for name in ["t/.kept", "t/.dir/x", "t/.gone", "t/gone", "t/my.key"] {
            write(here, name, "only copy");
        }
        let server = hiding(feat).start();
        let sync = ["sync", "--delete", "--yes", "@/t", "t"];
        let dry = [&sync[..], &["--dry-run"]].concat();
        says(here, &server, &dry, 0, "2 to remove");
        let words = "left out: .kept: the server does not list it";
        says(here, &server, &sync, 0, words);
        for (name, stays) in [
            ("t/.kept", true),
            ("t/.dir/x", true),
            ("t/my.key", true),
            ("t/.gone", false),
        ] {
            assert_eq!(
                here.join(name).exists(),
                stays,
                "{name}: {:?}",
                server.lines()
            );
        }
        assert!(!here.join("t/gone").exists() && here.join("t/a").exists());
    }
}

#[test]
fn a_listing_without_its_total_is_not_that_of_an_empty_directory() {
    let fake = Fake::default().feat(&["SIZE"]).file("t/sub/y", "1");
    let inside = AtomicBool::new(false);
    // As `ls` in a child says it, whose complaint goes elsewhere (busybox).
    let server = fake.hook(move |session, line| match line {
        "CWD t/sub" => {
            inside.store(true, Ordering::SeqCst);
            false
        }
        "LIST -a" | "LIST" if inside.swap(false, Ordering::SeqCst) => {
            inside.store(line == "LIST -a", Ordering::SeqCst);
            session.sends("")
        }
        "LIST -a" | "LIST" => session.sends("total 4\r\ndrwx--x--x 2 o g 4096 Jan 2 2024 sub\r\n"),
        _ => false,
    });
    let server = server.start();
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/sub/x", "only copy");
    let words = "not even the `total` of an empty one";
    says(here, &server, &["get", "-r", "@/t", "g"], 1, words);
    let sync = ["sync", "--delete", "--yes", "@/t", "t"];
    says(here, &server, &sync, 1, words);
    assert!(here.join("t/sub/x").exists());
}

#[tokio::test]
async fn an_empty_directory_that_is_told_at_once_is_not_a_reply_of_before() {
    let late = AtomicBool::new(false);
    let fake = Fake::default().hook(move |session, line| {
        let words = match line {
            "MLSD late" => "226 done (again)",
            "MLSD empty" => "226 nothing in it",
            "PWD" if late.load(Ordering::SeqCst) => "150 here it comes",
            _ => return false,
        };
        late.store(line == "MLSD late", Ordering::SeqCst);
        session.say(words);
        true
    });
    let server = fake.start();
    let mut session = server.dialer().dial().await.unwrap();
    let listing = session.list("empty").await.unwrap();
    assert_eq!(listing, Listing::default());
    let error = session.list("late").await.unwrap_err().to_string();
    let words = "MLSD: the server is out of step: `226 done (again)`";
    assert_eq!((error.as_str(), session.is_usable()), (words, false));
}
