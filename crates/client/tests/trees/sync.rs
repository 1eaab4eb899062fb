//! What `sync` sends and removes, on either side.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{fake::Fake, ftpc, says, write};

/// A server on which `t` holds a file under a name that is no use here, and one to remove.
fn with_odd_name() -> Fake {
    Fake::default().file("t/a", "1").hook(|session, line| {
        if line != "MLSD t" {
            return false;
        }
        let facts = "type=file;size=1;modify=20240102030405;";
        session.sends(format!("{facts} a\r\n{facts} tab\tx\r\n"))
    })
}

#[test]
fn what_a_listing_cannot_name_is_not_removed_here() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/tab\tx", "only copy");
    let server = with_odd_name().start();
    let sync = ["sync", "--delete", "@/t", "t"];
    says(here, &server, &sync, 1, "it holds a control character");
    assert_eq!(fs::read(here.join("t/tab\tx")).unwrap(), b"only copy");
    assert!(here.join("t/a").exists());
}

#[test]
fn without_delete_sync_removes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/x", "file");
    write(here, "t/y", "file");
    let server = Fake::default().file("t/x/deep/only.txt", "only").start();
    says(
        here,
        &server,
        &["sync", "t", "@/t"],
        1,
        "a directory that is not empty",
    );
    assert!(server.content("t/x/deep/only.txt").is_some() && server.content("t/y").is_some());
    // As it would end, a dry run does.
    let dry = ["sync", "--dry-run", "t", "@/t"];
    says(here, &server, &dry, 1, "nothing was done");
    assert_eq!(server.count("DELE") + server.count("RMD"), 0);
    let dry = [
        "sync",
        "--dry-run",
        "--delete",
        "--max-delete",
        "1",
        "t",
        "@/t",
    ];
    let words = "more than --max-delete 1: that needs `--yes`, or is asked";
    says(here, &server, &dry, 0, words);
    assert_eq!(server.count("DELE") + server.count("RMD"), 0);

    write(here, "down/a/deep/only.txt", "only");
    let server = Fake::default().file("t/a", "file").start();
    says(
        here,
        &server,
        &["sync", "@/t", "down"],
        1,
        "a directory that is not empty",
    );
    assert!(here.join("down/a/deep/only.txt").exists());
}

#[test]
fn nothing_is_removed_after_a_file_failed() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    // Renamed here, to a name that the server refuses.
    write(here, "t/new", "content");
    write(here, "t/other", "other");
    let server = Fake::default()
        .file("t/old", "content")
        .hook(|session, line| {
            let refused = line.starts_with("STOR") && line.contains("new");
            if refused {
                session.say("553 not this name");
            }
            refused
        })
        .start();
    let words = "removals: left out 1, since not everything was copied";
    says(here, &server, &["sync", "--delete", "t", "@/t"], 1, words);
    assert_eq!(server.content("t/old").unwrap(), b"content");
    assert_eq!(server.content("t/other").unwrap(), b"other");
}

#[test]
fn a_question_shows_no_password() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    fs::create_dir(here.join("empty")).unwrap();
    let server = Fake::default().file("three/a", "1").start();
    let sync = ["sync", "--delete", "empty", "@/three"];
    let said = says(
        here,
        &server,
        &sync,
        2,
        "`empty` is empty: all 1 entries of `ftp://127",
    );
    assert!(
        said.contains("/three` would be removed") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn a_listing_whose_line_is_lost_is_asked_for_again() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/b", "surplus");
    for args in [["sync", "--delete", "@/t", "t"], ["get", "-r", "@/t", "u/"]] {
        let lost = AtomicBool::new(false);
        let server = Fake::default()
            .file("t/a", "1")
            .hook(move |session, line| {
                line.starts_with("MLSD") && !lost.swap(true, Ordering::SeqCst) && {
                    session.hang_up();
                    true
                }
            })
            .start();
        let said = says(here, &server, &args, 0, "; try 2 in ");
        assert_eq!(server.count("USER"), 2, "{said}");
    }
    assert!(here.join("t/a").exists() && here.join("u/t/a").exists());
    assert!(!here.join("t/b").exists(), "it is removed all the same");
}

#[test]
fn what_a_link_leads_to_is_not_written_through_it() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default()
        .file("t/photos/a", "one")
        .file("t/other/a", "two")
        .start();
    fs::create_dir_all(here.join("t/other")).unwrap();
    std::os::unix::fs::symlink("other", here.join("t/photos")).unwrap();
    let words = "`photos`: the target has no directory there";
    says(here, &server, &["sync", "@/t", "t"], 1, words);
    assert_eq!(fs::read(here.join("t/other/a")).unwrap(), b"two");
    let words = "a link leads there";
    fs::remove_file(here.join("t/other/a")).unwrap();
    says(here, &server, &["get", "-r", "@/t"], 1, words);
    assert_eq!(fs::read(here.join("t/other/a")).unwrap(), b"two");
}

#[test]
fn a_server_that_replaces_no_files_gets_no_second_one() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/a", "new and longer");
    write(here, "t/b", "b");
    let server = Fake::default()
        .feat(&[
            "X-ATOMIC-STOR",
            "X-ON-DUPLICATE rename",
            "SIZE",
            "MLST type*;size*;modify*;",
        ])
        .file("t/a", "old")
        .start();
    let words = "`a`: the server replaces no files";
    says(here, &server, &["sync", "t", "@/t"], 1, words);
    assert_eq!(server.content("t/a").unwrap(), b"old");
    assert_eq!(server.content("t/b").unwrap(), b"b");
}

#[test]
fn a_listing_that_cannot_be_read_is_told_on_the_way_up_too() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/a", "new");
    let mut fake = Fake::default().file("t/a", "old").file("t/b", "only there");
    fake.feat = vec!["SIZE"];
    // As a server says it whose months nobody here reads.
    let server = fake.hook(|session, line| {
        (line.starts_with("LIST") && {
            let row = "-rw-r--r-- 1 o g 3";
            session.sends(format!(
                "{row} \u{4e8c}\u{6708} 2 03:04 a\r\n{row} \u{4e8c}\u{6708} 2 03:04 b\r\n"
            ))
        }) || (line.starts_with("MLS") && {
            session.say("502 no");
            true
        })
    });
    let server = server.start();
    let sync = ["sync", "--delete", "--yes", "t", "@/t"];
    let said = says(here, &server, &sync, 0, "not compared: ");
    assert_eq!(said.matches("not compared").count(), 2, "{said}");
    assert_eq!(server.content("t/a").unwrap(), b"new");
    assert_eq!(server.content("t/b").unwrap(), b"only there");
}

#[test]
fn a_file_that_cannot_be_hashed_does_not_end_the_others() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for name in ["t/a", "t/b", "t/c"] {
        write(here, name, "new");
    }
    let fake = Fake::default()
        .file("t/a", "old")
        .file("t/b", "old")
        .file("t/c", "new");
    let lost = AtomicBool::new(false);
    let server = fake.feat(&["MLST type*;size*;modify*;", "SIZE", "HASH SHA-256*"]);
    let server = server
        .file("t/surplus", "")
        .hook(move |session, line| match line {
            "HASH t/a" => {
                session.say("550 permission denied");
                true
            }
            // One session is lost on the way.
            "HASH t/b" if !lost.swap(true, Ordering::SeqCst) => {
                session.hang_up();
                true
            }
            _ => false,
        });
    let server = server.start();
    let sync = ["sync", "--checksum", "--delete", "--yes", "t", "@/t"];
    says(here, &server, &sync, 1, "550 permission denied");
    let content = |name| server.content(name).unwrap();
    assert_eq!(
        (content("t/a"), content("t/b")),
        (b"old".into(), b"new".into())
    );
    assert_eq!((server.count("STOR"), server.count("DELE")), (1, 0));
    assert_eq!(server.count("HASH"), 4, "{:?}", server.lines());
}

#[test]
fn a_directory_that_is_told_as_a_link_is_one_to_sync_with() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/a", "same");
    let server = Fake::default().file("t/a", "same").file("t/b", "surplus");
    let server = server.hook(|session, line| {
        line == "MLST t" && {
            session.say("250-x\r\n type=OS.unix=slink:/elsewhere; t\r\n250 End");
            true
        }
    });
    let server = server.start();
    let sync = ["sync", "--delete", "--yes", "t", "@/t"];
    says(here, &server, &sync, 0, "");
    assert!(server.content("t/b").is_none(), "{:?}", server.names());
    assert_eq!(server.count("MKD"), 0);
}

#[test]
fn a_dry_run_tells_of_names_that_cannot_be_sent() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/new\nline", "x");
    let server = Fake::default().file("t/old", "x").start();
    let words = r"`new\nline`: cannot be sent: it holds a line end";
    let dry = ["sync", "--delete", "--dry-run", "t", "@/t"];
    says(here, &server, &dry, 1, "0 files, 0 B; 0 to remove");
    let told = ftpc(here, &server, &dry).stdout;
    assert!(String::from_utf8(told).unwrap().contains(words));
    says(here, &server, &["sync", "--delete", "t", "@/t"], 1, words);
    assert!(server.content("t/old").is_some());
}
