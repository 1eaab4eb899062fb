//! Servers whose MLSD and MLST do not tell what is a file and what a directory (RFC 3659 §7.5 lets them).

use std::fs;

use crate::{
    fake::{Fake, Running},
    says,
};

/// A server with `t/a` and `t/d/b`, that answers LIST so where it is given.
fn kindless(plain: Option<fn(&str) -> &'static str>) -> Running {
    let fake = Fake::default().file("t/a", "12345").file("t/d/b", "b");
    let dir = std::sync::Mutex::new(String::from("/"));
    let kindless = fake.hook(move |session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let mut dir = dir.lock().unwrap();
        match (verb, path, plain) {
            ("MLSD", "t", _) => {
                session.sends("size=5;modify=20240102030405; a\r\nmodify=20240102030405; d\r\n")
            }
            ("MLSD", _, _) => session.sends("size=1;modify=20240102030405; b\r\n"),
            ("MLST", _, _) => {
                session.say(&format!(
                    "250-x\r\n modify=20240102030405; {path}\r\n250 End"
                ));
                true
            }
            ("LIST", _, Some(plain)) => session.sends(plain(&dir)),
            ("LIST", _, None) => {
                session.say("502 no");
                true
            }
            ("CWD", "t/a" | "t/d/b", _) => {
                session.say("550 no directory");
                true
            }
            ("CWD", _, _) => {
                path.clone_into(&mut dir);
                false
            }
            _ => false,
        }
    });
    kindless.start()
}

#[test]
fn kinds_that_mlsd_does_not_tell_are_taken_from_list() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = kindless(Some(|dir| match dir {
        "t" => "-rw-r--r-- 1 a a 5 Jan 1 2024 a\r\ndrwxr-xr-x 1 a a 5 Jan 1 2024 d\r\n",
        _ => "-rw-r--r-- 1 a a 1 Jan 1 2024 b\r\n",
    }));
    says(here, &server, &["get", "-r", "@/t", "."], 0, "");
    assert_eq!(fs::read(here.join("t/a")).unwrap(), b"12345");
    assert_eq!(fs::read(here.join("t/d/b")).unwrap(), b"b");
    says(here, &server, &["sync", "@/t", "t"], 0, "0 files");
}

#[test]
fn what_nothing_tells_the_kind_of_is_no_silent_gap() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = kindless(None);
    let words = "does not tell whether it is a file";
    says(here, &server, &["get", "-r", "@/t", "."], 1, words);
    // Nothing is concluded from it either.
    fs::create_dir_all(here.join("t")).unwrap();
    fs::write(here.join("t/mine"), "mine").unwrap();
    says(
        here,
        &server,
        &["sync", "--delete", "--yes", "@/t", "t"],
        1,
        "",
    );
    assert!(here.join("t/mine").exists());
}
