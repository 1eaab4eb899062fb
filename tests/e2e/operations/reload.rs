//! A new configuration, taken whole or refused whole, while bytes move.

use std::{fs, net::TcpStream};

use harness::{
    PASSWORD, Server, Site, Wire,
    client::noise,
    tls::{self, client},
};
use rustix::process::Signal;
use rustls::pki_types::CertificateDer;

use super::status;

/// The certificate that a new connection is shown.
fn certificate(server: &Server) -> CertificateDer<'static> {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut stream = TcpStream::connect(server.address).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("220 "));
    stream.write_all(b"AUTH TLS\r\n").unwrap();
    assert!(lines.next().unwrap().unwrap().starts_with("234 "));
    let tls = tls::shake(&client(&[&rustls::version::TLS13]), stream).unwrap();
    tls.conn.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

fn code_of_login(server: &Server, user: &str) -> u16 {
    let mut wire = server.wire();
    wire.command(&format!("USER {user}"));
    wire.command(&format!("PASS {PASSWORD}")).code
}

/// Writes the configuration by a rename, as editors do; half a file is never seen.
fn replace(site: &Site, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let new = site.path().join("config/new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(new, site.config()).unwrap();
}

#[test]
fn a_removed_user_gets_in_over_no_older_connection() {
    let server = Site::with_ann().user("gone", "read-write").start();
    let mut waiting = server.wire();
    let mut inside = server.ann();
    let without = Site::with_ann();
    let users = without.text();
    let users = &users[users.find("[[user]]").unwrap()..];
    let tables = server.site.text();
    let tables = &tables[..tables.find("[[user]]").unwrap()];
    replace(&server.site, &format!("{tables}{users}"));
    server.told(&["reload"]);
    for wire in [&mut waiting, &mut inside] {
        wire.command("USER gone");
        assert_eq!(wire.command(&format!("PASS {PASSWORD}")).code, 530);
    }
}

#[test]
fn fifty_transfers_run_on_while_users_and_the_certificate_change() {
    let bytes = noise(12 << 20);
    let server = Site::with_ann()
        .user("gone", "read-only")
        .key("limits", "max_per_ip = 0")
        .file("big", &bytes)
        .start();
    let mut running: Vec<_> = (0..50)
        .map(|_| {
            let mut wire = server.ann();
            wire.expect("TYPE I", 200);
            let data = wire.passive();
            wire.expect_any("RETR big", &[125, 150]);
            let mut data = wire.guard(data);
            let head = data.read(1000);
            (wire, data, head)
        })
        .collect();
    let mut gone = server.wire();
    gone.login("gone");
    let old = certificate(&server);

    let without = Site::with_ann().user("new", "read-only");
    let users = without.text();
    let users = &users[users.find("[[user]]").unwrap()..];
    let tables = server.site.text();
    let tables = &tables[..tables.find("[[user]]").unwrap()];
    assert_eq!(server.control(&["cert", "--renew"]).status.code(), Some(0));
    replace(&server.site, &format!("{tables}{users}"));
    server.told(&["reload"]);

    assert_eq!(gone.reply().code, 421);
    gone.closed();
    assert_eq!(code_of_login(&server, "gone"), 530);
    assert_eq!(code_of_login(&server, "new"), 230);
    assert_ne!(certificate(&server), old, "the old certificate is shown");
    assert_eq!(status(&server)["moving"], 50);
    for (mut wire, data, mut whole) in running.drain(..) {
        whole.extend(data.read_all());
        assert!(whole == bytes, "a transfer was disturbed");
        wire.code(226);
    }
}

#[test]
fn a_faulty_configuration_is_refused_whole_and_the_old_one_stays() {
    let server = Site::with_ann().start();
    let good = server.site.text();
    let bob = Site::new().user("bob", "read-only").text();
    let bob = &bob[bob.find("[[user]]").unwrap()..];
    replace(&server.site, &format!("{good}{bob}colour = 3\n"));
    let out = server.control(&["reload"]);
    let why = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{why}");
    let line = good.lines().count() + bob.lines().count() + 1;
    let place = format!("line {line}, column 1: `colour`");
    assert!(why.contains(&place), "{place}: {why}");
    server.wait_for_log("colour");
    assert_eq!(code_of_login(&server, "bob"), 530);
    server.ann().expect("NOOP", 200);

    // The change of the file alone is enough, and so is a signal.
    replace(&server.site, &format!("{good}{bob}"));
    harness::wait::until("the file is read", || {
        (code_of_login(&server, "bob") == 230).then_some(())
    });
    let before = status(&server)["reloads"].as_u64().unwrap();
    server.signal(Signal::HUP);
    harness::wait::until("the signal is heard", || {
        (status(&server)["reloads"].as_u64()? > before).then_some(())
    });
    assert!(status(&server)["last_reload_error"].is_null());
}

#[test]
fn what_needs_a_restart_is_named() {
    let server = Site::with_ann().start();
    let changed = server.site.text().replace("127.0.0.1:0", "127.0.0.2:0");
    replace(&server.site, &changed);
    let out = server.control(&["reload"]);
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("server.listen"), "{said}");
    server.wait_for_log("server.listen");
    let _still: Wire = server.ann();
}
