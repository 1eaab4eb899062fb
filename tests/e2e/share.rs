//! The share's promises, through the real server: rights, a killed server, a full disk, races, size.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use harness::{Site, Wire, client::noise, server::AtEnd, tls};

/// What an account tries; each answers with a refusal or its success.
const ACTS: [(&str, &str); 13] = [
    ("list", "NLST"),
    ("list", "MLST there"),
    ("list", "SIZE there"),
    ("read", "RETR there"),
    ("read", "XMD5 there"),
    ("write", "STOR fresh"),
    ("overwrite", "MFMT 20200102030405 there"),
    ("overwrite", "STOR there"),
    ("overwrite", "APPE there"),
    ("rename", "RNFR there"),
    ("mkdir", "MKD made"),
    ("chmod", "SITE CHMOD 640 there"),
    ("delete", "DELE there"),
];

/// What `can` says, and the rights that this is.
const RIGHTS: [(&str, &[&str]); 11] = [
    (
        "read-write",
        &[
            "list",
            "read",
            "write",
            "overwrite",
            "delete",
            "rename",
            "mkdir",
            "chmod",
        ],
    ),
    ("read-only", &["list", "read"]),
    ("dropbox", &["write", "mkdir"]),
    ("list", &["list"]),
    ("read", &["read"]),
    ("write", &["write"]),
    ("write overwrite", &["write", "overwrite"]),
    ("delete", &["delete"]),
    ("rename", &["rename"]),
    ("mkdir", &["mkdir"]),
    ("chmod", &["chmod"]),
];

#[test]
fn every_right_allows_its_verbs_and_no_other() {
    let users = RIGHTS.iter().enumerate();
    let site = users.fold(Site::new(), |site, (n, (can, _))| {
        site.user(&format!("u{n}"), can)
    });
    let server = site.start();
    for (n, (_, rights)) in RIGHTS.iter().enumerate() {
        for (right, act) in ACTS {
            for name in ["fresh", "made"] {
                let path = server.site.disk(name);
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
            }
            fs::write(server.site.disk("there"), "bytes").unwrap();
            let mut wire = server.wire();
            wire.login(&format!("u{n}"));
            let (code, text) = attempt(&mut wire, act);
            let answer = format!("{rights:?}: {act}: {code} {text}");
            if rights.contains(&right) {
                assert!(code < 400, "{answer}");
                // The size is for those who may list.
                let told = act.starts_with("MFMT") && text.contains("Size=5;");
                assert_eq!(told, act.starts_with("MFMT") && rights.contains(&"list"));
                continue;
            }
            assert_eq!(code, 550, "{answer}");
            let named = text.contains(&format!("`{right}`")) || text.contains("`write`");
            assert!(named, "{answer}");
            let there = fs::read(server.site.disk("there")).unwrap();
            assert_eq!(there, b"bytes", "{answer}");
        }
    }
}

#[test]
fn who_may_only_add_sets_the_time_of_what_was_just_added() {
    let server = Site::new()
        .user("drop", "dropbox")
        .file("there", b"bytes")
        .start();
    let mut wire = server.wire();
    wire.login("drop");
    wire.store("STOR fresh", b"new");
    wire.expect("MFMT 20200102030405 fresh", 213);
    wire.expect("MFMT 20200102030405 there", 550);
    wire.store("STOR second", b"new");
    wire.expect("MFMT 20200102030405 fresh", 550);
}

/// Does one act to its end; returns the code that decided.
fn attempt(wire: &mut Wire, act: &str) -> (u16, String) {
    let moves = ["NLST", "RETR", "STOR", "APPE"]
        .iter()
        .any(|verb| act.starts_with(verb));
    if !moves {
        let reply = wire.command(act);
        return (reply.code, reply.text());
    }
    let data = wire.passive();
    let mut reply = wire.command(act);
    if reply.code < 200 {
        let data = wire.guard(data);
        if act.starts_with("STOR") || act.starts_with("APPE") {
            data.write_whole(b"new");
        } else {
            data.read_all();
        }
        reply = wire.reply();
    }
    (reply.code, reply.text())
}

/// How often the server is killed: a few times here, `FTP_E2E_KILLS=200` for the long run.
fn kills() -> usize {
    std::env::var("FTP_E2E_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12)
}

/// Every whole file that the load stores: its length tells its bytes, and none is empty.
fn whole(bytes: &[u8]) -> bool {
    let thousands = bytes.len() / 1000;
    thousands > 0
        && bytes.len() == thousands * 1000
        && bytes
            .iter()
            .all(|byte| usize::from(*byte) == thousands % 251)
}

fn content(kib: usize) -> Vec<u8> {
    let len = kib * 1000;
    vec![(len / 1000 % 251) as u8; len]
}

#[test]
fn a_killed_server_leaves_only_whole_files() {
    let mut site = Site::with_ann().key("uploads", "fsync = \"file\"");
    for i in 0..8 {
        site = site.file(&format!("f{i}"), &content(50 + i));
    }
    let mut seen = 0;
    for round in 0..kills() {
        let server = std::mem::take(&mut site).start();
        let address = server.address;
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _at_end = AtEnd(&stop);
            for worker in 0..4 {
                let stop = &stop;
                scope.spawn(move || load(address, worker, stop));
            }
            // The moment is chosen by how far the load has come, and differs from round to round.
            let until = Instant::now() + Duration::from_millis(20 + (round as u64 * 37) % 180);
            while Instant::now() < until {
                std::thread::yield_now();
            }
            site = server.kill();
        });
        let names = fs::read_dir(site.share()).unwrap();
        for entry in names.map(Result::unwrap) {
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with(".ftpd-part-")
            {
                continue;
            }
            let bytes = fs::read(entry.path()).unwrap();
            assert!(
                whole(&bytes),
                "round {round}: {:?} holds {} mixed bytes",
                entry.file_name(),
                bytes.len()
            );
            seen += 1;
        }
    }
    assert!(seen >= kills(), "the load stored nothing");
}

/// Uploads, overwrites, renames and deletes until the server is gone.
fn load(address: std::net::SocketAddr, worker: usize, stop: &AtomicBool) {
    let _ = std::panic::catch_unwind(|| {
        let mut wire = Wire::open(address);
        wire.login("ann");
        for turn in 0..10_000 {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let name = format!("f{}", (worker * 3 + turn) % 8);
            wire.store(
                &format!("STOR {name}"),
                &content(1 + (worker * 61 + turn * 17) % 240),
            );
            if turn % 5 == 0 {
                wire.command(&format!("RNFR {name}"));
                wire.command(&format!("RNTO f{}", turn % 8));
            }
            if turn % 7 == 0 {
                wire.command(&format!("DELE f{}", (turn + 3) % 8));
            }
        }
    });
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
