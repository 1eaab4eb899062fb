//! The face of the program: help, version, papers.

use assert_cmd::Command;

fn ftpd(args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .env_clear()
        .env("COLUMNS", "80")
        .args(args)
        .assert()
        .success();
    String::from_utf8(out.get_output().stdout.clone()).unwrap()
}

#[test]
fn help_fits_eighty_columns_and_shows_examples() {
    let help = ftpd(&["-h"]);
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(help.contains("Examples:") && help.contains("ftpd user add ann"));
}

#[test]
fn every_verb_has_help() {
    for verb in [
        "run",
        "check",
        "user",
        "cert",
        "status",
        "who",
        "kick",
        "reload",
        "unlock",
        "init",
        "share",
        "doctor",
        "import-vsftpd",
    ] {
        let help = ftpd(&[verb, "--help"]);
        assert!(
            help.starts_with(|c: char| c.is_uppercase()),
            "{verb}: {help}"
        );
    }
}

#[test]
fn the_man_page_and_completions_are_made_from_the_same_words() {
    assert!(ftpd(&["man"]).contains(".TH ftpd 1"));
    assert!(!ftpd(&["man"]).contains("help(1)"), "no such page is made");
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            ftpd(&["completions", shell]).contains("import-vsftpd"),
            "{shell}"
        );
    }
}

#[test]
fn an_unknown_verb_is_usage() {
    Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .arg("serv")
        .assert()
        .code(2);
}

#[test]
fn words_that_cannot_be_are_told_with_the_rule() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let here = tempfile::tempdir().unwrap();
    let dir = here.path().to_str().unwrap();
    let share = ["share", dir, "--address", "127.0.0.1", "--port", &port];
    for (args, words) in [
        (
            &["user", "add", "b/b"][..],
            "`b/b` cannot be a user name: use 1 to 64 letters",
        ),
        (
            &["init", "--listen", "26010"],
            "as in 192.168.1.5:2121 or [::]:2121",
        ),
        (&["share", "--for", "0s"], "0 would end the share at once"),
        (&share, "name another with `--port`"),
    ] {
        let out = Command::new(env!("CARGO_BIN_EXE_ftpd"))
            .env_clear()
            .env("HOME", dir)
            .args(args)
            .assert()
            .failure();
        let err = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
        assert!(err.contains(words), "{args:?}: {err}");
        assert!(!err.contains("server.listen"), "{args:?}: {err}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let mut papers = std::process::Command::new(env!("CARGO_BIN_EXE_ftpd"));
    let out = papers.arg("man").stdout(full()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("write to standard output"), "{said}");
}
