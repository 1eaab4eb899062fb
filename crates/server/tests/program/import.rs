//! `ftpd import-vsftpd`: what it prints is a configuration that `ftpd check` takes.

use std::{fs, path::Path};

use crate::common::{ftpd, stderr, stdout};

/// The tutorial's configuration.
const RECIPE: &str = "listen=YES\nanonymous_enable=NO\nlocal_enable=YES\nwrite_enable=YES\n\
                      local_root=/srv/share\nchroot_list_enable=YES\n\
                      chroot_list_file=/etc/vsftpd.chroot_list\n";
/// Debian's stock file, without its comments.
const DEBIAN: &str = "listen=NO\nlisten_ipv6=YES\nanonymous_enable=NO\nlocal_enable=YES\n\
                      dirmessage_enable=YES\nuse_localtime=YES\nxferlog_enable=YES\n\
                      connect_from_port_20=YES\nsecure_chroot_dir=/var/run/vsftpd/empty\n\
                      pam_service_name=vsftpd\n\
                      rsa_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem\n\
                      rsa_private_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\nssl_enable=NO\n";

fn machine(conf: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let etc = dir.path().join("etc");
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("passwd"), "bob:x:1000:1000::/home/bob:/bin/sh\n").unwrap();
    fs::write(etc.join("vsftpd.chroot_list"), "ann\n").unwrap();
    fs::write(dir.path().join("vsftpd.conf"), conf).unwrap();
    dir
}

fn import(dir: &Path, more: &[&str]) -> std::process::Output {
    let mut command = ftpd();
    command
        .current_dir(dir)
        .args(["import-vsftpd", "vsftpd.conf", "--root", "."]);
    command.args(more).output().unwrap()
}

/// Writes what was printed to a file and lets `ftpd check` judge it.
#[track_caller]
fn check(dir: &Path, toml: &str) -> String {
    fs::write(dir.join("ftp.toml"), toml).unwrap();
    let out = ftpd()
        .current_dir(dir)
        .args(["--config", "ftp.toml", "check"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}\n{toml}", stderr(&out));
    stdout(&out)
}

#[test]
fn the_recipe_is_imported_with_its_misreading_explained() {
    let dir = machine(RECIPE);
    let out = import(dir.path(), &[]);
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(stderr(&out).contains("names whom vsftpd jails, not who may log in"));
    assert!(check(dir.path(), &stdout(&out)).contains("share     /srv/share\n"));

    let out = import(dir.path(), &["--chroot-list-is-allow-list"]);
    assert!(
        stdout(&out).contains("allow_users = [\"ann\"]\n"),
        "{}",
        stdout(&out)
    );
    assert!(!stdout(&out).contains("\"bob\""), "{}", stdout(&out));
    check(dir.path(), &stdout(&out));
}

#[test]
fn debians_stock_file_is_imported() {
    let dir = machine(DEBIAN);
    let out = import(dir.path(), &[]);
    assert!(out.status.success(), "{}", stderr(&out));
    let toml = stdout(&out);
    check(dir.path(), &toml);
    let body: Vec<_> = toml.lines().filter(|line| !line.starts_with('#')).collect();
    let body = body.join("\n").replace("[::]:21\"", "[::]:2121\"");
    insta::assert_snapshot!(body, @r#"

    [server]
    listen = ["[::]:2121"]

    [share]
    root = "/home"

    [[user]]
    name = "bob"
    home = "/bob"
    can = "read-only"
    "#);
}

#[test]
fn a_file_that_must_not_be_imported_prints_nothing_but_why() {
    let dir = machine("local_enable=YES\nimplicit_ssl=YES\nwriet_enable=YES\n");
    let out = import(dir.path(), &[]);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(stdout(&out), "");
    insta::assert_snapshot!(stderr(&out), @r"
    refused: vsftpd.conf:2: `implicit_ssl=YES`: implicit TLS is not offered: clients have to be set to explicit TLS, and until then they would try in clear
    refused: vsftpd.conf:3: `wriet_enable` is not an option of vsftpd; did it mean `write_enable`?
    ftpd: `vsftpd.conf` cannot be imported as it is
    ");
}
