//! Certificates: pinned without a login, asked for in a script, and loud when they change.

use std::{fs, path::Path};

use harness::{Ran, Server, Site, ftpc};

/// Loopback written so that it is not taken for it: a machine never seen before.
fn stranger(server: &Server) -> String {
    format!("[::ffff:127.0.0.1]:{}", server.address.port())
}

/// Starts the server again on its kept port, as if it were another.
fn again(server: Server, change: impl FnOnce(Site) -> Site) -> Server {
    let (site, _) = server.stop();
    change(site).start()
}

fn without_its_certificate(site: Site) -> Site {
    for name in ["ftpd-cert.pem", "ftpd-key.pem"] {
        fs::remove_file(site.path().join("config").join(name)).unwrap();
    }
    site
}

/// The fingerprint in what was said.
fn print_in(text: &str) -> String {
    let (_, rest) = text.split_once("SHA256:").unwrap();
    let digits: String = rest
        .chars()
        .take_while(|c| c.is_ascii_hexdigit() || *c == ':')
        .collect();
    assert_eq!(digits.len(), 95, "{text}");
    format!("SHA256:{digits}")
}

fn list(here: &Path) -> String {
    ftpc(here).args(["trust", "list"]).success().text()
}

#[test]
fn trust_add_pins_without_a_login() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let host = stranger(&server);
    let add = || {
        let ran = ftpc(here.path()).without("FTPC_PASSWORD");
        ran.args(["trust", "add", &host]).success()
    };
    let ran = add();
    ran.says("remembered");
    let print = print_in(&ran.text());
    assert!(list(here.path()).contains(&print));
    let log = server.log_up_to_now();
    assert!(log.contains(&print[7..]), "ftpd shows another one");
    // Nobody tried to log in, and the second time there is nothing to do.
    assert!(!log.contains("anonymous"), "{log}");
    add().says("before");

    let url = format!("ftp://ann@{host}/");
    ftpc(here.path()).args(["ls", &url]).success();
    let remove = || ftpc(here.path()).args(["trust", "remove", &host]);
    remove().success();
    assert_eq!(list(here.path()), "");
    remove().code(2).says("is not remembered");
    ftpc(here.path()).args(["ls", &url]).code(5);
}

#[test]
fn a_new_certificate_is_refused_in_a_script_unless_told() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let host = stranger(&server);
    let url = format!("ftp://ann@{host}/");
    let ls = || ftpc(here.path()).args(["ls", &url]);
    let ran = ls().code(5);
    ran.says("is not known: SHA256:")
        .says(&format!("ftpc trust add {host}"));
    assert_eq!(list(here.path()), "");
    let ran = ls().args(["--trust-new"]).success();
    assert!(list(here.path()).contains(&print_in(&ran.stderr)));
    ls().success();
}

/// What was vouched for by a root has no pin that could have changed.
#[test]
fn a_certificate_in_the_place_of_one_that_a_root_vouched_for_is_not_taken_unasked() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let known = here.path().join(".config/ftpc/known_hosts.toml");
    fs::create_dir_all(known.parent().unwrap()).unwrap();
    // On loopback too, where new ones are taken.
    let loopback = server.address.to_string();
    for host in [&stranger(&server), &loopback] {
        fs::write(&known, format!("[\"{host}\"]\nspoke_tls = true\n")).unwrap();
        let url = format!("ftp://ann@{host}/");
        let ls = || ftpc(here.path()).args(["--trust-new", "ls", &url]);
        let ran = ls().code(5);
        ran.says("until now a known root vouched for the certificate of");
        assert!(list(here.path()).contains("no pin"));
        let log = server.log_up_to_now();
        assert!(!log.contains("ann"), "a login was tried: {log}");
    }
    let add = ["trust", "add", &loopback];
    ftpc(here.path()).args(add).success();
    ftpc(here.path()).args(["ls", &server.url("/")]).success();
}

#[test]
fn a_changed_certificate_is_refused_with_both_fingerprints() {
    let server = Site::with_ann().on_kept_port().start();
    let here = tempfile::tempdir().unwrap();
    let url = server.url("/");
    let ls = || ftpc(here.path()).args(["ls", &url]);
    // On loopback the first one is taken without a question; another one is not.
    ls().success();
    let old = print_in(&list(here.path()));
    let server = again(server, without_its_certificate);
    let host = server.address.to_string();
    let refused = |ran: Ran| {
        ran.says("has CHANGED").says(&format!("it was {old}"));
        ran.says(&format!("ftpc trust remove {host}"));
        let (_, new) = ran.stderr.split_once("now it is ").unwrap();
        assert_ne!(print_in(new), old);
        print_in(new)
    };
    let new = refused(ls().code(5));
    refused(ls().args(["--trust-new"]).code(5));
    refused(ftpc(here.path()).args(["trust", "add", &host]).code(5));
    let log = server.log_up_to_now();
    assert!(log.contains(&new[7..]), "{log}");
    assert!(!log.contains("ann"), "a login was tried: {log}");

    ftpc(here.path()).args(["trust", "remove", &host]).success();
    ls().success();
    assert!(list(here.path()).contains(&new));
}

#[test]
fn a_fingerprint_that_was_told_is_held_against_the_server() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let host = server.address.to_string();
    let wrong = "ab".repeat(32);
    ftpc(here.path())
        .args(["trust", "add", &host, &wrong])
        .success();
    ftpc(here.path())
        .args(["ls", &server.url("/")])
        .code(5)
        .says("has CHANGED");
    ftpc(here.path())
        .args(["trust", "add", &host, "1234"])
        .code(2)
        .says("64 hexadecimal");
}

#[test]
fn a_server_whose_fingerprint_was_told_is_not_met_in_clear() {
    let server = Site::with_ann().key("tls", "mode = \"off\"").start();
    let here = tempfile::tempdir().unwrap();
    let host = server.address.to_string();
    let told = "ab".repeat(32);
    ftpc(here.path())
        .args(["trust", "add", &host, &told])
        .success();
    ftpc(here.path())
        .args(["ls", &server.url("/")])
        .code(5)
        .says("spoke TLS before");
    let log = server.log_up_to_now();
    assert!(!log.contains("ann"), "a login was tried: {log}");
}

#[test]
fn a_server_that_spoke_tls_is_not_met_in_clear() {
    let server = Site::with_ann().on_kept_port().start();
    let here = tempfile::tempdir().unwrap();
    let url = server.url("/");
    let ls = || ftpc(here.path()).args(["ls", &url]);
    ls().success();
    let server = again(server, |site| site.key("tls", "mode = \"off\""));
    ls().code(5).says("spoke TLS before");
    let log = server.log_up_to_now();
    assert!(!log.contains("ann"), "a login was tried: {log}");
    // Said in so many words it is done.
    ls().args(["--tls", "off"]).success();
    let host = server.address.to_string();
    let add = ftpc(here.path()).args(["trust", "add", &host]);
    add.code(5).says("has no TLS");
}
