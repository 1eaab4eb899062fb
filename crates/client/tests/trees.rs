//! What the program does to trees on a server that tells less than it should: nothing that was not
//! meant is sent over another file, or removed on either side.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

mod fake;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output, Stdio},
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use fake::{Fake, Running, Session};

/// Runs the program in `dir`; `@` in an argument is the server.
fn ftpc(dir: &Path, server: &Running, args: &[&str]) -> Output {
    let url = format!("ftp://ann:hunter2@{}", server.address);
    Command::new(env!("CARGO_BIN_EXE_ftpc"))
        .env_clear()
        .env("HOME", dir)
        .current_dir(dir)
        .args(["--tls", "off"])
        .args(args.iter().map(|arg| arg.replace('@', &url)))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs it; it must end with this code and say these words.
#[track_caller]
fn says(dir: &Path, server: &Running, args: &[&str], code: i32, words: &str) -> String {
    let out = ftpc(dir, server, args);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(words), "`{words}` is not in: {said}");
    said
}

fn write(dir: &Path, name: &str, content: &str) {
    fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
    fs::write(dir.join(name), content).unwrap();
}

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

/// Answers with this listing.
fn list(session: &mut Session, lines: &str) -> bool {
    session.say("150 listing");
    let _ = session.data().write_all(lines.as_bytes());
    session.say("226 done");
    true
}

/// A server on which `t` holds a file under a name that is no use here, and one to remove.
fn with_odd_name() -> Fake {
    Fake::default().file("t/a", "1").hook(|session, line| {
        if line != "MLSD t" {
            return false;
        }
        let facts = "type=file;size=1;modify=20240102030405;";
        list(session, &format!("{facts} a\r\n{facts} tab\tx\r\n"))
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

/// A server on which `par/l2` leads to `real`, and is listed as a directory.
fn with_hidden_link() -> Fake {
    let fake = Fake::default()
        .file("real/precious", "only")
        .file("par/z", "z");
    // What makes them directories that RMD removes.
    let fake = fake.file("par/", "").file("real/", "");
    fake.hook(|session, line| match line {
        "MLSD par" => {
            let z = session
                .content("par/z")
                .map_or("", |_| "type=file;size=1; z\r\n");
            list(session, &format!("type=dir; l2\r\n{z}"))
        }
        "MLSD par/l2" => list(session, "type=file;size=4; precious\r\n"),
        "DELE par/l2/precious" => session.answer("DELE real/precious"),
        "DELE par/l2" => {
            session.say("250 gone");
            true
        }
        _ => false,
    })
}

#[test]
fn a_link_that_is_listed_as_a_directory_goes_and_its_target_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = with_hidden_link().start();
    says(here, &server, &["rm", "-r", "@/par"], 0, "");
    assert_eq!(server.names(), ["real/", "real/precious"]);

    write(here, "par/new", "new");
    let server = with_hidden_link().start();
    let sync = ["sync", "--delete", "par", "@/par"];
    let said = says(here, &server, &sync, 0, "2 removed");
    assert!(!said.contains("precious"), "{said}");
    assert_eq!(
        server.names(),
        ["par/", "par/new", "real/", "real/precious"]
    );
}

#[test]
fn a_link_named_itself_goes_and_its_target_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    // Without MLST a link to a directory is what can be entered.
    let linked = || {
        let fake = Fake::default()
            .feat(&["SIZE"])
            .file("real/precious", "only");
        fake.file("link", "").hook(|session, line| match line {
            "SIZE link" | "SIZE broken" | "CWD broken" => {
                session.say("550 not a file");
                true
            }
            "LIST -a" => list(
                session,
                "lrwxrwxrwx 1 ann ann 4 Jan 01 2024 link -> real\r\n\
                 lrwxrwxrwx 1 ann ann 4 Jan 01 2024 broken -> none\r\n\
                 drwxr-xr-x 1 ann ann 4 Jan 01 2024 real\r\n",
            ),
            _ => false,
        })
    };
    for args in [&["rm", "-r", "@/link/"][..], &["rm", "@/link"]] {
        let server = linked().start();
        says(here, &server, args, 0, "");
        assert_eq!(server.names(), ["real/precious"], "{args:?}");
        assert_eq!(server.count("RMD"), 0);
    }
    let server = linked().file("broken", "").start();
    says(here, &server, &["rm", "@/broken"], 0, "");
    assert_eq!(server.names(), ["link", "real/precious"]);
}

#[test]
fn rm_takes_all_that_is_no_directory_and_nothing_it_cannot_name() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let tree = || {
        let fake = Fake::default().file("t/", "").file("t/d/", "");
        fake.file("t/d/x.ftpc-part", "x").file("t/sock", "")
    };
    let server = tree()
        .hook(|session, line| {
            line == "MLSD t" && list(session, "type=OS.UNIX=SLINK; sock\r\ntype=dir; d\r\n")
        })
        .start();
    says(here, &server, &["rm", "-r", "@/t"], 0, "");
    assert!(server.names().is_empty(), "{:?}", server.names());

    let server = tree()
        .hook(|session, line| {
            line == "MLSD t" && list(session, "type=file; a\tb\r\ntype=file; sock\r\n")
        })
        .start();
    says(
        here,
        &server,
        &["rm", "-r", "@/t"],
        1,
        "it holds a control character",
    );
    assert_eq!(server.count("RMD"), 0);
    assert!(server.content("t/sock").is_some());
}

#[test]
fn all_of_a_site_is_not_removed_for_an_empty_variable() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default()
        .file("a", "1")
        .file("d/", "")
        .file("d/b", "2")
        .start();
    let server_only = server.address.to_string();
    for top in ["@/", "@", "@//", "@/."] {
        let said = says(here, &server, &["rm", "-r", top], 2, "would be removed");
        assert!(
            said.contains(&server_only) && !said.contains("hunter2"),
            "{said}"
        );
    }
    assert_eq!(server.names(), ["a", "d/", "d/b"]);
    assert_eq!(server.count("DELE"), 0);
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
fn a_changed_file_with_an_old_time_is_sent_unless_the_server_is_known_to_keep_no_times() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/a", "new!");
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    let file = fs::File::options().write(true).open(here.join("t/a"));
    file.unwrap().set_modified(old).unwrap();
    let timed = |feat: &[&'static str], answer: &'static str| {
        let fake = Fake::default().feat(feat).file("t/a", "old?");
        fake.hook(move |session, line| {
            let sets = line == "MDTM 20240102030405 t/a";
            if sets {
                session.say(answer);
            }
            sets
        })
    };
    let mlst = "MLST type*;size*;modify*;";
    let rows: [(&[&'static str], &'static str, &[u8]); 3] = [
        (&[mlst, "SIZE", "MDTM"], "213 set", b"new!"),
        (&[mlst, "SIZE", "MDTM"], "550 no such file", b"old?"),
        (&[mlst, "SIZE"], "500 what?", b"old?"),
    ];
    for (feat, answer, wanted) in rows {
        let server = timed(feat, answer).start();
        says(here, &server, &["sync", "--dry-run", "t", "@/t"], 0, "");
        let is_set = |line: &String| line.starts_with("MDTM 2024");
        let tried = server.lines.lock().unwrap().iter().any(is_set);
        assert!(!tried, "a dry run changes nothing");
        says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(server.content("t/a").unwrap(), wanted, "{feat:?} {answer}");
    }
}

/// A server whose `t/locked` may not be listed.
fn with_locked() -> Fake {
    let fake = Fake::default().file("t/locked/x", "x");
    fake.file("t/open", "open").hook(|session, line| {
        let locked = line == "MLSD t/locked";
        if locked {
            session.say("550 permission denied");
        }
        locked
    })
}

#[test]
fn one_directory_that_is_not_listed_does_not_stop_the_others() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = with_locked().start();
    let words = "`locked`: MLSD `t/locked`: 550 permission denied";
    says(here, &server, &["get", "-r", "@/t"], 1, words);
    assert_eq!(fs::read(here.join("t/open")).unwrap(), b"open");
    write(here, "t/locked/mine", "only");
    write(here, "t/old", "old");
    says(here, &server, &["sync", "--delete", "@/t", "t"], 1, words);
    assert!(here.join("t/locked/mine").exists() && !here.join("t/old").exists());
    says(here, &server, &["find", "@/t"], 1, words);
    let words = "`locked`: the target cannot be read there";
    says(here, &server, &["sync", "t", "@/t"], 1, words);
    assert_eq!(server.count("STOR"), 0);
}

#[test]
fn parts_of_uploads_are_not_left_out_without_a_word() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default()
        .file("t/mine.ftpc-part", "1")
        .file("t/a", "2")
        .start();
    let words = "left out: mine.ftpc-part: a part of a transfer";
    says(here, &server, &["get", "-r", "@/t"], 0, words);
}

#[test]
fn doctor_needs_one_connection() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("d/", "")
        .hook(|session, line| {
            line.starts_with("USER") && session.open.load(Ordering::SeqCst) > 1 && {
                session.leave();
                session.say("421 Too many users");
                session.hang_up();
                true
            }
        })
        .start();
    says(temp.path(), &server, &["doctor", "@/d"], 0, "");
    assert_eq!(server.count("USER"), 1);
}
