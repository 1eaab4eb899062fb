//! Who is here, what moves, who is sent away, and what is written down.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use harness::{Server, Site, Wire, client::noise, port::Kept, wait::until, wire::Data};
use rustix::process::Signal;

/// A session of ann with a download that stands still after its first bytes.
fn fetching(server: &Server) -> (Wire, Data) {
    let mut wire = server.ann();
    wire.expect("TYPE I", 200);
    let data = wire.passive();
    wire.expect_any("RETR big", &[125, 150]);
    let mut data = wire.guard(data);
    data.read(1);
    (wire, data)
}

fn who(server: &Server) -> Vec<serde_json::Value> {
    serde_json::from_str(&server.told(&["who", "--json"])).unwrap()
}

#[test]
fn who_tells_what_moves_and_kick_ends_it() {
    let server = Site::with_ann()
        .user("bob", "read-only")
        .file("big", &noise(20 << 20))
        .start();
    let (mut first, data) = fetching(&server);
    let (mut second, data2) = fetching(&server);
    let mut bob = server.wire();
    bob.login("bob");

    let here = who(&server);
    assert_eq!(here.len(), 3, "{here:?}");
    let moving = &here[0]["moving"][0];
    assert_eq!(here[0]["user"], "ann");
    assert_eq!(
        (&moving["path"], &moving["direction"]),
        (&"/big".into(), &"down".into())
    );
    assert_eq!(moving["size"], 20 << 20);
    assert!(moving["bytes"].as_u64().unwrap() > 0, "{moving}");
    let table = server.told(&["who"]);
    assert!(
        table.contains("get /big") && table.contains("bob"),
        "{table}"
    );

    server.told(&["kick", &here[0]["id"].to_string()]);
    drop(data);
    first.expect_end();
    server.told(&["kick", "ann"]);
    drop(data2);
    second.expect_end();
    until("only bob is left", || {
        (who(&server).len() == 1).then_some(())
    });
    bob.expect("NOOP", 200);
    assert!(!server.control(&["kick", "nobody"]).status.success());
}

#[test]
fn only_the_owner_may_ask() {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let server = Site::with_ann().start();
    server.told(&["status"]);
    let sockets: Vec<_> = fs::read_dir(server.site.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap())
        .filter(|meta| meta.file_type().is_socket())
        .collect();
    let modes: Vec<_> = sockets.iter().map(|meta| meta.mode() & 0o777).collect();
    assert_eq!(modes, [0o600]);
}

#[test]
fn transfers_are_recorded_and_the_record_may_be_moved_away() {
    let site = Site::with_ann().key("log", "xferlog = \"xferlog\"");
    let server = site.file("big", &noise(20 << 20)).start();
    let log = server.site.path().join("config/xferlog");
    let lines = |path: &std::path::Path, count: usize| {
        until("the lines are there", || {
            let text = fs::read_to_string(path).ok()?;
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            (lines.len() == count).then_some(lines)
        })
    };
    let mut ann = server.ann();
    ann.store("STOR with space", b"12345");
    let (mut other, data) = fetching(&server);
    data.reset();
    other.code(426);
    let seen = lines(&log, 2);
    assert!(
        seen[0].contains(" 5 /with_space b _ i r ann ftp 0 * c"),
        "{seen:?}"
    );
    assert!(seen[1].contains(" /big b _ o r ann ftp 0 * i"), "{seen:?}");

    let moved = server.site.path().join("config/xferlog.1");
    fs::rename(&log, &moved).unwrap();
    server.signal(Signal::HUP);
    until("the record is opened again", || log.exists().then_some(()));
    ann.store("STOR next", b"1");
    assert!(lines(&log, 1)[0].contains("/next"));
    lines(&moved, 2);
}

#[test]
fn numbers_are_served_to_a_collector() {
    let port = Kept::new();
    let server = Site::with_ann()
        .key("metrics", &format!("listen = \"{}\"", port.address))
        .start();
    let scrape = || {
        let mut stream = TcpStream::connect(port.address).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let mut ann = server.ann();
    ann.store("STOR a", b"12345");
    let mut wrong = server.wire();
    wrong.expect("USER ann", 331);
    wrong.expect("PASS wrong", 530);
    let text = scrape();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    for line in [
        "ftpd_sessions 2",
        "ftpd_logins_total{outcome=\"accepted\"} 1",
        "ftpd_logins_total{outcome=\"refused\"} 1",
        "ftpd_bytes_total{direction=\"up\"} 5",
        "ftpd_transfers_total{direction=\"up\",outcome=\"complete\"} 1",
        "ftpd_transfer_duration_seconds_count{direction=\"up\"} 1",
    ] {
        assert!(
            text.lines().any(|seen| seen == line),
            "{line} is not in:\n{text}"
        );
    }
}

#[test]
fn loopback_is_never_locked_out() {
    let server = Site::with_ann().key("auth.lockout", "after = 1").start();
    for _ in 0..3 {
        let mut wire = server.wire();
        wire.expect("USER ann", 331);
        wire.expect("PASS wrong", 530);
    }
    server.ann().expect("NOOP", 200);
    server.told(&["unlock"]);
}
