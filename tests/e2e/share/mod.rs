//! The share's promises, through the real server: rights, a killed server, a full disk, races, size.

mod clones;
mod full;
mod hung;
mod killed;
mod rights;
mod servers;

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use harness::{Site, Wire, client::noise, tls, wait::AtEnd};

/// Bytes whose number tells what they are.
fn content(kib: usize) -> Vec<u8> {
    let len = kib * 1000;
    vec![(len / 1000 % 251) as u8; len]
}

#[test]
fn a_full_share_says_452_loses_nothing_and_goes_on() {
    let Some(site) = Site::with_ann().on_tmpfs("size=64m") else {
        return;
    };
    fs::write(site.disk("old"), content(100)).unwrap();
    let server = site.start();
    let mut wire = server.ann();
    wire.store("STOR fill", &noise(60 << 20));
    for act in ["STOR new", "STOR old", "APPE old", "STOR again"] {
        let data = wire.passive();
        let mut reply = wire.command(act);
        if reply.code < 200 {
            let mut data = wire.guard(data);
            let bytes = noise(8 << 20);
            // The server closes as soon as it knows: what cannot be written then does not matter.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| data.write(&bytes)));
            drop(data);
            reply = wire.reply();
        }
        assert_eq!(reply.code, 452, "{act}: {}", reply.text());
    }
    assert!(!server.site.disk("new").exists());
    assert_eq!(fs::read(server.site.disk("old")).unwrap(), content(100));
    let left = fs::read_dir(server.site.share()).unwrap().count();
    assert_eq!(left, 2, "a partial that could never be finished was kept");
    wire.expect("DELE fill", 250);
    wire.store("STOR fits", &noise(50 << 20));
}

/// Small or large, as they are, as text or in blocks.
#[test]
fn the_reserve_is_kept_however_the_bytes_come() {
    let site = Site::with_ann()
        .key("share", "reserve = \"512 KiB\"")
        .key("server", "ascii_conversion = true");
    let Some(site) = site.on_tmpfs("size=1m") else {
        return;
    };
    let server = site.start();
    let mut wire = server.ann();
    let refused = |wire: &mut Wire, line: &str, bytes: &[u8]| {
        let data = wire.passive();
        wire.expect(line, 150);
        let mut data = wire.guard(data);
        // The server closes as soon as it knows.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| data.write(bytes)));
        drop(data);
        wire.code(452);
    };
    let bytes = vec![b'x'; 600_000];
    wire.expect("TYPE A", 200);
    refused(&mut wire, "STOR text", &bytes);
    wire.expect("TYPE I", 200);
    let small = &bytes[..200_000];
    wire.store("STOR one", small);
    wire.store("STOR two", small);
    refused(&mut wire, "STOR three", small);
    for name in ["one", "two"] {
        wire.expect(&format!("DELE {name}"), 250);
    }
    wire.expect("MODE B", 200);
    let block = [&[64, 0xea, 0x60][..], &bytes[..60_000]].concat();
    let unended = [&[0][..], &block[1..]].concat();
    refused(&mut wire, "STOR blocks", &unended.repeat(10));
    assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 0);
}

#[test]
fn a_share_without_room_for_one_more_name_says_452_and_goes_on() {
    let Some(site) = Site::with_ann().on_tmpfs("size=1m,nr_inodes=40") else {
        return;
    };
    fs::write(site.disk("old"), "old").unwrap();
    let server = site.start();
    let mut wire = server.ann();
    let refused = (0..50)
        .map(|i| wire.command(&format!("MKD d{i}")))
        .find(|reply| reply.code != 257)
        .expect("40 names hold 50");
    assert_eq!(refused.code, 452, "{}", refused.text());
    for act in ["STOR new", "STOR old", "STOU"] {
        wire.passive();
        assert_eq!(wire.command(act).code, 452, "{act}");
    }
    assert_eq!(fs::read(server.site.disk("old")).unwrap(), b"old");
    wire.expect("RNFR old", 350);
    wire.expect("RNTO still here", 250);
    wire.expect("RMD d0", 250);
    wire.expect("MKD fits", 257);
    wire.expect("RMD fits", 250);
    wire.store("STOR fits too", b"new");
}

#[test]
fn swapped_links_never_show_anything_from_outside() {
    let secs: u64 = std::env::var("FTP_E2E_RACE_SECS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(3);
    let site = Site::with_ann().file("d/in", b"inside");
    let outside = site.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("in"), "outside").unwrap();
    fs::write(outside.join("only-outside"), "outside").unwrap();
    symlink("../outside", site.disk("bad")).unwrap();
    let server = site.start();
    let (d, bad, tmp) = (
        server.site.disk("d"),
        server.site.disk("bad"),
        server.site.disk("tmp"),
    );
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _at_end = AtEnd(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (from, to) in [(&d, &tmp), (&bad, &d), (&d, &bad), (&tmp, &d)] {
                    fs::rename(from, to).unwrap();
                }
            }
        });
        let mut wire = server.ann();
        let end = Instant::now() + Duration::from_secs(secs);
        while Instant::now() < end {
            for act in ["RETR d/in", "NLST d", "STOR d/new", "MLSD d"] {
                let data = wire.passive();
                if wire.command(act).code >= 400 {
                    continue;
                }
                let data = wire.guard(data);
                if act.starts_with("STOR") {
                    data.write_whole(b"x");
                } else {
                    let text = String::from_utf8_lossy(&data.read_all()).into_owned();
                    assert!(!text.contains("outside"), "{act}: {text}");
                }
                wire.reply();
            }
            wire.command("DELE d/only-outside");
            if wire.command("CWD d").code == 250 {
                wire.command("CWD /");
            }
            if wire.command("RNFR d/only-outside").code == 350 {
                wire.command("RNTO stolen");
            }
        }
    });
    let mut left: Vec<_> = fs::read_dir(&outside)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["in", "only-outside"]);
    assert_eq!(fs::read(outside.join("in")).unwrap(), b"outside");
}

#[test]
fn a_hundred_thousand_names_are_listed_in_bounded_memory() {
    let site = Site::with_ann();
    fs::create_dir(site.disk("many")).unwrap();
    for i in 0..100_000 {
        fs::File::create(site.disk(&format!("many/a file of some length {i:06}"))).unwrap();
    }
    let server = site.start();
    for secure in [false, true] {
        let mut wire = server.wire();
        if secure {
            wire.secure(&tls::client(&[&rustls::version::TLS13]));
        }
        wire.login("ann");
        wire.expect("CWD many", 250);
        assert_eq!(wire.list("NLST").len(), 100_000);
        let before = server.resident_kib();
        let lines = wire.list("MLSD");
        let names = lines
            .iter()
            .filter(|line| line.contains("; a file of some length "))
            .count();
        assert_eq!(names, 100_000);
        let grown = server.resident_kib().saturating_sub(before);
        assert!(grown < 16 * 1024, "{grown} KiB more");
    }
}
