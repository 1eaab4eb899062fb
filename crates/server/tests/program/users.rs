//! `ftpd user`: the file is edited in place, checked before it is replaced, and private after.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Child, Output, Stdio},
};

use crate::{
    common::{Site, stderr},
    wait::until,
};

pub(crate) fn with_password(site: &Site, args: &[&str], password: &str) -> Output {
    let mut child = begun(site, args);
    let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
    child.wait_with_output().unwrap()
}

/// A run that waits for its password.
fn begun(site: &Site, args: &[&str]) -> Child {
    site.ftpd()
        .args(args)
        .arg("--password-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn runs_at_once_lose_none_of_each_others_changes() {
    let site = Site::new("");
    let names: Vec<_> = (0..6).map(|n| format!("u{n}")).collect();
    let mut runs: Vec<_> = names
        .iter()
        .map(|name| begun(&site, &["user", "add", name]))
        .collect();
    site.ok(&["user", "remove", "bob"]);
    for run in &mut runs {
        run.stdin.take().unwrap().write_all(b"pw\n").unwrap();
    }
    for run in runs {
        let out = run.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", stderr(&out));
    }
    let list = site.ok(&["user", "list"]);
    assert!(
        names.iter().all(|name| list.contains(name)) && !list.contains("bob"),
        "{list}"
    );
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
fn a_file_behind_a_link_is_read_where_the_link_is_and_written_where_it_leads() {
    let site = Site::new("[auth]\nallow_users_file = \"names\"\n");
    std::fs::write(site.config().with_file_name("names"), "ann\ncat\n").unwrap();
    let real = site.path().join("kept.toml");
    std::fs::rename(site.config(), &real).unwrap();
    std::os::unix::fs::symlink(&real, site.config()).unwrap();
    let server = site.start();
    let added = with_password(&site, &["user", "add", "cat"], "right\n");
    assert!(added.status.success(), "{}", stderr(&added));
    assert!(site.config().is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().contains("cat"));
    // The running server takes it over by itself.
    until("cat", || {
        let mut wire = server.connect();
        wire.expect("220");
        (wire.login("cat") == "230").then_some(())
    });
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
fn a_file_that_others_may_write_is_not_made_a_trusted_one() {
    let site = Site::new("");
    std::fs::set_permissions(site.config(), PermissionsExt::from_mode(0o666)).unwrap();
    let before = std::fs::read(site.config()).unwrap();
    for args in [["user", "add", "cat"], ["user", "passwd", "ann"]] {
        let out = with_password(&site, &args, "pw\n");
        assert_eq!(out.status.code(), Some(2), "{out:?}");
        assert!(stderr(&out).contains("chmod o-w"), "{}", stderr(&out));
    }
    assert_eq!(site.run(&["user", "remove", "ann"]).status.code(), Some(2));
    assert_eq!(std::fs::read(site.config()).unwrap(), before);
    let mode = std::fs::metadata(site.config())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o666);
}

#[test]
fn passwords_in_clear_text_are_replaced_one_by_one() {
    let clear =
        "[[user]]\nname = \"cat\"\npassword = \"a\"\n[[user]]\nname = \"dan\"\npassword = \"b\"\n";
    let site = Site::new(clear);
    let one = with_password(&site, &["user", "passwd", "cat"], "pw\n");
    assert!(one.status.success(), "{}", stderr(&one));
    assert!(stderr(&one).contains("other faults"), "{}", stderr(&one));
    // What mends nothing is still refused.
    let add = with_password(&site, &["user", "add", "eve"], "pw\n");
    assert_eq!(add.status.code(), Some(2));
    assert!(stderr(&add).contains("ftpd user passwd dan"), "{add:?}");
    let other = with_password(&site, &["user", "passwd", "dan"], "pw\n");
    assert!(other.status.success(), "{other:?}");
    assert!(!stderr(&other).contains("faults"), "{other:?}");
    site.ok(&["check"]);
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
        (
            "allow_users_file = \"people\"",
            "not on the allow-list; write `cat` into ",
        ),
        ("deny_users = [\"cat\"]", "on the deny-list\n"),
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
    // An account of that name leaves them the other one.
    site.write("[anonymous]\nenabled = true\n", &["ann", "anonymous"]);
    let list = site.ok(&["user", "list"]);
    assert!(list.contains("ftp        read-only"), "{list}");
    site.write("", &["ann"]);
    assert!(!site.ok(&["user", "list"]).contains("anonymous"));
}

#[test]
fn a_home_that_the_file_would_refuse_is_told_before_the_question() {
    let site = Site::new("");
    let out = site.run(&["user", "add", "eve", "--home", "eve"]);
    assert_eq!(out.status.code(), Some(2));
    let said = stderr(&out);
    assert!(
        said.contains("`--home`") && !said.contains("password"),
        "{said}"
    );
    let out = with_password(&site, &["user", "add", "eve", "--home", "/{user}"], "pw\n");
    assert!(out.status.success(), "{}", stderr(&out));
}
