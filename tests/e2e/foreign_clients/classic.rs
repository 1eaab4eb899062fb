//! The programs that are called `ftp`, ncftp and wget.

use std::fs;

use harness::{
    client::{noise, sample},
    foreign::{command, feed, find, ok},
};

use super::site;

/// The two programs that are called `ftp`.
fn classic(name: &str, passive: bool) {
    let Some(program) = find(name) else { return };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    let up = sample(here.path(), "up.bin", 100_000);
    let (host, port) = (server.address.ip(), server.address.port());
    let mode = match (name, passive) {
        ("tnftp", true) => "passive on",
        ("tnftp", false) => "passive off",
        (_, true) => "passive",
        (_, false) => "",
    };
    let script = format!(
        "open {host} {port}\nuser ann secret\nbinary\n{mode}\ncd in\nput up.bin\nget up.bin back.bin\n\
         mkdir made\nrename up.bin made/new.bin\nls\ncd ..\nget down.bin\nbye\n"
    );
    feed(
        command(&program, here.path()).args(["-n", "-i", "-v"]),
        &script,
    );
    assert!(
        fs::read(here.path().join("back.bin")).unwrap() == fs::read(up).unwrap(),
        "{name} {passive}"
    );
    assert!(fs::read(here.path().join("down.bin")).unwrap() == noise(300_000));
    assert!(server.site.disk("in/made/new.bin").exists());
}

#[test]
fn tnftp_passive() {
    classic("tnftp", true);
}

#[test]
fn tnftp_active() {
    classic("tnftp", false);
}

#[test]
fn inetutils_ftp_passive() {
    classic("inetutils-ftp", true);
}

#[test]
fn inetutils_ftp_active() {
    classic("inetutils-ftp", false);
}

/// It reads once for each reply: of two that come together it waits for the second for ever.
#[test]
fn snarf_has_each_reply_by_itself() {
    let Some(snarf) = find("snarf") else { return };
    let server = site().file("one", b"1").start();
    let here = tempfile::tempdir().unwrap();
    let url = format!("ftp://ann:secret@{}", server.address);
    for name in ["one", "down.bin", ""] {
        ok(command(&snarf, here.path()).args([&format!("{url}/{name}"), "got"]));
        let got = fs::read(here.path().join("got")).unwrap();
        match name {
            "" => assert!(String::from_utf8_lossy(&got).contains("one\r\n")),
            name => assert!(got == fs::read(server.site.disk(name)).unwrap(), "{name}"),
        }
        fs::remove_file(here.path().join("got")).unwrap();
    }
}

#[test]
fn ncftp_gets_and_puts() {
    let (Some(get), Some(put)) = (find("ncftpget"), find("ncftpput")) else {
        return;
    };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    let up = sample(here.path(), "up.bin", 100_000);
    let port = server.address.port().to_string();
    let login = ["-V", "-u", "ann", "-p", "secret", "-P", &port, "127.0.0.1"];
    ok(command(&get, here.path())
        .args(login)
        .args([".", "down.bin"]));
    ok(command(&put, here.path())
        .args(login)
        .args(["in", "up.bin"]));
    assert!(fs::read(here.path().join("down.bin")).unwrap() == noise(300_000));
    assert!(fs::read(server.site.disk("in/up.bin")).unwrap() == fs::read(up).unwrap());
}

#[test]
fn wget_fetches() {
    let Some(wget) = find("wget") else { return };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    let url = format!("ftp://{}/down.bin", server.address);
    ok(command(&wget, here.path()).args(["-q", "--user=ann", "--password=secret", &url]));
    assert!(fs::read(here.path().join("down.bin")).unwrap() == noise(300_000));
}
