//! What the program does to trees on a server that tells less than it should: nothing that was not
//! meant is sent over another file, or removed on either side.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

#[path = "../fake/mod.rs"]
mod fake;

mod alike;
mod blanks;
mod cases;
mod doctor;
mod kinds;
mod logins;
mod moved;
mod newer;
mod originals;
mod partly;
mod put;
mod remove;
mod seconds;
mod sync;
mod times;
mod undone;
mod unlisted;
mod update;
mod wrongly_missing;

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use fake::Running;

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
