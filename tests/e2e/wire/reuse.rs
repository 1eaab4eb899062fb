//! TLS data connections resume the session of their control connection.

use std::io::Write as _;

use super::Way;
use harness::{Site, tls};

#[test]
fn a_data_connection_of_somebody_else_moves_nothing_where_reuse_is_required() {
    let site = Site::with_ann().key("tls", "require_reuse = true");
    let server = Way::NativePlain.start(site.file("f", b"old"));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut wire = server.wire();
        let ours = tls::client(&[version]);
        wire.secure(&ours);
        wire.login("ann");
        assert_eq!(wire.fetch("RETR f"), b"old");
        // Of the same address, and with a session of its own. What the first handshake gave does not help.
        let mut stranger = server.wire();
        stranger.secure(&tls::client(&[version]));
        for line in ["RETR f", "STOR f"] {
            let data = wire.passive();
            wire.expect_any(line, &[125, 150]);
            drop(stranger.guard(data));
            wire.code(522);
        }
        // The client begins anew, with what it has of the session before.
        let mut again = server.wire();
        again.secure(&ours);
        again.login("ann");
        assert_eq!(again.fetch("RETR f"), b"old");
        again.store("STOR f", b"old");
    }
    assert_eq!(std::fs::read(server.site.disk("f")).unwrap(), b"old");
}

/// A handshake that failed may have given somebody a ticket.
#[test]
fn what_fails_to_shake_hands_ends_the_data_connections_where_reuse_is_required() {
    let site = Site::with_ann().key("tls", "require_reuse = true");
    let server = Way::NativePlain.start(site.file("f", b"x"));
    let mut wire = Way::NativeTls.ann(&server);
    assert_eq!(wire.fetch("RETR f"), b"x");
    let mut data = wire.passive();
    data.write_all(b"this is not a ClientHello\r\n\r\n")
        .unwrap();
    wire.expect("RETR f", 150);
    wire.code(425);
    let data = wire.passive();
    wire.expect("RETR f", 150);
    drop(wire.guard(data));
    wire.code(522);
}

#[test]
fn hundreds_of_data_connections_resume_the_session() {
    // A TLS 1.3 ticket is good for one, and who uploads reads no new ones (RFC 8446 §C.4).
    for (version, resumed) in [(&rustls::version::TLS12, 200), (&rustls::version::TLS13, 8)] {
        let server = Way::NativePlain.start(Site::with_ann());
        let mut wire = server.wire();
        wire.secure(&tls::client(&[version]));
        wire.login("ann");
        for i in 0..200 {
            let data = wire.passive();
            wire.expect_any(&format!("STOR f{}", i % 5), &[125, 150]);
            let data = wire.guard(data);
            assert!(
                data.is_resumed() || i >= resumed,
                "{version:?}, connection {i}"
            );
            data.write_whole(b"again");
            wire.code(226);
        }
    }
}
