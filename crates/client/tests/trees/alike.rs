//! Names that a server stores as others: not only of another case.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use crate::{fake::Fake, ftpc, says, write};

/// A server that keeps no blank at the end of a name; `everywhere`: whatever is done to it, and not only
/// where one is made (Pure-FTPd).
fn trimming(everywhere: bool) -> Fake {
    Fake::default().hook(move |session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let makes = ["STOR", "APPE", "MKD", "RNTO"].contains(&verb);
        path.ends_with(' ') && (everywhere || makes) && {
            let kept = format!("{verb} {}_", path.trim_end_matches(' '));
            session.answer(&kept)
        }
    })
}

#[test]
fn of_two_names_that_a_server_stores_as_one_the_second_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let put = ["put", "-r", "--move", "m", "@/"];
    for everywhere in [true, false] {
        write(here, "m/x ", "first");
        write(here, "m/x_", "other");
        let server = trimming(everywhere).start();
        let words = "`x_`: it is much like `x `, and the server's disk takes them for one";
        says(here, &server, &put, 1, words);
        assert_eq!(fs::read(here.join("m/x_")).unwrap(), b"other");
        assert_eq!(server.content("m/x_").unwrap(), b"first");
        assert!(!here.join("m/x ").exists());
        let probes = server.names().iter().any(|name| name.contains("ftpc-case"));
        assert!(!probes, "{:?}", server.names());
    }
    // A server that keeps them takes both.
    write(here, "m/x ", "first");
    let server = Fake::default().start();
    says(here, &server, &put, 0, "");
    assert!(!here.join("m").exists());
    let files = server.names();
    let files: Vec<_> = files.iter().filter(|name| !name.ends_with('/')).collect();
    assert_eq!(files, ["m/x ", "m/x_"]);
}

#[test]
fn of_two_names_that_a_server_stores_as_one_sync_sends_the_first() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "m/x ", "first");
    write(here, "m/x_", "other");
    let server = trimming(true).start();
    // Again and again: nothing is sent over it later.
    for _ in 0..2 {
        let words = "the target's disk takes them for one";
        says(here, &server, &["sync", "m", "@/m"], 1, words);
        assert_eq!(server.content("m/x_").unwrap(), b"first");
    }
    let server = Fake::default().start();
    says(here, &server, &["sync", "m", "@/m"], 0, "");
    assert_eq!(server.content("m/x_").unwrap(), b"other");
}

#[test]
fn sync_removes_nothing_that_the_server_stores_under_another_name() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/x ", "content");
    write(here, "t/y", "content");
    for everywhere in [true, false] {
        let server = trimming(everywhere).file("t/old", "surplus").start();
        let sync = ["sync", "--delete", "--yes", "t", "@/t"];
        says(here, &server, &sync, 0, "");
        let stored = |server: &crate::fake::Running| {
            let files = server.names();
            let files = files.into_iter().filter(|name| !name.ends_with('/'));
            files.collect::<Vec<_>>()
        };
        assert_eq!(stored(&server), ["t/x_", "t/y"]);
        says(here, &server, &sync, 0, "");
        assert_eq!(stored(&server), ["t/x_", "t/y"]);
    }
}

#[test]
fn sync_removes_nothing_whose_name_the_server_shortens() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for name in ["t/a \"b\".txt", "t/c -r", "t/ d"] {
        write(here, name, name);
    }
    let dropping = Fake::default().hook(|session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let path = path.replace('"', "").replace(" -r", "").replace("/ ", "/");
        let kept = format!("{verb} {path}").trim_end().to_owned();
        kept != line && session.answer(&kept)
    });
    let server = dropping.file("t/old", "surplus").start();
    let sync = ["sync", "--delete", "--yes", "t", "@/t"];
    for _ in 0..3 {
        ftpc(here, &server, &sync);
        let names = server.names();
        let files: Vec<_> = names.iter().filter(|name| !name.ends_with('/')).collect();
        assert_eq!(files, ["t/a b.txt", "t/c", "t/d"]);
    }
}

/// A server that keeps no blank at the end of any name on the way.
fn trimming_all() -> Fake {
    Fake::default().hook(|session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let kept = path.replace(" /", "_/");
        let kept = kept
            .strip_suffix(' ')
            .map_or(kept.clone(), |kept| format!("{kept}_"));
        kept != path && session.answer(&format!("{verb} {kept}"))
    })
}

#[test]
fn directories_that_the_server_names_otherwise_are_looked_into() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/d /y ", "content");
    write(here, "t/d /z", "content");
    // The time that this server shows of every file.
    let shown = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
    for name in ["t/d /y ", "t/d /z"] {
        let file = fs::File::options().write(true).open(here.join(name));
        file.unwrap().set_modified(shown).unwrap();
    }
    let server = trimming_all().start();
    let sync = ["sync", "--delete", "--yes", "t", "@/t"];
    for _ in 0..3 {
        says(here, &server, &sync, 0, "");
        assert_eq!(server.content("t/d_/y_").unwrap(), b"content");
        assert_eq!(server.content("t/d_/z").unwrap(), b"content");
    }
    let sent = server
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("RNTO t/d"));
    assert_eq!(sent.count(), 2, "{:?}", server.lines());
}

#[test]
fn what_lies_below_a_name_in_doubt_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/d /y", "content");
    // Nothing can be asked there, and names are changed where they are made.
    let server = Fake::default()
        .file("t/d_/y", "content")
        .hook(|session, line| {
            let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
            if verb == "STOR" && path.contains(".ftpc-case") {
                session.say("553 no hidden names");
                return true;
            }
            let makes = ["STOR", "MKD", "RNTO", "RNFR", "SIZE", "MDTM"].contains(&verb);
            let kept = path.replace("t/d ", "t/d_");
            makes && kept != path && session.answer(&format!("{verb} {kept}"))
        })
        .start();
    let sync = ["sync", "--delete", "--yes", "t", "@/t"];
    for _ in 0..2 {
        ftpc(here, &server, &sync);
        assert_eq!(server.content("t/d_/y").unwrap(), b"content");
    }
}

#[test]
fn of_many_names_that_are_alike_not_each_is_asked_about() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for n in 0..100 {
        write(here, &format!("m/x{}", ".".repeat(n)), "content");
    }
    let server = Fake::default().start();
    says(here, &server, &["put", "-r", "--move", "m", "@/"], 0, "");
    assert!(!here.join("m").exists());
    let stored = server
        .names()
        .into_iter()
        .filter(|name| name.starts_with("m/x"));
    assert_eq!(stored.count(), 100);
    let probes = server.lines().into_iter();
    let probes = probes.filter(|line| line.starts_with("STOR") && line.contains("ftpc-case"));
    assert_eq!(probes.count(), 16);
}

#[test]
fn a_dry_run_tells_what_only_the_run_finds_out() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for name in ["t/caf\u{e9}.txt", "t/x ", "t/x_"] {
        write(here, name, "content");
    }
    let server = Fake::default().file("t/cafe\u{301}.txt", "other").start();
    let sync = ["sync", "--delete", "--yes", "t", "@/t"];
    let dry = [&sync[..], &["--dry-run"]].concat();
    let told = |args: &[&str]| {
        let out = ftpc(here, &server, args);
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    let said = told(&dry);
    let of_spelling = "ask     cafe\u{301}.txt: it may be another spelling";
    let of_twin = "ask     .: `x_`: it is much like `x `, and the run asks";
    assert!(
        said.contains(of_spelling) && said.contains(of_twin),
        "{said}"
    );
    says(here, &server, &dry, 0, "2 names to ask the target about");
    let said = told(&[&["--json"], &dry[..]].concat());
    assert_eq!(said.matches(r#""do":"ask""#).count(), 2, "{said}");
    // Without removals nothing becomes of the other spelling.
    let said = told(&["sync", "--dry-run", "t", "@/t"]);
    assert!(
        !said.contains("another spelling") && said.contains(of_twin),
        "{said}"
    );
    assert_eq!(server.count("STOR"), 0);
    told(&sync);
    assert!(server.content("t/cafe\u{301}.txt").is_none() && server.content("t/x_").is_some());
}
