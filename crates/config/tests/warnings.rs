//! What is odd about a file without being wrong.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt as _};

use common::{file, with_ann};
use ftp_config::load_server;

#[test]
fn a_readable_file_with_hashes_is_warned_about_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, with_ann("").as_bytes(), 0o644);
    let warnings = load_server(&path).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("run `chmod 640"), "{warnings:?}");
    let path = file(&dir, with_ann("").as_bytes(), 0o640);
    assert!(load_server(&path).unwrap().warnings.is_empty());
}

#[test]
fn a_key_that_others_may_read_is_warned_about() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("ftpd-key.pem");
    fs::write(&key, "").unwrap();
    let warnings = |mode, tls: &str| {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let text = with_ann(&format!("[tls]\nmode = \"{tls}\""));
        load_server(&file(&dir, text.as_bytes(), 0o600))
            .unwrap()
            .warnings
    };
    assert_eq!(warnings(0o640, "optional"), [""; 0]);
    assert_eq!(warnings(0o644, "off"), [""; 0]);
    let told = warnings(0o644, "optional");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("(mode 644)") && told[0].contains("chmod o= "),
        "{told:?}"
    );
}

#[test]
fn a_share_that_holds_the_servers_own_files_is_warned_about() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("share/ann")).unwrap();
    let warnings = |root: &str| {
        let text = with_ann(&format!("[share]\nroot = \"{root}\""));
        let path = file(&dir, text.as_bytes(), 0o600);
        load_server(&path).unwrap().warnings
    };
    assert_eq!(warnings("share"), [""; 0]);
    fs::write(dir.path().join("ftpd-key.pem"), "").unwrap();
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(dir.path().join("ftpd-key.pem"), private).unwrap();
    for root in [".", "share/..", "/"] {
        let told = warnings(root);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("ftp.toml` lies inside the share"));
        assert!(told[1].contains("ftpd-key.pem` lies inside the share"));
    }
    fs::write(dir.path().join("names"), "ann\n").unwrap();
    let listed = with_ann("[share]\nroot = \".\"\n[auth]\nallow_users_file = \"names\"");
    let told = load_server(&file(&dir, listed.as_bytes(), 0o600))
        .unwrap()
        .warnings;
    assert!(
        told.iter().any(|line| line.contains("names` lies inside")),
        "{told:?}"
    );
    // Nobody's home leads to them.
    let text = "[share]\nroot = \".\"\n[[user]]\nname = \"ann\"\nhome = \"/share/ann\"\n";
    let path = file(&dir, text.as_bytes(), 0o600);
    assert_eq!(load_server(&path).unwrap().warnings, [""; 0]);
}

#[test]
fn reuse_that_can_be_gone_round_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let warnings = |mode: &str| {
        let text = with_ann(&format!("[tls]\nmode = \"{mode}\"\nrequire_reuse = true"));
        let path = file(&dir, text.as_bytes(), 0o600);
        load_server(&path).unwrap().warnings
    };
    assert_eq!(warnings("required"), [""; 0]);
    let told = warnings("optional");
    assert!(told[0].contains("binds encrypted data alone"), "{told:?}");
}

#[test]
fn a_slip_of_the_pen_on_the_deny_list_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let warnings = |names: &str| {
        let text = with_ann(&format!("[auth]\ndeny_users = [{names}]"));
        let path = file(&dir, text.as_bytes(), 0o600);
        load_server(&path).unwrap().warnings
    };
    let told = warnings("\"Ann\", \"eve\"");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`ann` is not shut out by it"), "{told:?}");
}

#[test]
fn the_second_engine_is_warned_about_with_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let warnings = |engine: &str| {
        let text = with_ann(&format!("[server]\nengine = \"{engine}\""));
        let path = file(&dir, text.as_bytes(), 0o600);
        load_server(&path).unwrap().warnings
    };
    assert_eq!(warnings("native"), [""; 0]);
    let told = warnings("libunftp");
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("docs/engines.md"), "{told:?}");
}

#[test]
fn an_address_that_halves_another_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let warnings = |listen: &str| {
        let text = with_ann(&format!("[server]\nlisten = [{listen}]"));
        let path = file(&dir, text.as_bytes(), 0o600);
        load_server(&path).unwrap().warnings
    };
    let halved = warnings(r#""127.0.0.1:2121", "[::]:2121""#);
    assert!(
        halved[0].starts_with("`[::]:2121` serves IPv6 alone"),
        "{halved:?}"
    );
    for whole in [
        r#""[::]:2121""#,
        r#""0.0.0.0:2121", "[::]:2121""#,
        r#""127.0.0.1:2122", "[::]:2121""#,
    ] {
        assert_eq!(warnings(whole), [""; 0], "{whole}");
    }
}
