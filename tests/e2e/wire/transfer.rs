//! RETR, STOR, STOU, APPE, ALLO: bytes and what they become.

use std::{fs, io::Read as _};

use super::Way;
use harness::{Site, client::noise};

#[test]
fn bytes_come_and_go_unchanged() {
    for way in Way::ALL {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        for size in [0, 1, 4095, 4096, 65_537, 3_000_000] {
            let bytes = noise(size);
            wire.store("STOR f", &bytes);
            assert!(
                fs::read(server.site.disk("f")).unwrap() == bytes,
                "{way:?} {size}"
            );
            assert!(wire.fetch("RETR f") == bytes, "{way:?} {size}");
            assert_eq!(wire.expect("SIZE f", 213).text(), format!("213 {size}"));
        }
    }
}

#[test]
fn ascii_moves_bytes_as_they_are_unless_told_otherwise() {
    let bytes = b"a\nb\r\nc\0\n";
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        wire.expect("TYPE A", 200);
        wire.store("STOR f", bytes);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), bytes);
        assert_eq!(wire.fetch("RETR f"), bytes);
        // The client may have converted it itself.
        server.wait_for_log("type=\"A\"");
        let server = way.start(Site::with_ann().key("server", "ascii_conversion = true"));
        let mut wire = way.ann(&server);
        wire.expect("TYPE A", 200);
        wire.store("STOR f", b"one\r\ntwo\r\n");
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"one\ntwo\n");
        assert_eq!(wire.fetch("RETR f"), b"one\r\ntwo\r\n");
        wire.store("STOR f", b"one\r\n\r");
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"one\n\r");
    }
}

#[test]
fn stou_finds_a_free_name_and_appe_goes_behind() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f.txt", b"old"));
        let mut wire = way.ann(&server);
        wire.store("STOU", b"new");
        assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 2);
        // RFC 959 gives it no name; many clients send one.
        for (at, name, bytes) in [("f.txt", "f (1).txt", b"1"), ("g", "g", b"2")] {
            wire.store(&format!("STOU {at}"), bytes);
            assert_eq!(fs::read(server.site.disk(name)).unwrap(), bytes);
        }
        assert_eq!(fs::read(server.site.disk("f.txt")).unwrap(), b"old");
        wire.store("APPE f.txt", b"+more");
        assert_eq!(fs::read(server.site.disk("f.txt")).unwrap(), b"old+more");
        wire.expect_any("ALLO 1000", &[200, 202]);
        wire.expect_any("ALLO 99999999999999999", &[452, 552]);
    }
}

/// The time in them may be the same.
#[test]
fn two_runs_of_the_server_make_up_different_names() {
    let [one, other] = [(); 2].map(|()| {
        let server = Way::NATIVE[0].start(Site::with_ann());
        Way::NATIVE[0].ann(&server).store("STOU", b"1");
        let made = fs::read_dir(server.site.share()).unwrap().next().unwrap();
        let name = made.unwrap().file_name().into_string().unwrap();
        name.split('-')
            .skip(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    assert_ne!(one, other);
}

#[test]
fn what_cannot_be_moved_is_refused_before_150() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().dir("d"));
        rustix::fs::mknodat(
            rustix::fs::CWD,
            server.site.disk("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let mut wire = way.ann(&server);
        for refused in [
            "RETR nope",
            "RETR d",
            "RETR fifo",
            "STOR d",
            "STOR fifo",
            "STOR no/such/f",
            "APPE d",
        ] {
            wire.passive();
            let code = wire.command(refused).code;
            assert!(code == 550 || code == 553, "{way:?} {refused}: {code}");
        }
        wire.expect("NOOP", 200);
    }
}

#[test]
fn a_client_may_wait_for_150_before_it_connects_and_for_the_end_before_226() {
    use std::io::Write as _;
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"bytes"));
        let mut wire = way.ann(&server);
        // More files than make a session the only busy one of its thread, which says its 150 first.
        for _ in 0..12 {
            for (command, is_file) in [("RETR f", true), ("MLSD", false), ("STOR up", true)] {
                let port = wire.epsv();
                wire.expect(command, 150);
                let data = wire.dial(port);
                if command.starts_with("STOR") {
                    wire.guard(data).write_whole(b"bytes");
                } else {
                    let bytes = wire.guard(data).read_all();
                    assert!(!is_file || bytes == b"bytes", "{way:?} {command}");
                }
                wire.code(226);
            }
        }
    }
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = Way::NativePlain.ann(&server);
    let mut data = wire.passive();
    wire.expect("STOR f", 150);
    data.write_all(b"bytes").unwrap();
    data.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(data.read(&mut [0]).unwrap(), 0);
    // The reply was there before the end of the data connection.
    assert!(wire.is_answered());
    wire.code(226);
    assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"bytes");
}

#[test]
fn behind_rest_the_end_of_a_file_is_told_once_its_client_has_closed() {
    let server = Way::NativePlain.start(Site::with_ann().file("f", b"bytes"));
    let mut wire = Way::NativePlain.ann(&server);
    for rest in ["REST 0", "REST 2"] {
        let mut data = wire.passive();
        wire.expect(rest, 350);
        wire.send("RETR f");
        let told = wire.next_segment();
        assert!(told.starts_with("150 ") && !told.contains("226 "), "{told}");
        wire.code(150);
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes).unwrap();
        assert!(b"bytes".ends_with(&bytes), "{rest}: {bytes:?}");
        drop(data);
        wire.code(226);
    }
}

#[test]
fn behind_rest_the_end_of_a_larger_file_waits_for_its_client_too() {
    let bytes = noise(1_000_000);
    let server = Way::NativePlain.start(Site::with_ann().file("f", &bytes));
    let mut wire = Way::NativePlain.ann(&server);
    let mut data = wire.passive();
    wire.expect("REST 0", 350);
    wire.expect("RETR f", 150);
    let mut read = Vec::new();
    data.read_to_end(&mut read).unwrap();
    assert!(read == bytes);
    // A 226 would have been said before this is.
    wire.expect("NOOP", 200);
    drop(data);
    wire.code(226);
}

#[test]
fn a_small_file_is_told_in_one_segment() {
    let server = Way::NativePlain.start(Site::with_ann().file("f", b"bytes"));
    let mut wire = Way::NativePlain.ann(&server);
    // Simple clients fetch little and read once for each reply: they have the 226 by itself.
    for _ in 0..16 {
        assert_eq!(wire.fetch("RETR f"), b"bytes");
    }
    // A client that is the only busy one has its 150 first, too.
    Way::NativePlain.ann(&server).expect("NOOP", 200);
    let data = wire.passive();
    wire.send("RETR f");
    let told = wire.next_segment();
    assert!(
        told.starts_with("150 ") && told.contains("\r\n226 "),
        "{told}"
    );
    wire.code(150);
    wire.code(226);
    assert_eq!(wire.guard(data).read_all(), b"bytes");
}

#[test]
fn quit_waits_for_the_transfer() {
    for way in Way::NATIVE {
        let bytes = noise(2_000_000);
        let server = way.start(Site::with_ann().file("f", &bytes));
        let mut wire = way.ann(&server);
        let data = wire.passive();
        wire.expect_any("RETR f", &[125, 150]);
        let data = wire.guard(data);
        wire.send("QUIT");
        assert!(data.read_all() == bytes);
        wire.code(226);
        wire.code(221);
        wire.closed();
    }
}

#[test]
fn commands_are_answered_while_bytes_move() {
    for way in Way::NATIVE {
        let bytes = noise(20_000_000);
        let server = way.start(Site::with_ann().file("f", &bytes));
        let mut wire = way.ann(&server);
        let data = wire.passive();
        wire.expect_any("RETR f", &[125, 150]);
        let data = wire.guard(data);
        wire.expect("NOOP", 200);
        let text = wire.command("STAT");
        assert!(matches!(text.code, 211 | 213), "{text:?}");
        assert!(data.read_all() == bytes);
        wire.code(226);
    }
}
