//! AUTH TLS, PBSZ, PROT, and what is refused without them.

use std::io::{Read as _, Write as _};

use super::Way;
use harness::{Site, Wire, tls};

#[test]
fn tls_comes_in_order() {
    let server = Way::NativePlain.start(Site::with_ann().file("f", b"x"));
    let config = tls::client(&[&rustls::version::TLS12]);
    let mut wire = server.wire();
    wire.expect_any("PROT P", &[503, 536]);
    wire.expect_any("AUTH KERBEROS", &[504]);
    wire.expect("AUTH TLS", 234);
    wire.shake(&config).unwrap();
    wire.expect_any("PROT P", &[503]);
    wire.expect("PBSZ 0", 200);
    wire.expect_any("PROT S", &[504, 536]);
    wire.expect("PROT P", 200);
    wire.expect_any("AUTH TLS", &[503, 534]);
    wire.protect_data(true);
    wire.login("ann");
    wire.expect_any("CCC", &[502, 533, 534]);
    assert_eq!(wire.fetch("RETR f"), b"x");
    wire.expect("PROT C", 200);
    wire.protect_data(false);
    assert_eq!(wire.fetch("RETR f"), b"x");
}

#[test]
fn a_plain_command_behind_auth_is_never_answered() {
    // design.md section 3, row 2; the STARTTLS injection of CVE-2011-0411.
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = server.wire();
    wire.send_bytes(b"AUTH TLS\r\nUSER injected\r\nNOOP\r\n");
    wire.code(234);
    wire.shake(&tls::client(&[&rustls::version::TLS13]))
        .unwrap();
    wire.expect("NOOP", 200);
    wire.expect_any("PASS x", &[503]);
    wire.expect("NOOP", 200);
}

/// What waits for the end of a transfer has come in clear too.
#[test]
fn a_plain_command_that_waits_behind_auth_is_never_answered() {
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = Way::NativePlain.ann(&server);
    let data = wire.passive();
    wire.expect("STOR f", 150);
    wire.send_bytes(b"AUTH TLS\r\nUSER injected\r\n");
    wire.guard(data).write_whole(b"x");
    wire.code(226);
    wire.code(234);
    wire.shake(&tls::client(&[&rustls::version::TLS13]))
        .unwrap();
    wire.expect("NOOP", 200);
    wire.expect("PASS x", 503);
}

#[test]
fn a_name_said_in_clear_is_nobodys_behind_auth() {
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = server.wire();
    wire.expect("USER ann", 331);
    wire.secure(&tls::client(&[&rustls::version::TLS13]));
    wire.expect(&format!("PASS {}", harness::site::PASSWORD), 503);
}

#[test]
fn what_was_said_in_clear_is_forgotten_behind_auth() {
    // Somebody on the way may have said it: a name would be stored as another.
    let server = Way::NativePlain.start(Site::with_ann().file("f", b"x"));
    let mut wire = server.wire();
    wire.expect("OPTS UTF8 OFF", 200);
    wire.expect("OPTS HASH CRC32", 200);
    wire.expect("OPTS MLST type;", 200);
    wire.secure(&tls::client(&[&rustls::version::TLS13]));
    wire.login("ann");
    assert!(wire.expect("HASH f", 213).text().contains("SHA-256"));
    let facts = wire.expect("MLST f", 250);
    assert!(
        facts.text().to_ascii_lowercase().contains("size=1"),
        "{facts:?}"
    );
    wire.store("STOR 文件", b"x");
    assert!(server.site.disk("文件").exists());
}

#[test]
fn required_means_no_login_and_no_data_in_clear() {
    let server = Way::NativePlain.start(Site::with_ann().key("tls", "mode = \"required\""));
    let mut wire = server.wire();
    wire.expect_any("USER ann", &[530, 534]);
    wire.secure(&tls::client(&[&rustls::version::TLS13]));
    wire.login("ann");
    wire.expect_any("PROT C", &[534, 536, 521, 431]);
    wire.store("STOR f", b"private");
    assert_eq!(wire.fetch("RETR f"), b"private");
    // Nor where nothing was said of data.
    let mut silent = server.wire();
    silent.expect("AUTH TLS", 234);
    silent
        .shake(&tls::client(&[&rustls::version::TLS13]))
        .unwrap();
    silent.login("ann");
    let _data = silent.passive();
    for line in ["RETR f", "STOR g", "APPE f", "STOU", "LIST", "NLST", "MLSD"] {
        silent.expect(line, 522);
    }
    assert!(!server.site.disk("g").exists());
}

/// Python's ftplib and PHP take an end without close_notify for an attack.
#[test]
fn a_client_that_closes_tls_without_quit_is_answered_so() {
    let server = Way::NativePlain.start(Site::with_ann());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut wire = server.wire();
        wire.secure(&tls::client(&[version]));
        wire.login("ann");
        wire.close_tls();
    }
}

#[test]
fn tls_can_be_turned_off() {
    let server = Way::NativePlain.start(Site::with_ann().key("tls", "mode = \"off\""));
    let mut wire = server.wire();
    wire.expect_any("AUTH TLS", &[500, 502, 504, 534, 431]);
    assert!(!wire.expect("FEAT", 211).text().contains("AUTH"));
}

#[test]
fn two_hundred_and_forty_handshakes_in_a_row_and_none_fails() {
    let server = Way::NativePlain.start(Site::with_ann().key("limits", "max_per_ip = 0"));
    for i in 0..240 {
        let version = if i % 2 == 0 {
            &rustls::version::TLS13
        } else {
            &rustls::version::TLS12
        };
        let mut wire = server.wire();
        wire.secure(&tls::client(&[version]));
        wire.expect("QUIT", 221);
    }
}

/// What must not be seen in clear.
const SECRET: &[u8] = b"for nobody but ann, and long enough to be known again";

#[test]
fn a_plain_data_connection_under_prot_p_is_refused_and_the_session_lives() {
    let site = Site::with_ann()
        .file("f", SECRET)
        .key("timeouts", "tls_handshake = \"3s\"");
    let server = Way::NativeTls.start(site);
    let mut wire = Way::NativeTls.ann(&server);
    for speak in [true, false] {
        let mut data = wire.passive();
        if speak {
            data.write_all(b"this is not a ClientHello\r\n\r\n")
                .unwrap();
        }
        let mut reply = wire.command("RETR f");
        if matches!(reply.code, 125 | 150) {
            reply = wire.reply();
        }
        assert!(matches!(reply.code, 425 | 426 | 522), "{reply:?}");
        let mut rest = Vec::new();
        let _ = data.read_to_end(&mut rest);
        let leaked = rest
            .windows(8)
            .any(|part| SECRET.windows(8).any(|word| word == part));
        assert!(!leaked, "the file went out in clear");
    }
    assert_eq!(wire.fetch("RETR f"), SECRET);
}

#[test]
fn a_handshake_that_never_comes_ends_the_connection() {
    let server =
        Way::NativePlain.start(Site::with_ann().key("timeouts", "tls_handshake = \"200ms\""));
    let mut wire = Wire::open(server.address);
    wire.expect("AUTH TLS", 234);
    wire.closed();
}
