//! A server that is killed, again and again.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use harness::{Site, Wire, wait::AtEnd};

use super::content;

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
