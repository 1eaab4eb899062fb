//! Servers that say of a directory, once or always, that it is not there: what it holds is not replaced by what
//! nobody has compared it with.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use crate::{
    fake::{Fake, Running},
    says,
    update::write_at,
};

const NEWER: &[u8] = b"newer, and the only copy";

/// A server whose `t` holds a file, and which answers `asked` by `reply`: the first time, or always.
fn server(has_mlst: bool, (asked, reply): (&'static str, &'static str), always: bool) -> Running {
    let feat: &[&'static str] = match has_mlst {
        true => &["SIZE", "MDTM", "MLST type*;size*;modify*;"],
        false => &["SIZE", "MDTM"],
    };
    let fake = Fake::default().feat(feat).file("t/a", NEWER);
    let said = AtomicBool::new(false);
    let fake = fake.hook(move |session, line| {
        if line == asked && (always || !said.swap(true, Ordering::SeqCst)) {
            session.say(reply);
            if reply.starts_with("421") {
                session.hang_up();
            }
            return true;
        }
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let below = format!("{path}/");
        let files = session.files.lock().unwrap();
        let is_dir = path == "/" || files.keys().any(|name| name.starts_with(&below));
        drop(files);
        let reply = match verb {
            "LIST" => return session.sends("-rw-r--r-- 1 o g 24 Jan  2 2024 a\r\n"),
            "MLST" | "MLSD" if !has_mlst => "502 no",
            "CWD" if !is_dir => "550 Failed to change directory.",
            "MKD" if is_dir => "550 Create directory operation failed: it exists.",
            _ => return false,
        };
        session.say(reply);
        true
    });
    fake.start()
}

fn tree(here: &Path) {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    write_at(here, "t/a", "older", old);
}

/// What is said, whether to a server with MLST, and whether always.
const LIES: [((&str, &str), bool, bool); 6] = [
    (("CWD t", "421 Service not available"), false, false),
    (("CWD t", "450 not now"), false, false),
    (("CWD t", "451 not now"), false, false),
    (("CWD t", "550 no such directory"), false, false),
    (("MLST t", "550 no such directory"), true, false),
    (("MLST t", "550 no such directory"), true, true),
];

#[test]
fn sync_compares_with_what_is_there() {
    let temp = tempfile::tempdir().unwrap();
    tree(temp.path());
    for (lie, has_mlst, always) in LIES {
        let server = server(has_mlst, lie, always);
        let sync = ["sync", "--update", "t", "@/t"];
        says(temp.path(), &server, &sync, 0, "");
        let content = server.content("t/a").unwrap();
        assert_eq!(content, NEWER, "{lie:?}: {:?}", server.lines());
    }
}

#[test]
fn a_tree_that_is_put_goes_into_what_is_there() {
    let temp = tempfile::tempdir().unwrap();
    tree(temp.path());
    for (lie, has_mlst, always) in LIES {
        let server = server(has_mlst, lie, always);
        says(temp.path(), &server, &["put", "-r", "t", "@/t"], 0, "");
        let content = server.content("t/a").unwrap();
        assert_eq!(content, NEWER, "{lie:?}: {:?}", server.lines());
        assert_eq!(server.content("t/t/a").unwrap(), b"older", "{lie:?}");
    }
}

#[test]
fn what_stays_refused_for_the_moment_ends_the_run() {
    let temp = tempfile::tempdir().unwrap();
    tree(temp.path());
    let server = server(false, ("CWD t", "434 not now"), true);
    for args in [["sync", "--update", "t", "@/t"], ["put", "-r", "t", "@/t"]] {
        says(temp.path(), &server, &args, 6, "CWD `t`: 434 not now");
    }
    assert_eq!(server.names(), ["t/a"]);
    assert_eq!(server.content("t/a").unwrap(), NEWER);
}

#[test]
fn a_directory_that_was_made_though_no_answer_said_so_is_a_new_one() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    tree(here);
    for args in [&["sync", "t", "@/n"][..], &["put", "-r", "t", "@/n"]] {
        let is_lost = AtomicBool::new(false);
        let server = Fake::default().hook(move |session, line| {
            line == "MKD n" && !is_lost.swap(true, Ordering::SeqCst) && {
                session.put("n/", b"");
                session.hang_up();
                true
            }
        });
        let server = server.start();
        says(here, &server, args, 0, "try 2 in");
        assert_eq!(server.names(), ["n/", "n/a"], "{:?}", server.lines());
    }
}
