//! Originals that are to go (`put --move`): which of them do, and behind what.

use std::{fs, os::unix::fs::symlink};

use crate::{fake::Fake, says, write};

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
