//! A configuration that only happened to be in the working directory.

use std::fs;

use harness::{Site, ftpc};

#[test]
fn a_file_that_nobody_named_runs_no_command() {
    let server = Site::with_ann().file("f", b"x").start();
    let here = tempfile::tempdir().unwrap();
    let secret = harness::PASSWORD;
    let config = format!(
        "[site.nas]\nurl = \"{}\"\npassword_command = \"touch ran; echo {secret}\"\n",
        server.url("/")
    );
    fs::create_dir(here.path().join("config")).unwrap();
    fs::write(here.path().join("config/ftp.toml"), config).unwrap();
    let list = || ftpc(here.path()).without("FTPC_PASSWORD");
    let refused = list().args(["ls", "nas:"]).code(4);
    refused
        .says("`config/ftp.toml` was not named, only found here")
        .says("hint: if you trust it, name it: `--config config/ftp.toml`");
    assert!(!here.path().join("ran").exists(), "the command ran");
    // All else of the file is used, and so is the command once somebody stands by the file.
    let listed = ftpc(here.path()).args(["ls", "nas:"]).code(0);
    assert_eq!(listed.stdout, b"f\n");
    let named = list().args(["--config", "config/ftp.toml", "ls", "nas:"]);
    assert_eq!(named.code(0).stdout, b"f\n");
    let by_variable = list().env("FTP_CONFIG", "config/ftp.toml");
    assert_eq!(by_variable.args(["ls", "nas:"]).code(0).stdout, b"f\n");
    assert!(here.path().join("ran").exists());
}
