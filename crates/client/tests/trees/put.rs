//! Files that are moved to the server, and two that would become one.

use std::{fs, os::unix::fs::symlink};

use crate::{fake::Fake, ftpc, says, write};

#[test]
fn a_moved_tree_leaves_what_was_not_sent() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for name in ["m/a.txt", "m/only.raw", "m/sub/b.txt"] {
        write(here, name, name);
    }
    symlink("/etc/hostname", here.join("m/lnk")).unwrap();
    // A file that comes while another is being sent.
    let late = here.join("m/sub/late.txt");
    let server = Fake::default()
        .hook(move |_, line| {
            if line.starts_with("STOR") {
                fs::write(&late, "late").unwrap();
            }
            false
        })
        .start();
    let put = ["put", "-r", "--move", "--exclude", "*.raw", "m", "@/"];
    says(
        here,
        &server,
        &put,
        1,
        "`m` stays: it holds what was not sent",
    );
    for gone in ["m/a.txt", "m/sub/b.txt"] {
        assert!(!here.join(gone).exists(), "{gone}");
        assert_eq!(server.content(gone).unwrap(), gone.as_bytes());
    }
    for kept in ["m/only.raw", "m/sub/late.txt"] {
        assert!(here.join(kept).exists() && server.content(kept).is_none());
    }
    assert!(here.join("m/lnk").symlink_metadata().is_ok());

    fs::remove_dir_all(here.join("m")).unwrap();
    write(here, "n/sub/c", "c");
    let server = Fake::default().start();
    says(here, &server, &["put", "-r", "--move", "n", "@/"], 0, "");
    assert!(!here.join("n").exists() && server.content("n/sub/c").is_some());
}

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
fn originals_stay_where_the_server_stores_names_as_others() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    // As some servers do, without a word.
    let dropping = Fake::default().hook(|session, line| {
        line.contains('"') && {
            session.answer(&line.replace('"', ""));
            true
        }
    });
    let server = dropping.clone().start();
    for (name, content) in [("t/a", "one"), ("t/\"a\"", "two"), ("t/sub/b", "b")] {
        write(here, name, content);
    }
    write(here, "t/\"sub\"/c", "c");
    write(here, "t/other/d", "d");
    write(here, "u/e", "e");
    let put = ["put", "-r", "--move", "t", "u", "@/"];
    let said = says(
        here,
        &server,
        &put,
        1,
        "`t/\"a\"`: the server does not list it as it was sent",
    );
    for kept in ["t/a", "t/\"a\"", "t/sub/b", "t/\"sub\"/c", "t/other/d"] {
        assert!(here.join(kept).exists(), "{kept}: {said}");
    }
    assert!(said.contains("stays: the server may have stored another file under its name"));
    assert!(
        !here.join("u").exists(),
        "no name of it is in doubt: {said}"
    );

    // The directories of one are not the other's.
    fs::remove_file(here.join("t/\"a\"")).unwrap();
    fs::remove_dir_all(here.join("t/\"sub\"")).unwrap();
    write(here, "v/w/\"f\"", "f");
    let server = dropping.clone().start();
    let put = ["put", "-r", "--move", "t", "v", "@/"];
    says(
        here,
        &server,
        &put,
        1,
        "`v` stays: it holds what was not sent",
    );
    assert!(here.join("v/w/\"f\"").exists() && !here.join("t").exists());

    // Of a server that is gone by then only one thing is asked.
    let gone = Fake::default().hook(|session, line| {
        line.starts_with("MLSD") && {
            session.hang_up();
            true
        }
    });
    let server = gone.start();
    write(here, "v/\"x\"/f", "f");
    let put = ["put", "-r", "--move", "v", "@/"];
    says(here, &server, &put, 1, "what it holds is not seen");
    let lines = server.lines();
    let asked = lines
        .iter()
        .rev()
        .take_while(|line| !line.starts_with("RNTO"));
    let asked = asked.filter(|line| line.starts_with("MLSD")).count();
    assert_eq!(asked, 1, "{lines:?}");
    assert!(here.join("v/w/\"f\"").exists() && here.join("v/\"x\"/f").exists());
    fs::remove_dir_all(here.join("v/\"x\"")).unwrap();

    // A file that has the very name by another way, and the size, is not the one that was sent.
    let server = dropping.clone().file("in/a\"b", "older").start();
    write(here, "a\"b", "newer");
    says(
        here,
        &server,
        &["put", "--move", "a\"b", "@/in/"],
        1,
        "does not list it as it was sent",
    );
    assert_eq!(fs::read(here.join("a\"b")).unwrap(), b"newer");

    // And where the names are kept, all goes.
    let server = Fake::default().start();
    says(here, &server, &["put", "-r", "--move", "v", "@/"], 0, "");
    assert!(!here.join("v").exists());
    assert_eq!(server.content("v/w/\"f\"").unwrap(), b"f");
}

#[test]
fn an_original_goes_only_when_the_server_tells_that_it_has_all_of_it() {
    for (listed, code, stays) in [
        ("type=file;size=3; a\r\n", 1, true),
        ("type=file;size=15; a\r\n", 0, false),
        ("type=file; a\r\n", 1, true),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let here = temp.path();
        write(here, "a", "fifteen letters");
        let server = Fake::default()
            .feat(&["X-ATOMIC-STOR"])
            .hook(move |session, line| match line.split(' ').next() {
                Some("SIZE" | "MLST") => {
                    session.say("502 no");
                    true
                }
                Some("CWD") if line == "CWD a" => {
                    session.say("550 no");
                    true
                }
                Some("LIST") => {
                    let size = listed.split(['=', ';']).nth(3).unwrap_or("x");
                    session.sends(format!("-rw-r--r-- 1 a a {size} Jan 1 2024 a\r\n"))
                }
                _ => false,
            })
            .start();
        says(here, &server, &["put", "--move", "a", "@/"], code, "");
        assert_eq!(here.join("a").exists(), stays, "{listed}");
    }
}

#[test]
fn a_link_that_was_named_stays_with_what_it_leads_to() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default().feat(&["X-ATOMIC-STOR"]).start();
    std::os::unix::fs::symlink("real", here.join("link")).unwrap();
    for name in ["link", "link/"] {
        write(here, "real/sub/a", name);
        says(here, &server, &["put", "-r", "--move", name, "@/"], 0, "");
        assert_eq!(server.content("link/sub/a").unwrap(), name.as_bytes());
        assert!(!here.join("real/sub").exists() && here.join("link").is_dir());
    }
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
fn a_moved_file_that_changed_while_it_was_sent_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "a", "sent");
    write(here, "b", "sent");
    let path = here.join("b");
    // It changes when all its bytes are over.
    let server = Fake::default()
        .hook(move |_, line| {
            if line.starts_with("RNTO b") {
                fs::write(&path, "sent and more").unwrap();
            }
            false
        })
        .start();
    says(here, &server, &["put", "--move", "a", "b", "@/"], 1, "`b`");
    assert!(!here.join("a").exists());
    assert_eq!(fs::read(here.join("b")).unwrap(), b"sent and more");
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
