//! Servers that tell nothing of a name, and list nothing.

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

/// A server that lists no name that begins with a dot (vsftpd with `hide_file={.*}`).
fn hiding(feat: &[&'static str]) -> Fake {
    let fake = Fake::default().feat(feat).file("t/a", "1");
    let fake = fake.file("t/.kept", "1").file("t/.dir/x", "1");
    fake.hook(|session, line| match line {
        "MLSD t" => session.sends("type=file;size=1;modify=20240102030405; a\r\n"),
        "LIST -a" | "LIST" => session.sends("2024-01-02 03:04 1 a\r\n"),
        "CWD t/.gone" | "CWD t/.kept" => {
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
        for name in ["t/.kept", "t/.dir/x", "t/.gone", "t/gone"] {
            write(here, name, "only copy");
        }
        let server = hiding(feat).start();
        let sync = ["sync", "--delete", "--yes", "@/t", "t"];
        let dry = [&sync[..], &["--dry-run"]].concat();
        says(here, &server, &dry, 0, "2 to remove");
        let words = "left out: .kept: the server does not list it";
        says(here, &server, &sync, 0, words);
        for (name, stays) in [("t/.kept", true), ("t/.dir/x", true), ("t/.gone", false)] {
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
