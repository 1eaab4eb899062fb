//! Commands that are said again, since their answer was lost: they mean what is gone, and no other file.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use harness::{Site, Wire};

/// 中 in GBK.
const RAW: &[u8] = b"\xd6\xd0";

fn ask(wire: &mut Wire, verb: &str, code: u16) {
    wire.send_bytes(&[verb.as_bytes(), b" ", RAW, b"\r\n"].concat());
    wire.code(code);
}

#[test]
fn what_is_removed_twice_by_its_bytes_takes_no_file_of_the_same_characters() {
    let site = Site::with_ann()
        .key("names", "fallback = \"gbk\"")
        .file("中", b"utf8")
        .file("renamed", b"old");
    let old = site.share().join(OsStr::from_bytes(RAW));
    fs::write(&old, "raw").unwrap();
    let server = site.start();
    let utf8 = server.site.disk("中");
    let mut wire = server.ann();
    ask(&mut wire, "DELE", 250);
    ask(&mut wire, "DELE", 550);
    // The answer may be lost with its connection.
    let mut wire = server.ann();
    for (verb, code) in [("DELE", 550), ("RMD", 550), ("RNFR", 550), ("SIZE", 550)] {
        ask(&mut wire, verb, code);
    }
    fs::write(&old, "raw").unwrap();
    ask(&mut wire, "RNFR", 350);
    wire.expect("RNTO renamed", 250);
    ask(&mut wire, "RNFR", 550);
    assert_eq!(fs::read(server.site.disk("renamed")).unwrap(), b"raw");
    assert_eq!(fs::read(&utf8).unwrap(), b"utf8");
    // What the client stores under these bytes has the name in UTF-8, and is meant from then on.
    let data = wire.passive();
    ask(&mut wire, "STOR", 150);
    wire.guard(data).write_whole(b"new");
    wire.code(226);
    assert_eq!(fs::read(&utf8).unwrap(), b"new");
    ask(&mut wire, "DELE", 250);
    ask(&mut wire, "DELE", 550);
    assert!(!utf8.exists());
}

/// Who writes the fallback encoding means the file in UTF-8 first.
#[test]
fn what_a_client_removes_in_its_encoding_takes_no_file_of_the_same_bytes() {
    let site = Site::with_ann()
        .key("names", "fallback = \"gbk\"")
        .file("中", b"utf8");
    let old = site.share().join(OsStr::from_bytes(RAW));
    fs::write(&old, "raw").unwrap();
    let server = site.start();
    let mut wire = server.ann();
    wire.expect("OPTS UTF8 OFF", 200);
    ask(&mut wire, "DELE", 250);
    ask(&mut wire, "DELE", 550);
    assert!(!server.site.disk("中").exists() && old.exists());
}
