//! What goes to the server, under which names, and two that would become one.

use crate::{fake::Fake, ftpc, says, write};

#[test]
fn a_pattern_speaks_of_what_is_named_too() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "app.log", "a");
    write(here, "keep.log", "k");
    let server = Fake::default().file("d/a.jpg", "1").file("d/b.txt", "2");
    let server = server.start();
    let put = ["put", "--move", "--exclude", "keep*", "app.log", "keep.log"];
    let to = [&put[..], &["@/"]].concat();
    says(here, &server, &to, 0, "keep.log: left out by a pattern");
    assert!(!here.join("app.log").exists() && here.join("keep.log").exists());
    assert!(server.content("app.log").is_some() && server.content("keep.log").is_none());
    // Two that were named mean a directory, also when a pattern leaves one.
    write(here, "one.log", "1");
    let put = ["put", "--exclude", "keep*", "one.log", "keep.log", "@/new"];
    says(here, &server, &put, 0, "keep.log: left out by a pattern");
    assert!(server.content("new/one.log").is_some() && server.content("new").is_none());
    let nothing = ["put", "--include", "*.jpg", "keep.log", "@/"];
    says(here, &server, &nothing, 2, "nothing was chosen");
    let get = ["get", "--include", "*.jpg", "@/d/*", "-o", "back/"];
    says(here, &server, &get, 0, "b.txt: left out by a pattern");
    assert!(here.join("back/a.jpg").exists() && !here.join("back/b.txt").exists());
    let print = ["get", "--include", "*.jpg", "@/d/*", "-o", "-"];
    assert_eq!(ftpc(here, &server, &print).stdout, b"1");
}

#[test]
fn an_output_that_ends_in_a_slash_is_a_directory() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default().feat(&["X-ATOMIC-STOR"]).start();
    for name in ["a", "b", "tree/c"] {
        write(here, name, name);
    }
    says(here, &server, &["put", "a", "-o", "n/", "@/"], 0, "");
    says(here, &server, &["put", "a", "b", "-o", "m/", "@/"], 0, "");
    says(
        here,
        &server,
        &["put", "-r", "tree", "-o", "t/", "@/"],
        0,
        "",
    );
    for (name, content) in [
        ("n/a", "a"),
        ("m/a", "a"),
        ("m/b", "b"),
        ("t/tree/c", "tree/c"),
    ] {
        assert_eq!(server.content(name).as_deref(), Some(content.as_bytes()));
    }
    let nameless = ["put", "-", "-o", "n/", "@/"];
    says(here, &server, &nameless, 2, "standard input has no name");
    let one = ["put", "a", "b", "-o", "x", "@/"];
    says(here, &server, &one, 2, "`-o` names one file");
}

#[test]
fn a_link_to_a_directory_is_one_to_put_into() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "a", "new");
    let server = Fake::default()
        .feat(&["MLST type*;size*;"])
        .answers(
            "MLST latest",
            "250-x\r\n type=OS.unix=slink:real;size=4; latest\r\n250 End",
        )
        .start();
    says(here, &server, &["put", "a", "@/latest"], 0, "");
    assert_eq!(server.content("latest/a").unwrap(), b"new");
    says(here, &server, &["mv", "@/latest/a", "@/latest"], 0, "");
    assert!(server.lines().contains(&"RNTO latest/a".to_owned()));
}

#[test]
fn two_files_of_one_name_are_refused_before_a_byte_moves() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for name in ["a/f", "b/f", "c/f/x"] {
        write(here, name, name);
    }
    let server = Fake::default()
        .file("/g1/f", "1")
        .file("/g2/f", "2")
        .start();
    let words = "`a/f` and `b/f` would both become `two/f`";
    says(
        here,
        &server,
        &["put", "--move", "a/f", "b/f", "@/two/"],
        2,
        words,
    );
    says(here, &server, &["put", "a/f", "b/f", "@/two/"], 2, words);
    let mixed = "`a/f` and a directory would both become `two/f`";
    says(
        here,
        &server,
        &["put", "-r", "a/f", "c/f", "@/two/"],
        2,
        mixed,
    );
    let down = "`/g1/f` and `/g2/f` would both become `f`";
    let get = ["get", "--force", "@//g1/f", "@//g2/f", "-o", "same/"];
    says(here, &server, &get, 2, down);
    assert!(here.join("a/f").exists() && here.join("b/f").exists());
    assert!(!here.join("same").exists());
    assert_eq!((server.count("STOR"), server.count("RETR")), (0, 0));
    // Named twice, it goes once.
    says(
        here,
        &server,
        &["put", "--move", "a/f", "a/f", "@/two/"],
        0,
        "",
    );
    assert_eq!(server.content("two/f").unwrap(), b"a/f");
}

#[test]
fn a_directory_of_a_drop_box_that_is_there_is_one_to_put_into() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "n/a", "1");
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "MLST type*;size*;"])
        .hook(|session, line| {
            let refusal = match line.split(' ').next() {
                Some("MLST") => "550 no such file or directory",
                Some("MKD") => "550 n: exists already",
                _ => return false,
            };
            session.say(refusal);
            true
        })
        .start();
    says(here, &server, &["put", "-r", "n", "@/"], 0, "");
    // One that cannot be made, below one that is not shown, is given up.
    let server = Fake::default()
        .hook(|session, line| {
            let refusal = match line {
                "MKD in/n" | "MKD in/n/sub" => "550 no such file or directory",
                "MKD in" => "550 in: exists already",
                _ if line.starts_with("MLST") || line.starts_with("SIZE") => "550 no such file",
                _ => return false,
            };
            session.say(refusal);
            true
        })
        .start();
    write(here, "n/sub/b", "1");
    ftpc(here, &server, &["put", "-r", "n", "@/in/"]);
    let asked = server.count("MKD");
    assert!((3..10).contains(&asked), "{:?}", server.lines());
}

#[test]
fn always_means_a_hash() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "a", "content");
    let mut fake = Fake::default()
        .file("b", "content")
        .answers("XCRC", "250 checksum not available");
    fake.feat.push("XCRC");
    let server = fake.start();
    let put = ["put", "--verify", "always", "--move", "a", "@/"];
    says(
        here,
        &server,
        &put,
        6,
        "the server has no hash in its reply",
    );
    assert!(here.join("a").exists() && server.content("a").is_none());
    assert_eq!(server.count("STOR"), 1, "{:?}", server.lines());
    let get = ["get", "--verify", "always", "@/b"];
    says(
        here,
        &server,
        &get,
        6,
        "the server has no hash in its reply",
    );
    assert!(!here.join("b").exists());
    // By default it is said, and no more.
    let put = ["put", "--verify", "auto", "a", "@/"];
    says(here, &server, &put, 0, "");
}

#[test]
fn another_name_than_its_own_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "p1", "x");
    let server = Fake::default().start();
    says(here, &server, &["put", "p1", "@/q9"], 0, "↑ p1 → q9  1 B");
    says(here, &server, &["put", "p1", "@/"], 0, "↑ p1  1 B");
    says(here, &server, &["get", "@/q9", "r2"], 0, "↓ q9 → r2  1 B");
    says(here, &server, &["get", "@/q9"], 0, "↓ q9  1 B");
}
