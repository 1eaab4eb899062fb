//! A server that keeps no blanks at the beginning of a name.

use std::fs;

use crate::{
    fake::{Fake, Running},
    says, write,
};

fn stripping() -> Running {
    let server = Fake::default().hook(|session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let kept = path.trim_start().replace("/ ", "/");
        kept != path && session.answer(&format!("{verb} {kept}"))
    });
    server.start()
}

#[test]
fn of_two_names_that_are_one_without_a_blank_the_second_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "m/ x", "first");
    write(here, "m/x", "other");
    let words = "`x`: it is much like ` x`, and the server's disk takes them for one";
    let put = ["put", "-r", "m", "@/"];
    let server = stripping();
    says(here, &server, &put, 1, words);
    assert_eq!(server.content("m/x").unwrap(), b"first");
    let put = ["put", "-r", "--move", "m", "@/"];
    says(here, &stripping(), &put, 1, words);
    assert_eq!(fs::read(here.join("m/x")).unwrap(), b"other");
    // A server that keeps them takes both.
    write(here, "m/ x", "first");
    let server = Fake::default().start();
    says(here, &server, &put, 0, "");
    assert_eq!(server.names(), ["m/", "m/ x", "m/x"]);
}

#[test]
fn sync_sends_the_first_and_no_other_over_it() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "m/ x", "first");
    write(here, "m/x", "other");
    let server = stripping();
    for _ in 0..2 {
        let words = "the target's disk takes them for one";
        says(here, &server, &["sync", "m", "@/m"], 1, words);
        assert_eq!(server.content("m/x").unwrap(), b"first");
    }
    let server = Fake::default().start();
    says(here, &server, &["sync", "m", "@/m"], 0, "");
    assert_eq!(server.content("m/x").unwrap(), b"other");
}
