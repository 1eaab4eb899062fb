//! `mput`: which files a pattern names.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use crate::{fake::Fake, run, url};

#[test]
fn a_pattern_takes_names_that_are_not_utf8() {
    let here = tempfile::tempdir().unwrap();
    let gbk = OsStr::from_bytes(b"\xb2\xe2.txt");
    for name in [OsStr::new("a.txt"), gbk] {
        fs::write(here.path().join(name), name.as_bytes()).unwrap();
    }
    fs::create_dir(here.path().join("d.txt")).unwrap();
    let server = Fake::default().start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], "mput *.txt\n");
    assert!(ran.status.success(), "{ran:?}");
    // The server of the test reads what is no UTF-8 as these.
    assert_eq!(server.names(), ["/a.txt", "/\u{fffd}\u{fffd}.txt"]);
    let sent = server.content("/\u{fffd}\u{fffd}.txt").unwrap();
    assert_eq!(sent, gbk.as_bytes());
}

#[test]
fn what_a_pattern_names_and_cannot_be_looked_at_is_told() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("a.txt"), "12345").unwrap();
    std::os::unix::fs::symlink("none", here.path().join("b.txt")).unwrap();
    let server = Fake::default().start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], "mput *.txt\n");
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert_eq!(server.names(), ["/a.txt"]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("open local `b.txt`"), "{said}");
}
