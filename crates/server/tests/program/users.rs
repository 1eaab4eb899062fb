//! `ftpd user`: the file is edited in place, checked before it is replaced, and private after.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
};

use crate::common::Site;

fn with_password(site: &Site, args: &[&str], password: &str) -> Output {
    let mut child = site
        .ftpd()
        .args(args)
        .arg("--password-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_user_is_added_listed_changed_and_removed() {
    let site = Site::new("# keep me\n[auth]\nallow_users = [\"ann\"]\n");
    let added = with_password(&site, &["user", "add", "cat", "--can", "read-only"], "pw\n");
    assert!(added.status.success(), "{added:?}");
    let text = std::fs::read_to_string(site.config()).unwrap();
    assert!(text.contains("# keep me") && text.contains("allow_users = [\"ann\", \"cat\"]"));
    assert!(!text.contains("pw\n") && text.contains("$argon2id$"));
    let list = site.ok(&["user", "list"]);
    assert!(
        list.contains("cat") && list.contains("no: not on the allow-list"),
        "{list}"
    );
    assert!(
        with_password(&site, &["user", "passwd", "cat"], "other\n")
            .status
            .success()
    );
    site.ok(&["user", "remove", "cat"]);
    assert!(
        !std::fs::read_to_string(site.config())
            .unwrap()
            .contains("cat")
    );
}

#[test]
fn what_cannot_be_done_leaves_the_file_as_it_was() {
    let site = Site::new("");
    let before = std::fs::read(site.config()).unwrap();
    for (args, password) in [
        (vec!["user", "add", "ann"], "x\n"),
        (vec!["user", "add", "cat", "--can", "fly"], "x\n"),
        (vec!["user", "add", "cat", "--home", "/a\u{1}"], "x\n"),
        (vec!["user", "add", "cat"], "\n"),
        (vec!["user", "passwd", "eve"], "x\n"),
    ] {
        let out = with_password(&site, &args, password);
        assert_eq!(out.status.code(), Some(2), "{args:?} {out:?}");
    }
    assert_eq!(site.run(&["user", "remove", "eve"]).status.code(), Some(2));
    assert_eq!(std::fs::read(site.config()).unwrap(), before);
    let left = std::fs::read_dir(site.config().parent().unwrap())
        .unwrap()
        .count();
    assert_eq!(left, 1);
}

#[test]
fn others_lose_the_right_to_read_hashes() {
    let site = Site::new("");
    std::fs::set_permissions(site.config(), PermissionsExt::from_mode(0o644)).unwrap();
    assert!(
        with_password(&site, &["user", "add", "cat"], "pw\n")
            .status
            .success()
    );
    let mode = std::fs::metadata(site.config())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}
