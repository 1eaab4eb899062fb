//! Names that differ only in case, on a server whose disk takes them for one.

use std::fs;

use crate::{fake::Fake, says, write};

/// A server that keeps every name in small letters.
fn blind() -> Fake {
    Fake::default().hook(|session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let small = format!("{verb} {}", path.to_lowercase());
        path != path.to_lowercase() && session.answer(&small)
    })
}

#[test]
fn sync_removes_nothing_that_it_has_just_sent_under_another_case() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/README", "new, and longer");
    write(here, "t/Dir/Sub/A", "new, and longer");
    let server = blind()
        .file("t/readme", "old")
        .file("t/dir/sub/a", "old")
        .file("t/dir/surplus", "old")
        .start();
    let sync = ["sync", "--delete", "t", "@/t"];
    says(here, &server, &[&sync[..], &["--dry-run"]].concat(), 0, "");
    assert_eq!(server.count("STOR"), 0, "a dry run changes nothing");
    says(here, &server, &sync, 0, "");
    let names = server.names();
    let files: Vec<_> = names.iter().filter(|name| !name.ends_with('/')).collect();
    assert_eq!(files, ["t/dir/sub/a", "t/readme"]);
    for path in files {
        assert_eq!(server.content(path).unwrap(), b"new, and longer");
    }
}

#[test]
fn sync_removes_the_old_spelling_where_a_server_tells_cases_apart() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/README", "new");
    let server = Fake::default().file("t/readme", "old").start();
    says(here, &server, &["sync", "--delete", "t", "@/t"], 0, "");
    assert!(server.content("t/readme").is_none());
    assert_eq!(server.content("t/README").unwrap(), b"new");
}

#[test]
fn of_two_files_that_would_become_one_the_second_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "m/A.txt", "first");
    write(here, "m/a.txt", "other");
    let words = "`a.txt`: it differs from `A.txt` in case only, and the server's disk takes them";
    let files = ["put", "--move", "m/A.txt", "m/a.txt", "@/"];
    for put in [&files[..], &["put", "-r", "--move", "m", "@/"]] {
        write(here, "m/A.txt", "first");
        let server = blind().start();
        says(here, &server, put, 1, words);
        assert!(!here.join("m/A.txt").exists());
        assert_eq!(fs::read(here.join("m/a.txt")).unwrap(), b"other");
        let held: Vec<_> = server.files.lock().unwrap().values().cloned().collect();
        assert!(held.contains(&b"first".to_vec()), "{:?}", server.names());
    }
    write(here, "m/A.txt", "first");
    let server = blind().start();
    let words = "`a.txt`: it differs from `A.txt` in case only, and the target's disk takes them";
    says(here, &server, &["sync", "m", "@/m"], 1, words);
    assert_eq!(server.content("m/a.txt").unwrap(), b"first");
}

/// A server that tells no size of an empty file, though it says 213 (ftp-srv), and has neither MLST nor MLSD.
fn without_zero(server: Fake) -> Fake {
    let hook = std::sync::Arc::clone(&server.hook);
    server.feat(&["SIZE", "MDTM"]).hook(move |session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let path = path.to_lowercase();
        match verb {
            "SIZE" if session.content(&path).is_some_and(|bytes| bytes.is_empty()) => {
                session.say("213 File status");
                true
            }
            "LIST" => {
                let files = session.files.lock().unwrap().clone();
                let row = |(path, bytes): (String, Vec<u8>)| match path.strip_suffix('/') {
                    Some(dir) => format!("drwxr-xr-x 1 ann ann 0 Jan  2 2024 {dir}\r\n"),
                    None => format!(
                        "-rw-r--r-- 1 ann ann {} Jan  2 2024 {path}\r\n",
                        bytes.len()
                    ),
                };
                session.sends(files.into_iter().map(row).collect::<String>())
            }
            "CWD" if !matches!(path.as_str(), "/" | ".") => {
                let is_dir = session.content(&format!("{path}/")).is_some();
                session.say(if is_dir { "250 in" } else { "550 no directory" });
                true
            }
            _ => hook(session, line),
        }
    })
}

#[test]
fn of_two_files_one_stays_where_no_empty_file_has_a_size() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "m/A.txt", "first");
    write(here, "m/a.txt", "other");
    let words = "`a.txt`: it differs from `A.txt` in case only, and the server's disk takes them";
    let server = without_zero(blind()).start();
    says(here, &server, &["put", "-r", "m", "@/"], 1, words);
    assert_eq!(server.content("m/a.txt").unwrap(), b"first");
    let names = server.names();
    assert_eq!(names, ["m/", "m/a.txt"], "what it was asked by is gone");
}

#[test]
fn an_empty_file_without_a_size_is_there() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = without_zero(blind()).file("empty", "").start();
    says(here, &server, &["get", "@/empty", "."], 0, "");
    assert_eq!(fs::read(here.join("empty")).unwrap(), b"");
    says(here, &server, &["ls", "-l", "@/empty"], 0, "");
    let words = "no such file";
    says(here, &server, &["get", "@/none", "."], 6, words);
    // It answers to a name that its listing spells in another way.
    says(here, &server, &["get", "@/EMPTY", "."], 0, "");
}

#[test]
fn both_are_sent_where_a_server_tells_cases_apart() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "A", "first");
    write(here, "a", "other");
    let server = Fake::default().start();
    says(here, &server, &["put", "--move", "A", "a", "@/"], 0, "");
    assert_eq!(server.names(), ["A", "a"]);
    // Where it cannot be seen, nothing is put at stake.
    write(here, "A", "first");
    write(here, "a", "other");
    let server = Fake::default()
        .hook(|session, line| {
            let is_probe = line.starts_with("STOR .ftpc-case");
            if is_probe {
                session.say("553 no hidden names");
            }
            is_probe
        })
        .start();
    let words = "the server's disk may take them for one";
    says(here, &server, &["put", "--move", "A", "a", "@/"], 1, words);
    assert_eq!(fs::read(here.join("a")).unwrap(), b"other");
    write(here, "A", "first");
    says(here, &server, &["put", "A", "a", "@/"], 0, "");
    assert_eq!(server.names(), ["A", "a"]);
}

#[test]
fn a_probe_whose_byte_did_not_fit_goes() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "A", "first");
    write(here, "a", "other");
    let full = Fake::default().hook(|session, line| {
        let is_probe = line.starts_with("STOR .ftpc-case");
        if is_probe {
            session.say("150 go on");
            drop(session.data());
            let name = line.trim_start_matches("STOR ").to_owned();
            session.files.lock().unwrap().insert(name, Vec::new());
            session.say("552 the disk is full");
        }
        is_probe
    });
    let server = full.start();
    says(here, &server, &["put", "A", "a", "@/"], 0, "");
    assert_eq!(server.names(), ["A", "a"]);
}
