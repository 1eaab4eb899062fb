//! ABOR in the middle: 426, then 226; 225 when nothing runs.

use super::Way;
use harness::{Server, Site, Wire, client::noise, wire::Data};

#[test]
fn abor_with_nothing_to_abort() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        way.ann(&server).expect_any("ABOR", &[225, 226]);
    }
}

#[test]
fn abor_ends_downloads_uploads_and_listings_in_step() {
    for way in Way::NATIVE {
        let big = noise(30_000_000);
        let server = way.start(Site::with_ann().file("big", &big));
        let mut wire = way.ann(&server);
        for (command, telnet) in [
            ("RETR big", false),
            ("RETR big", true),
            ("STOR up", false),
            ("APPE big", false),
        ] {
            let data = wire.passive();
            wire.expect_any(command, &[125, 150]);
            let mut data = wire.guard(data);
            if !command.starts_with("RETR") {
                data.write(&big[..100_000]);
            }
            if telnet {
                // Telnet IP, Synch (IAC DM), then the command, as RFC 959 §4.1.3 says.
                wire.send_bytes(b"\xff\xf4\xff\xf2ABOR\r\n");
            } else {
                wire.send("ABOR");
            }
            wire.code(426);
            wire.code(226);
            drop(data);
            wire.expect("NOOP", 200);
        }
        assert!(!server.site.disk("up").exists());
        assert_eq!(
            std::fs::metadata(server.site.disk("big")).unwrap().len(),
            30_000_000
        );
        assert!(wire.fetch("RETR big") == big);
    }
}

/// Sends an upload over a whole file up to its last byte, lets it be taken back, and looks at the file.
/// (Over TLS the missing goodbye alone keeps such an upload from its name.)
pub(super) fn taken_back(back: impl Fn(Way, &Server, Wire, Data)) {
    for size in [1_000, 200_000, 3_000_000] {
        taken_back_of(size, &back);
    }
}

fn taken_back_of(size: usize, back: impl Fn(Way, &Server, Wire, Data)) {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("only", b"whole"));
        let mut wire = way.ann(&server);
        let data = wire.passive();
        wire.expect_any("STOR only", &[125, 150]);
        let mut data = wire.guard(data);
        data.write(&noise(size));
        back(way, &server, wire, data);
        let there = std::fs::read(server.site.disk("only")).unwrap();
        assert!(there == b"whole", "{way:?}, {size}");
    }
}

/// Over TLS an end without a goodbye may have stopped the transfer before the ABOR is read.
fn aborted(way: Way, wire: &mut Wire) {
    let last = wire.reply().code;
    assert!(
        last == 226 || (last == 225 && way == Way::NativeTls),
        "{last}"
    );
}

#[test]
fn an_upload_that_ends_with_abor_takes_no_name() {
    taken_back(|way, _, mut wire, data| {
        wire.send("ABOR");
        drop(data);
        wire.code(426);
        aborted(way, &mut wire);
        wire.expect("NOOP", 200);
    });
}

#[test]
fn an_abor_behind_many_lines_is_found_before_a_file_takes_its_name() {
    taken_back(|way, _, mut wire, data| {
        for _ in 0..40 {
            wire.send("PWD");
        }
        wire.send("ABOR");
        drop(data);
        wire.code(426);
        for _ in 0..40 {
            wire.code(257);
        }
        aborted(way, &mut wire);
    });
}

#[test]
fn an_abor_at_the_end_of_a_long_record_is_found_too() {
    taken_back_of(1_000, |way, server, mut wire, mut data| {
        // One write, and over TLS one record: more than is read at once. The upload's end is there by then.
        let lines = format!("PWD {}\r\n", "x".repeat(120)).repeat(40);
        server.standing_still(|| {
            wire.send_bytes(format!("{lines}ABOR\r\n").as_bytes());
            data.end();
        });
        wire.code(426);
        for _ in 0..40 {
            wire.code(257);
        }
        aborted(way, &mut wire);
    });
}

#[test]
fn an_upload_whose_client_is_gone_behind_many_lines_takes_no_name() {
    taken_back(|_, server, mut wire, data| {
        for _ in 0..40 {
            wire.send("PWD");
        }
        drop(wire);
        drop(data);
        server.wait_for_log("whole=false reply=426");
    });
}

#[test]
fn an_upload_whose_client_is_gone_takes_no_name() {
    taken_back(|_, server, wire, data| {
        // As the system closes what a killed program had open.
        drop(wire);
        drop(data);
        server.wait_for_log("whole=false reply=426");
    });
}

#[test]
fn abor_as_urgent_data_is_read_in_line() {
    use std::os::fd::AsFd as _;
    let big = noise(30_000_000);
    let server = Way::NativePlain.start(Site::with_ann().file("big", &big));
    let control = std::net::TcpStream::connect(server.address).unwrap();
    let mut wire = Wire2::new(control.try_clone().unwrap());
    for (line, code) in [("", "220"), ("USER ann", "331"), ("PASS secret", "230")] {
        wire.line(line, code);
    }
    let port = wire
        .line("EPSV", "229")
        .split('|')
        .nth(3)
        .unwrap()
        .parse::<u16>()
        .unwrap();
    let data = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    wire.line("RETR big", "150");
    // IAC IP IAC as ordinary, DM as urgent data: what BSD clients send.
    rustix::net::send(
        control.as_fd(),
        b"\xff\xf4\xff",
        rustix::net::SendFlags::empty(),
    )
    .unwrap();
    rustix::net::send(control.as_fd(), b"\xf2", rustix::net::SendFlags::OOB).unwrap();
    wire.line("ABOR", "426");
    wire.line("", "226");
    drop(data);
    wire.line("NOOP", "200");
}

struct Wire2(std::io::BufReader<std::net::TcpStream>);

impl Wire2 {
    fn new(stream: std::net::TcpStream) -> Self {
        stream
            .set_read_timeout(Some(harness::wait::LONGEST))
            .unwrap();
        Self(std::io::BufReader::new(stream))
    }

    fn line(&mut self, line: &str, code: &str) -> String {
        use std::io::{BufRead as _, Write as _};
        if !line.is_empty() {
            self.0
                .get_mut()
                .write_all(format!("{line}\r\n").as_bytes())
                .unwrap();
        }
        let mut reply = String::new();
        self.0.read_line(&mut reply).unwrap();
        assert!(reply.starts_with(code), "{line}: {reply}");
        reply
    }
}
