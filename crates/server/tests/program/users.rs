//! `ftpd user`: the file is edited in place, checked before it is replaced, and private after.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
};

use crate::common::{Site, stderr};

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

#[test]
fn a_new_user_whom_a_list_keeps_out_is_warned_about() {
    for (lists, reason) in [
        ("allow_users_file = \"people\"", "not on the allow-list"),
        ("deny_users = [\"cat\"]", "on the deny-list"),
    ] {
        let site = Site::new("");
        std::fs::write(site.path().join("config/people"), "ann\n").unwrap();
        site.write(&format!("[auth]\n{lists}\n"), &["ann"]);
        let out = with_password(&site, &["user", "add", "cat"], "pw\n");
        assert!(out.status.success(), "{out:?}");
        let told = format!("ftpd: warning: `cat` cannot log in: {reason}");
        assert!(stderr(&out).contains(&told), "{out:?}");
    }
    let out = with_password(&Site::new(""), &["user", "add", "cat"], "pw\n");
    assert_eq!(stderr(&out), "");
}

#[test]
fn the_last_user_stays_and_a_missing_file_is_a_configuration_fault() {
    let site = Site::new("");
    site.write("", &["ann"]);
    let before = std::fs::read(site.config()).unwrap();
    let out = site.run(&["user", "remove", "ann"]);
    assert_eq!(out.status.code(), Some(2));
    let told = stderr(&out);
    assert!(
        told.contains("`ann` is the last who can log in, so nothing was changed"),
        "{told}"
    );
    assert_eq!(std::fs::read(site.config()).unwrap(), before);

    for path in ["nofile", "config"] {
        let ran = |verb: &[&str]| {
            let mut command = crate::common::ftpd();
            command.current_dir(site.path()).args(["--config", path]);
            command.args(verb).output().unwrap()
        };
        let (add, check) = (ran(&["user", "add", "x"]), ran(&["check"]));
        assert_eq!(add.status.code(), Some(2));
        assert_eq!(stderr(&add), stderr(&check));
    }
}

#[test]
fn guests_are_listed_where_they_are_let_in() {
    let site = Site::new("[anonymous]\nenabled = true\n");
    let list = site.ok(&["user", "list"]);
    assert!(
        list.contains("anonymous  read-only   /             yes"),
        "{list}"
    );
    let json = site.ok(&["user", "list", "--json"]);
    assert!(
        json.contains(r#""login":true,"name":"anonymous","reason":null"#),
        "{json}"
    );
    site.write("", &["ann"]);
    assert!(!site.ok(&["user", "list"]).contains("anonymous"));
}
