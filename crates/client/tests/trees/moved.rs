//! A move that is given again.

use std::fs;

use crate::{fake::Fake, says, write};

#[test]
fn a_move_that_is_given_again_goes_on_with_what_is_left() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default().start();
    write(here, "b", "b");
    let words = "what is not here (a run of before may have moved it)";
    says(here, &server, &["put", "--move", "a", "b", "@/"], 1, words);
    assert_eq!(server.content("b").unwrap(), b"b");
    assert!(!here.join("b").exists());
    // The name of one that has gone is not given to another, whose original would go.
    write(here, "b", "new");
    let said = says(
        here,
        &server,
        &["put", "--move", "b", "a"],
        2,
        "`a` is not here",
    );
    assert!(
        said.contains("say behind the files where they go"),
        "{said}"
    );
    let tree = ["put", "-r", "--move", "b", "a/"];
    says(here, &server, &tree, 2, "`a/` is not here");
    assert!(here.join("b").exists() && server.content("a").is_none());
    fs::remove_file(here.join("b")).unwrap();
    // With none left there is nothing to go on with, and without --move a missing file is a slip.
    says(here, &server, &["put", "--move", "a", "b", "@/"], 7, "`a`");
    write(here, "b", "new");
    says(here, &server, &["put", "a", "b", "@/"], 7, "`a`");
    assert_eq!(server.content("b").unwrap(), b"b");
}

#[test]
fn a_part_is_not_sent_with_a_tree_that_would_come_back_without_it() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default().start();
    write(here, "t/a", "a");
    write(here, "t/x.ftpc-part", "x");
    let put = ["put", "-r", "--move", "t", "@/"];
    says(here, &server, &put, 1, "x.ftpc-part: a part of a transfer");
    assert!(here.join("t/x.ftpc-part").exists() && !here.join("t/a").exists());
    // Named, it is meant.
    says(here, &server, &["put", "t/x.ftpc-part", "@/"], 0, "");
}

/// What the new directory was to hold may be what would be removed.
#[test]
fn a_directory_that_cannot_be_made_lets_nothing_go() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let fake = Fake::default().file("t/old", "only");
    let fake = fake.answers("MKD t/new", "550 permission denied");
    fs::create_dir_all(here.join("t/new")).unwrap();
    let server = fake.clone().start();
    let words = "MKD `t/new`: 550 permission denied";
    says(here, &server, &["sync", "--delete", "t", "@/t"], 1, words);
    assert_eq!(server.names(), ["t/old"]);
    let words = "a directory of it could not be made";
    says(here, &server, &["put", "-r", "--move", "t", "@/"], 1, words);
    assert!(here.join("t/new").is_dir());
}
