//! The exit codes: one test each, and the table in `--help` holds these and no others.

use std::{fs, path::Path};

use harness::{Server, Site, client::sample, ftpc, port::Kept, wait::until};
use rustix::process::Signal;

use super::names;

fn site() -> (Server, tempfile::TempDir) {
    let server = Site::with_ann()
        .file("a", b"there a")
        .file("b", b"there b")
        .start();
    (server, tempfile::tempdir().unwrap())
}

#[test]
fn the_table_in_the_help_has_these_codes() {
    let here = tempfile::tempdir().unwrap();
    let help = ftpc(here.path()).args(["--help"]).success().text();
    let (_, table) = help.split_once("Exit codes:").unwrap();
    let codes: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "130"]);
}

#[test]
fn code_0_all_was_done() {
    let (server, here) = site();
    let get = ["get", &server.url("a"), &server.url("b"), "./"];
    ftpc(here.path()).args(get).code(0);
    assert_eq!(fs::read(here.path().join("b")).unwrap(), b"there b");
}

#[test]
fn code_1_some_failed_and_the_others_were_done() {
    let (server, here) = site();
    fs::write(here.path().join("b"), "mine").unwrap();
    let get = ["get", &server.url("a"), &server.url("b"), "./"];
    let ran = ftpc(here.path()).args(get).code(1);
    ran.says("exists");
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"there a");
    assert_eq!(fs::read(here.path().join("b")).unwrap(), b"mine");
}

#[test]
fn code_2_wrong_words_or_configuration() {
    let (server, here) = site();
    let run = |args: &[&str]| ftpc(here.path()).args(args).code(2);
    run(&["frobnicate", "x"]);
    run(&["get"]);
    run(&["ls", "--limit", "fast", &server.url("/")]);
    run(&["ls", "http://127.0.0.1/"]);
    fs::write(here.path().join("bad.toml"), "[client]\njbos = 4\n").unwrap();
    run(&["--config", "bad.toml", "ls", &server.url("/")]).says("jobs");
    run(&["--config", "none.toml", "ls", &server.url("/")]).says("none.toml");
}

#[test]
fn code_3_no_connection() {
    let here = tempfile::tempdir().unwrap();
    let closed = Kept::new();
    let url = format!("ftp://ann@{}/", closed.address);
    ftpc(here.path()).args(["ls", &url]).code(3).says("refused");
}

#[test]
fn code_4_the_login_was_refused() {
    let (server, here) = site();
    let run = |args: &[&str]| ftpc(here.path()).args(args);
    run(&["ls", &server.url("/")])
        .env("FTPC_PASSWORD", "wrong")
        .code(4)
        .says("530");
    // Nobody to ask and no password anywhere.
    run(&["ls", &server.url("/")])
        .without("FTPC_PASSWORD")
        .code(4)
        .says("FTPC_PASSWORD");
}

#[test]
fn a_password_is_only_for_the_user_that_it_is_written_beside() {
    let (server, here) = site();
    let url = server.url("/");
    let site = format!("[site.nas]\nurl = \"{url}\"\npassword = \"secret\"\n");
    fs::write(here.path().join("ftp.toml"), site).unwrap();
    let run = |args: &[&str]| {
        let ran = ftpc(here.path()).without("FTPC_PASSWORD");
        ran.args(["--config", "ftp.toml", "-v"]).args(args)
    };
    run(&["ls", "nas:"]).success();
    run(&["-u", "ann", "ls", "nas:"]).success();
    let with_password = url.replace("ann@", "ann:secret@");
    run(&["ls", &with_password]).success();
    for target in ["nas:", &with_password] {
        let ran = run(&["-u", "bob", "ls", target]).code(4);
        ran.says("no password for `bob`");
    }
    // A site that names nobody says the password of whoever logs in.
    let site = format!(
        "[site.nas]\nurl = \"{}\"\npassword = \"secret\"\n",
        url.replace("ann@", "")
    );
    fs::write(here.path().join("ftp.toml"), site).unwrap();
    run(&["-u", "ann", "ls", "nas:"]).success();
}

#[test]
fn code_5_the_certificate_is_not_trusted() {
    let here = tempfile::tempdir().unwrap();
    let server = Site::with_ann().key("tls", "mode = \"off\"").start();
    let args = ["--tls", "required", "ls", &server.url("/")];
    ftpc(here.path()).args(args).code(5).says("TLS");
}

#[test]
fn code_6_the_server_refused() {
    let (server, here) = site();
    let get = ["get", &server.url("none")];
    ftpc(here.path()).args(get).code(6).says("no such file");
    assert!(server.site.disk("a").exists());
}

/// A command that wants a name is sent one, and what it is refused with names it.
#[test]
fn the_login_directory_has_a_name_in_commands_and_errors() {
    let (server, here) = site();
    let top = server.url("");
    let run = |args: &[&str], code| ftpc(here.path()).args(args).code(code);
    run(&["chmod", "755", &top], 0);
    run(&["rmdir", &top], 6).says("root directory");
    run(&["mv", &top, &server.url("new")], 6).says("RNFR `.`");
    run(&["cat", &top], 6).says("RETR `.`: 550 /: is a directory");
    run(&["mkdir", &top], 6).says("`.` is there already");
    run(&["mkdir", &format!("{top}/")], 6).says("`/` is there already");
    run(&["rmdir", &format!("{top}/")], 6).says("root directory");
    run(&["get", &top], 2).says("`.` is a directory");
}

#[test]
fn code_7_the_local_side_failed() {
    let (server, here) = site();
    fs::write(here.path().join("a"), "mine").unwrap();
    let run = |args: &[&str]| ftpc(here.path()).args(args).code(7);
    run(&["put", "none", &server.url("/")]).says("none");
    run(&["get", &server.url("a")]).says("--force");
    run(&["get", &server.url("a"), "-o", "a/in"]).says("a");
    assert_eq!(names(&server.site.share()), ["a", "b"]);
}

#[test]
fn code_130_ctrl_c_and_the_next_run_goes_on() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let large = sample(&server.site.share(), "large", 8 << 20);
    let url = server.url("large");
    let running = ftpc(here.path())
        .args(["--tls", "off", "--limit", "1MiB/s", "get", &url])
        .start();
    let part = here.path().join(".large.ftpc-part");
    until("bytes arrive", || {
        size(&part).filter(|size| *size > 200_000)
    });
    running.interrupt();
    let ran = running.wait();
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    ran.says("what can be resumed was kept");
    assert!(!here.path().join("large").exists());
    let kept = size(&part).unwrap();

    let ran = ftpc(here.path()).args(["-v", "get", &url]).success();
    ran.says(&format!("> REST {}\n", kept - 65_536));
    assert!(fs::read(here.path().join("large")).unwrap() == fs::read(large).unwrap());
    assert!(!part.exists());
}

#[test]
fn code_130_a_run_that_is_terminated_or_hung_up_keeps_what_it_has() {
    let server = Site::with_ann().start();
    sample(&server.site.share(), "large", 8 << 20);
    let url = server.url("large");
    for signal in [Signal::TERM, Signal::HUP] {
        let here = tempfile::tempdir().unwrap();
        let running = ftpc(here.path())
            .args(["--tls", "off", "--limit", "1MiB/s", "get", &url])
            .start();
        let part = here.path().join(".large.ftpc-part");
        until("bytes arrive", || {
            size(&part).filter(|size| *size > 200_000)
        });
        running.signal(signal);
        let ran = running.wait();
        assert_eq!(ran.code, 130, "{}", ran.stderr);
        ran.says("what can be resumed was kept");
        assert!(part.exists());
    }
}

#[test]
fn code_130_an_upload_that_is_terminated_goes_on_in_the_next_run() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    // Less than 16 MiB would be sent again.
    let large = sample(here.path(), "large", 17 << 20);
    let put = ["put", "large", &server.url("/")];
    let running = ftpc(here.path())
        .args(["--tls", "off", "--limit", "1MiB/s"])
        .args(put)
        .start();
    let share = server.site.share();
    until("bytes arrive", || {
        let entry = fs::read_dir(&share).unwrap().next()?.unwrap();
        size(&entry.path()).filter(|size| *size > 200_000)
    });
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    ran.says("what can be resumed was kept");
    assert!(!server.site.disk("large").exists());

    let ran = ftpc(here.path()).args(["-v"]).args(put).success();
    ran.says("> REST ");
    assert!(fs::read(server.site.disk("large")).unwrap() == fs::read(large).unwrap());
    assert_eq!(names(&share), ["large"]);
}

fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|meta| meta.len())
}
