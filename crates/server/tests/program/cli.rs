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
