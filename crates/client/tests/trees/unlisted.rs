//! Servers that tell nothing of a name, and list nothing.

use crate::{fake::Fake, says};

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
