//! Names of this machine's files that hold escape codes: a terminal never sees them raw.

use std::fs;

use crate::{fake::Fake, ftpc, run, url};

const NAME: &str = "a\u{1b}cb";

#[test]
fn local_names_are_shown_without_their_escape_codes() {
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join(NAME)).unwrap();
    let server = Fake::default().start();
    let script = format!("mput {NAME}*.txt\nput {NAME}\nlcd {NAME}\npwd\n");
    let ran = run(here.path(), &[&url(&server, "ann:x")], &script);
    let told = [
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8(ran.stderr).unwrap(),
    ]
    .concat();
    let shown = "a\\u{1b}cb";
    for words in [
        format!("`{shown}*.txt` matches no file"),
        format!("`{shown}` is a directory"),
        format!("/{shown}\n"),
    ] {
        assert!(told.contains(&words), "`{words}` is not in: {told}");
    }
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn so_are_those_of_the_command_line() {
    let here = tempfile::tempdir().unwrap();
    let pipe = here.path().join(NAME);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let server = Fake::default().start();
    let ran = ftpc(here.path())
        .args(["put", NAME, &url(&server, "ann:x")])
        .output()
        .unwrap();
    let told = String::from_utf8(ran.stderr).unwrap();
    assert!(told.contains("\\u{1b}cb` is not a regular file"), "{told}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
}
