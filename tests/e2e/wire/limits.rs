//! Lines, memory, silence, stalls.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::Way;
use harness::{Site, Wire, client::noise, wait::until};

#[test]
fn an_endless_line_costs_no_memory_and_the_session_goes_on() {
    // design.md section 3, row 6.
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = server.wire();
    wire.expect("NOOP", 200);
    let before = server.resident_kib();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..60 {
        wire.send_bytes(&block);
    }
    wire.send("");
    wire.code(500);
    wire.expect("NOOP", 200);
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown < 8_192, "{grown} KiB more");
    wire.login("ann");
}

#[test]
fn five_endless_lines_end_the_session() {
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = server.wire();
    for _ in 0..5 {
        wire.send(&"y".repeat(5000));
    }
    wire.closed();
}

#[test]
fn a_line_of_4096_bytes_is_read() {
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = server.ann();
    let path = format!("CWD {}", "a/".repeat(2000));
    assert!(path.len() < 4096);
    wire.expect("NOOP", 200);
    wire.expect(&path, 550);
}

#[test]
fn those_who_say_nothing_are_gone_after_the_login_limit_and_others_come_in() {
    let site = Site::with_ann()
        .key("timeouts", "login = \"5s\"")
        .key("limits", "max_per_ip = 0")
        .key("limits", "max_clients = 400");
    let server = Way::NativePlain.start(site);
    let mut silent: Vec<Wire> = (0..300).map(|_| server.wire()).collect();
    let mut ann = server.ann();
    ann.expect("NOOP", 200);
    silent.iter_mut().for_each(Wire::closed);
    ann.expect("NOOP", 200);
}

#[test]
fn whoever_never_stops_talking_and_does_not_log_in_is_gone_too() {
    const MOST: usize = 20_000;
    let server = Way::NativePlain.start(Site::with_ann().key("timeouts", "login = \"300ms\""));
    let mut reader = TcpStream::connect(server.address).unwrap();
    let mut writer = reader.try_clone().unwrap();
    let talking = std::thread::spawn(move || {
        let lines = b"NOOP\r\n".repeat(1000);
        (0..MOST)
            .take_while(|_| writer.write_all(&lines).is_ok())
            .count()
    });
    let mut said = Vec::new();
    // What it still sends then is answered by a reset.
    let _reset = reader.read_to_end(&mut said);
    assert!(talking.join().unwrap() < MOST, "it was heard out");
    let end = String::from_utf8_lossy(&said[said.len().saturating_sub(80)..]).into_owned();
    assert!(end.contains("421 "), "{end}");
}

#[test]
fn an_idle_session_is_told_and_ended() {
    let server = Way::NativePlain.start(Site::with_ann().key("timeouts", "idle = \"300ms\""));
    let mut wire = server.ann();
    assert_eq!(wire.reply().code, 421);
    wire.closed();
}

#[test]
fn a_data_connection_that_nobody_reads_is_given_up() {
    for way in Way::NATIVE {
        let site = Site::with_ann()
            .file("big", &noise(30_000_000))
            .key("timeouts", "stalled = \"2s\"");
        let server = way.start(site);
        let mut wire = way.ann(&server);
        let data = wire.passive();
        wire.expect_any("RETR big", &[125, 150]);
        let data = wire.guard(data);
        wire.code(426);
        drop(data);
        let data = wire.passive();
        wire.expect_any("STOR up", &[125, 150]);
        let mut data = wire.guard(data);
        data.write(b"some");
        wire.code(426);
        drop(data);
        wire.expect("NOOP", 200);
        assert!(!server.site.disk("up").exists());
    }
}

#[test]
fn a_full_house_says_so_and_a_place_that_is_left_is_taken() {
    let site = Site::with_ann().key("limits", "max_clients = 3");
    let server = Way::NativePlain.start(site);
    let mut inside: Vec<Wire> = (0..3).map(|_| server.wire()).collect();
    let mut fourth = Wire::connect(server.address);
    let reply = fourth.reply();
    assert!(reply.code == 421 && reply.text().contains('3'), "{reply:?}");
    fourth.closed();
    inside.pop().unwrap().expect("QUIT", 221);
    until("the place is free", || {
        let mut next = Wire::connect(server.address);
        (next.try_reply().ok()?.code == 220).then_some(())
    });
}

#[test]
fn an_http_request_ends_the_session_at_once() {
    let server = Way::NativePlain.start(Site::with_ann());
    for line in ["GET / HTTP/1.1", "POST /x HTTP/1.1", "HEAD / HTTP/1.0"] {
        let mut wire = server.wire();
        let mut request = Vec::new();
        write!(
            request,
            "{line}\r\nHost: x\r\n\r\nUSER ann\r\nPASS secret\r\n"
        )
        .unwrap();
        wire.send_bytes(&request);
        wire.closed();
    }
    assert!(!server.log_up_to_now().contains("logged in"));
}
