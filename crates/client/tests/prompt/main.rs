//! The `ftp>` prompt as a script, and what is printed: the real program, with servers that are not
//! our own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

#[path = "../fake/mod.rs"]
mod fake;

mod append;
mod asked;
mod escapes;
mod interrupts;
mod midst;
mod questions;
mod several;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use fake::{Fake, Running};

/// A program that ends with its test, also when that fails.
struct Begun(Option<Child>);

impl Begun {
    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    fn output(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// The program in a directory of its own, with a pipe for its keys.
fn ftpc(here: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftpc"));
    command
        .env_clear()
        .env("HOME", here)
        .current_dir(here)
        .stdin(Stdio::piped());
    command
}

/// Begins a script.
fn begin(here: &Path, args: &[&str], script: &str) -> Begun {
    let mut child = ftpc(here)
        .args(["shell", "-k"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(script.as_bytes()).unwrap();
    Begun(Some(child))
}

fn run(here: &Path, args: &[&str], script: &str) -> Output {
    begin(here, args, script).output()
}

fn url(server: &Running, user: &str) -> String {
    format!("ftp://{user}@{}/", server.address)
}

#[test]
fn whom_user_named_is_not_told_to_the_next_server() {
    let here = tempfile::tempdir().unwrap();
    let (first, second) = (Fake::default().start(), Fake::default().start());
    let (host, other) = (first.address, second.address);
    let bob = url(&second, "bob:his");
    let script = format!(
        "open {host}\nuser ann hunter2\npwd\nopen {other}\nopen {bob}\nuser ann hunter3\npwd\n"
    );
    let ran = run(here.path(), &[], &script);
    assert!(ran.status.success(), "{ran:?}");
    assert!(first.lines().contains(&"PASS hunter2".to_owned()));
    let told: Vec<_> = second
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("USER") || line.starts_with("PASS"))
        .collect();
    // The third `open` leaves the login to the line behind it.
    assert_eq!(
        told,
        ["USER anonymous", "PASS ftpc@", "USER ann", "PASS hunter3"]
    );
}

#[test]
fn a_directory_that_is_not_there_costs_no_session() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            let refused = line == "CWD /none";
            if refused {
                session.say("550 none");
            }
            refused
        })
        .start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], "cd none\npwd\nls\n");
    assert_eq!(ran.status.code(), Some(6), "{ran:?}");
    assert_eq!(server.count("USER"), 1, "{:?}", server.lines());
}

#[test]
fn paths_begin_as_the_server_says() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("C:/share/a", "12345")
        .hook(|session, line| {
            let asked = line == "PWD";
            if asked {
                session.say("257 \"C:/share\" is here");
            }
            asked
        })
        .start();
    let ran = run(
        here.path(),
        &[&url(&server, "ann:x")],
        "ls\nget a\nput a b\n",
    );
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(ran.stdout, b"a\n");
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"12345");
    assert_eq!(server.content("C:/share/b").unwrap(), b"12345");
}

#[test]
fn what_cannot_be_read_is_not_appended() {
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("dir")).unwrap();
    let server = Fake::default().start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], "append dir\n");
    assert_eq!(ran.status.code(), Some(7), "{ran:?}");
    assert_eq!(server.count("APPE"), 0, "{:?}", server.lines());
}

#[test]
fn what_quote_has_set_changes_no_file() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "1\n2\n").start();
    let script =
        "quote TYPE A\nquote REST 2\nget a\nquote TYPE A\nput a b\nquote TYPE I\nget a c\n";
    let ran = run(here.path(), &[&url(&server, "ann:x")], script);
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"1\n2\n");
    let lines = server.lines();
    let told: Vec<_> = lines
        .iter()
        .map(String::as_str)
        .filter(|line| {
            ["TYPE", "REST", "RETR", "RNTO"]
                .iter()
                .any(|verb| line.starts_with(verb))
        })
        .collect();
    let want = [
        "TYPE I", "TYPE A", "REST 2", "REST 0", "TYPE I", "RETR /a", "TYPE A", "TYPE I", "RNTO /b",
        "TYPE I", "RETR /a",
    ];
    assert_eq!(told, want);
}

#[test]
fn an_answer_that_is_lost_is_an_error() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "12345").start();
    for json in [&[][..], &["--json"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let ran = Command::new(env!("CARGO_BIN_EXE_ftpc"))
            .args(["ls", &url(&server, "ann:x")])
            .args(json)
            .env_clear()
            .env("HOME", here.path())
            .stdout(full.unwrap())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(7), "{ran:?}");
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(
            said.ends_with("write local `-`: no space left on device\n"),
            "{said}"
        );
    }
}

#[test]
fn a_name_that_the_encoding_lacks_is_told_as_it_was_given() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default().start();
    let url = url(&server, "ann:x");
    for size in [1, 100_000] {
        fs::write(here.path().join("日本"), vec![0; size]).unwrap();
        for args in [&["put", "日本"][..], &["put", "-", "-o", "日本"]] {
            let mut ran = ftpc(here.path());
            ran.args(args).args([&url, "--encoding", "latin1"]);
            let ran = ran.output().unwrap();
            assert_eq!(ran.status.code(), Some(6), "{ran:?}");
            let said = String::from_utf8(ran.stderr).unwrap();
            let words = "日本` cannot be sent: the site's encoding lacks one of its characters\n";
            assert!(said.ends_with(words) && !said.contains("-part"), "{said}");
        }
    }
}
