//! Files that are not sound are refused by name, and so are lists beside them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt as _};

use common::{file, with_ann};
use ftp_config::{ConfigError, load_client, load_server};

#[test]
fn what_is_not_a_sound_file_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.toml");
    assert!(
        load_server(&missing)
            .unwrap_err()
            .to_string()
            .contains("no such file")
    );
    let report = load_server(dir.path()).unwrap_err().report("ftpd");
    assert!(report.contains("is not a file"), "{report}");
    let path = file(&dir, b"\xff\xfe", 0o600);
    assert!(matches!(
        load_server(&path),
        Err(ConfigError::NotText { .. })
    ));
    let path = file(&dir, with_ann("").as_bytes(), 0o666);
    let report = load_server(&path).unwrap_err().report("ftpd");
    assert!(
        report.contains("may be written by others (mode 666)"),
        "{report}"
    );
    assert!(report.contains("hint: run `chmod o-w"), "{report}");
}

#[test]
fn a_list_file_that_others_may_write_or_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("list");
    fs::write(&list, "ann\n").unwrap();
    fs::set_permissions(&list, fs::Permissions::from_mode(0o666)).unwrap();
    let text = with_ann("[auth]\nallow_users_file = \"list\"");
    let path = file(&dir, text.as_bytes(), 0o600);
    let report = load_server(&path).unwrap_err().report("ftpd");
    assert!(report.contains("by others (mode 666)"), "{report}");
    assert!(report.contains("run `chmod o-w "), "{report}");
    fs::remove_file(&list).unwrap();
    fs::create_dir(&list).unwrap();
    let report = load_server(&path).unwrap_err().report("ftpd");
    assert!(report.contains("name a file, one name a line"), "{report}");
}

#[test]
fn the_transfer_record_is_none_of_the_servers_own_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("list"), "ann\n").unwrap();
    std::os::unix::fs::symlink("ftpd-key.pem", dir.path().join("link")).unwrap();
    fs::write(dir.path().join("ftpd-key.pem"), "").unwrap();
    for own in ["ftp.toml", "./list", "ftpd-cert.pem", "link"] {
        let text = format!("[auth]\nallow_users_file = \"list\"\n[log]\nxferlog = \"{own}\"");
        let path = file(&dir, with_ann(&text).as_bytes(), 0o600);
        let report = load_server(&path).unwrap_err().report("ftpd");
        assert!(report.contains("`log.xferlog` names"), "{own} {report}");
    }
}

#[test]
fn a_list_file_in_vsftpds_form_is_part_of_the_allow_list() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("list"), "# people\nann\n\n  zed # gone\n").unwrap();
    let path = file(
        &dir,
        with_ann("[auth]\nallow_users_file = \"list\"").as_bytes(),
        0o600,
    );
    let loaded = load_server(&path).unwrap();
    let names: Vec<String> = loaded
        .config
        .auth
        .allow_users
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["ann", "zed"]);
    assert_eq!(
        loaded.warnings,
        ["`zed` is on the allow-list but has no [[user]] table: `ftpd user add zed` writes it"]
    );
    fs::write(dir.path().join("list"), "a b\n").unwrap();
    assert!(
        load_server(&path)
            .unwrap_err()
            .report("ftpd")
            .contains("line 1: `a b`")
    );
}

#[test]
fn the_client_does_not_ask_who_may_log_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(
        &dir,
        b"[site.x]\nurl = \"ftp://h/\"\npassword = \"s\"\n",
        0o644,
    );
    let loaded = load_client(&path).unwrap();
    assert_eq!(loaded.config.sites["x"].url, "ftp://h/");
    assert_eq!(loaded.warnings.len(), 1);
    let path = file(&dir, b"[site.x]\nurl = \"http://h/\"\n", 0o600);
    assert!(
        load_client(&path)
            .unwrap_err()
            .report("ftpc")
            .starts_with("ftpc: config: `site.x.url`")
    );
}

#[test]
fn the_files_that_a_refused_configuration_names_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let text =
        "odd = 1\n[auth]\nallow_users_file = \"lists/a\"\n[tls]\ncert = \"c.pem\"\nkey = 3\n";
    let path = file(&dir, text.as_bytes(), 0o600);
    load_server(&path).unwrap_err();
    let named = ftp_config::files_named(&path);
    assert!(
        named.contains(&at("lists/a")) && named.contains(&at("c.pem")),
        "{named:?}"
    );
    let path = file(&dir, b"[tls]\nmode = \"off\"\n", 0o600);
    assert!(ftp_config::files_named(&path).is_empty());
    assert!(ftp_config::files_named(&at("missing")).is_empty());
}
