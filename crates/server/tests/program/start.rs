//! Getting started: `ftpd init` and `ftpd doctor` from outside.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use crate::common::{ftpd, stderr, stdout};

#[test]
fn init_writes_a_good_private_file_once_and_doctor_agrees() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = ftpd();
        command
            .current_dir(dir.path())
            .args(["--config", "c/ftp.toml"])
            .args(args);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let init = [
        "init",
        "--dir",
        "files",
        "--user",
        "ann",
        "--listen",
        "127.0.0.1:0",
    ];
    let out = run(&init);
    assert!(out.status.success(), "{}", stderr(&out));
    let passphrase = stdout(&out);
    let passphrase = passphrase
        .split("passphrase")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let file = dir.path().join("c/ftp.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(passphrase) && text.contains("$argon2id$"));
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(run(&["check"]).status.success());

    let again = run(&init);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("is there already and stays as it is"));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    let doctor = run(&["doctor", "--json"]);
    assert!(doctor.status.success(), "{}", stdout(&doctor));
    assert!(stdout(&doctor).contains(r#""check":"users","verdict":"good""#));
    fs::write(dir.path().join("files"), "in the way").unwrap();
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(
        stdout(&doctor).contains("FAULT share"),
        "{}",
        stdout(&doctor)
    );
}

#[test]
fn init_leaves_nothing_of_a_file_that_could_not_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ftp.toml");
    // No file may grow, as on a full disk.
    let full = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let out = Command::new("sh")
        .args([
            "-c",
            full,
            "sh",
            env!("CARGO_BIN_EXE_ftpd"),
            "init",
            "--yes",
        ])
        .arg("--config")
        .arg(&path)
        .arg("--dir")
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(stderr(&out).contains("write `"), "{}", stderr(&out));
    assert!(!path.exists());
}

#[test]
fn init_asks_for_yes_where_it_cannot_ask_and_wants_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let run = |args: &[&str]| {
        let mut command = ftpd();
        command.current_dir(dir.path()).env("HOME", dir.path());
        command.args(["--config", "ftp.toml", "init"]).args(args);
        command.stdin(Stdio::null()).output().unwrap()
    };
    for (args, words) in [
        (&[][..], "no terminal to ask on"),
        (&["--yes", "--dir", "file"], "is not a directory"),
    ] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(2), "{}", stderr(&out));
        assert!(stderr(&out).contains(words), "{}", stderr(&out));
        assert!(!dir.path().join("ftp.toml").exists());
    }
    let out = run(&["--yes", "--dir", "~/files"]);
    assert!(out.status.success(), "{}", stderr(&out));
    let root = format!("root = \"{}/files\"", dir.path().display());
    let text = fs::read_to_string(dir.path().join("ftp.toml")).unwrap();
    assert!(text.contains(&root), "{text}");
}
