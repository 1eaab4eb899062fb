//! MODE B (RFC 959 §3.4.2): one data connection for many files, whose ends are told.

use std::fs;

use super::Way;
use harness::{Site, Wire, client::noise, wire::Data};

const SIZES: [usize; 7] = [0, 1, 3, 61_440, 61_441, 300_000, 2_000_000];

/// Data as blocks of so many bytes.
fn blocks(bytes: &[u8], of: u16, is_whole: bool) -> Vec<u8> {
    let mut wire = Vec::new();
    for part in bytes.chunks(usize::from(of)) {
        wire.push(0);
        wire.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
        wire.extend(part);
    }
    if is_whole {
        wire.extend([64, 0, 0]);
    }
    wire
}

/// Reads the blocks of one file.
#[track_caller]
fn read(link: &mut Data) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let head = link.read(3);
        bytes.extend(link.read(usize::from(u16::from_be_bytes([head[1], head[2]]))));
        assert_eq!(head[0] & !64, 0, "an unknown descriptor");
        if head[0] == 64 {
            return bytes;
        }
    }
}

/// Opens a link with a file that is there.
#[track_caller]
fn link(wire: &mut Wire, name: &str) -> Data {
    wire.expect("MODE B", 200);
    let data = wire.passive();
    wire.expect(&format!("RETR {name}"), 150);
    let mut link = wire.guard(data);
    read(&mut link);
    wire.code(250);
    link
}

#[test]
fn one_connection_carries_files_both_ways_and_listings() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("first", b"x"));
        let mut wire = way.ann(&server);
        assert!(wire.expect("FEAT", 211).text().contains("\n MODE B\n"));
        let mut link = link(&mut wire, "first");
        for size in SIZES {
            let bytes = noise(size);
            wire.expect("STOR f", 125);
            link.write(&blocks(&bytes, 40_000, true));
            wire.code(250);
            assert!(fs::read(server.site.disk("f")).unwrap() == bytes, "{size}");
            wire.expect("RETR f", 125);
            assert!(read(&mut link) == bytes, "{way:?} {size}");
            wire.code(250);
        }
        wire.expect("MLSD", 125);
        let text = String::from_utf8(read(&mut link)).unwrap();
        wire.code(250);
        assert!(
            text.contains(" first\r\n") && text.contains(" f\r\n"),
            "{text}"
        );
        wire.expect("QUIT", 221);
    }
}

#[test]
fn a_long_listing_comes_in_blocks() {
    let server = Way::NativePlain.start(Site::with_ann().file("first", b"x"));
    for n in 0..2_000 {
        fs::write(server.site.disk(&format!("a-rather-long-name-{n}")), "").unwrap();
    }
    let mut wire = Way::NativePlain.ann(&server);
    let mut link = link(&mut wire, "first");
    wire.expect("MLSD", 125);
    let text = String::from_utf8(read(&mut link)).unwrap();
    wire.code(250);
    assert_eq!(text.lines().count(), 2_001, "one for each file");
}

#[test]
fn what_is_refused_leaves_the_connection_open() {
    let server = Way::NativePlain.start(Site::with_ann().file("f", b"bytes").dir("d"));
    let mut wire = Way::NativePlain.ann(&server);
    let mut link = link(&mut wire, "f");
    wire.expect("RETR nope", 550);
    wire.expect("STOR d", 550);
    wire.expect("MLSD nope", 550);
    wire.expect("REST 2", 350);
    wire.expect("RETR f", 125);
    assert_eq!(read(&mut link), b"tes");
    wire.code(250);
    wire.expect("APPE f", 125);
    link.write(&blocks(b"+more", 2, true));
    wire.code(250);
    assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"bytes+more");
    let told = wire.expect("STOU", 125).text();
    link.write(&blocks(b"unique", 100, true));
    wire.code(250);
    let name = told.split("FILE: ").nth(1).unwrap();
    assert_eq!(fs::read(server.site.disk(name)).unwrap(), b"unique");
    let told = wire.expect("STOU f", 125).text();
    assert_eq!(told, "125 FILE: f (1)");
    link.write(&blocks(b"beside", 100, true));
    wire.code(250);
    assert_eq!(fs::read(server.site.disk("f (1)")).unwrap(), b"beside");
}

#[test]
fn a_file_without_its_last_block_replaces_nothing() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"old and whole"));
        let mut wire = way.ann(&server);
        let mut first = link(&mut wire, "f");
        wire.expect("STOR f", 125);
        first.write(&blocks(b"new", 3, false));
        first.cut();
        wire.code(426);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old and whole");
        // Stopped inside a file, the connection is of no more use.
        wire.expect("RETR f", 425);
        let mut second = link(&mut wire, "f");
        wire.expect("STOR f", 125);
        second.write(&blocks(b"new", 3, false));
        wire.expect("ABOR", 426);
        wire.code(226);
        assert_eq!(second.drain(), 0);
        wire.expect("RETR f", 425);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old and whole");
    }
}

#[test]
fn bytes_that_nobody_asked_for_end_the_connection() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"old").dir("d"));
        let mut wire = way.ann(&server);
        let mut first = link(&mut wire, "f");
        wire.expect("STOR f", 125);
        first.write(&[64, 0, 1, b'n', b'?']);
        wire.code(426);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old");
        // What is sent in spite of a refusal must not become the next file.
        let mut second = link(&mut wire, "f");
        wire.expect("STOR d", 550);
        second.write(&blocks(b"for d", 9, true));
        wire.expect("STOR f", 425);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old");
        // The sender doubts its own data (RFC 959 §3.4.2).
        let mut third = link(&mut wire, "f");
        wire.expect("STOR f", 125);
        third.write(&[32, 0, 1, b'n', 64, 0, 0]);
        wire.code(451);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old");
        // What came as a record of its own behind the end counts for nothing either.
        let mut fourth = link(&mut wire, "f");
        wire.expect("STOR f", 125);
        fourth.write(&blocks(b"new", 9, true));
        wire.code(250);
        fourth.write(&blocks(b"newer", 9, true));
        wire.expect("STOR f", 425);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"new");
    }
}

#[test]
fn a_closed_connection_is_noticed_before_the_transfer() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"x"));
        let mut wire = way.ann(&server);
        link(&mut wire, "f").cut();
        wire.expect("NOOP", 200);
        wire.expect("STOR g", 425);
        assert!(!server.site.disk("g").exists());
        link(&mut wire, "f");
    }
}

#[test]
fn stream_mode_a_new_port_and_another_protection_close_it() {
    let server = Way::NativeTls.start(Site::with_ann().file("f", b"x"));
    for closes in ["MODE S", "EPSV", "PASV", "PROT C", "ABOR"] {
        let mut wire = Way::NativeTls.ann(&server);
        let link = link(&mut wire, "f");
        assert!(wire.command(closes).code < 300, "{closes}");
        assert_eq!(link.drain(), 0, "{closes}");
    }
    // In stream mode the end of the connection is the end of the file again.
    let mut wire = Way::NativePlain.ann(&server);
    let link = link(&mut wire, "f");
    wire.expect("MODE S", 200);
    assert_eq!(wire.fetch("RETR f"), b"x");
    assert_eq!(link.drain(), 0);
}

#[test]
fn rates_hold_and_text_is_for_stream_mode() {
    let site = Site::with_ann().key("limits", "session_rate_down = \"4MiB\"");
    let site = site.key("server", "ascii_conversion = true");
    let server = Way::NativePlain.start(site.file("f", &noise(500_000)));
    let mut wire = Way::NativePlain.ann(&server);
    wire.expect("TYPE I", 200);
    let mut link = link(&mut wire, "f");
    wire.expect("RETR f", 125);
    assert!(read(&mut link) == noise(500_000));
    wire.code(250);
    wire.expect("TYPE A", 200);
    wire.expect("RETR f", 504);
    wire.expect("STOR g", 504);
}

#[test]
fn a_link_is_not_used_behind_a_file_that_its_sender_suspects() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("first", b"x"));
        let mut wire = way.ann(&server);
        let mut link = link(&mut wire, "first");
        wire.expect("STOR f", 125);
        link.write(&[32, 0, 1, b'a']);
        wire.code(451);
        wire.expect("STOR f", 425);
        assert!(!server.site.disk("f").exists());
    }
}

/// What one was agreed on may not carry what the other is meant for.
#[test]
fn another_protection_of_data_needs_another_link() {
    let way = Way::NativeTls;
    let server = way.start(Site::with_ann().file("first", b"x"));
    let mut wire = way.ann(&server);
    // Nobody closes them at this end.
    let mut links = Vec::new();
    for (verb, is_private) in [("PROT C", false), ("PROT P", true), ("PROT C", false)] {
        wire.expect(verb, 200);
        wire.protect_data(is_private);
        wire.expect("RETR first", 425);
        links.push(link(&mut wire, "first"));
        wire.expect(verb, 200);
        wire.expect("RETR first", 125);
        wire.code(250);
    }
}
