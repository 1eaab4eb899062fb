//! Rates: exact over ten seconds, shared by the sessions of a user and by all users.

use std::{
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use harness::{Server, Site, Wire, wait::AtEnd};

/// How long is counted.
const WINDOW: Duration = Duration::from_secs(10);

/// The bytes of one direction and one user so far.
#[derive(Default)]
struct Meter(AtomicU64);

impl Meter {
    fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn user(server: &Server, name: &str) -> Wire {
    let mut wire = server.wire();
    wire.login(name);
    wire.expect("TYPE I", 200);
    wire
}

/// Downloads until told to end.
fn down(server: &Server, name: &str, meter: &Meter, end: &AtomicBool) {
    use std::io::Read as _;
    let mut wire = user(server, name);
    let mut data: TcpStream = wire.passive();
    wire.expect_any("RETR big", &[125, 150]);
    let mut buffer = [0; 16 << 10];
    while !end.load(Ordering::Relaxed) {
        let got = data.read(&mut buffer).unwrap();
        meter.0.fetch_add(got as u64, Ordering::Relaxed);
    }
}

/// Uploads until told to end; what the server has taken is what counts.
fn up(server: &Server, name: &str, file: usize, end: &AtomicBool) {
    use std::io::Write as _;
    let mut wire = user(server, name);
    let mut data = wire.passive();
    wire.expect_any(&format!("STOR up{file}"), &[125, 150]);
    data.set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    while !end.load(Ordering::Relaxed) {
        let _ = data.write(&[7; 16 << 10]);
    }
}

/// The bytes that all uploads have moved, as the server counts them.
fn taken(server: &Server) -> u64 {
    super::status(server)["totals"]["bytes_up"]
        .as_u64()
        .unwrap()
}

/// Whether so many bytes in that time are the rate, within 5 %.
#[track_caller]
fn is_rate(what: &str, bytes: u64, took: Duration, mib_per_sec: f64) {
    let seen = bytes as f64 / took.as_secs_f64() / f64::from(1 << 20);
    assert!(
        (seen / mib_per_sec - 1.0).abs() <= 0.05,
        "{what}: {seen:.3} MiB/s instead of {mib_per_sec}"
    );
}

#[test]
fn four_sessions_share_the_users_rate_and_all_users_the_servers() {
    let shared = Site::new()
        .user_with(
            "ann",
            "read-write",
            "rate_down = \"2 MiB/s\"\nrate_up = \"2 MiB/s\"",
        )
        .file("big", &vec![1; 64 << 20])
        .start();
    let capped = Site::new()
        .user_with("ann", "read-write", "rate_down = \"2 MiB/s\"")
        .user("bob", "read-write")
        .key("limits", "rate_down = \"3 MiB/s\"")
        .file("big", &vec![1; 64 << 20])
        .start();
    let (anns, all, end) = (Meter::default(), Meter::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _at_end = AtEnd(&end);
        let (shared, capped, anns, all, end) = (&shared, &capped, &anns, &all, &end);
        for file in 0..4 {
            scope.spawn(move || down(shared, "ann", anns, end));
            scope.spawn(move || up(shared, "ann", file, end));
            let name = if file % 2 == 0 { "ann" } else { "bob" };
            scope.spawn(move || down(capped, name, all, end));
        }
        // The first moments are a burst that fills sockets.
        std::thread::sleep(Duration::from_secs(2));
        let look = || (anns.bytes(), all.bytes(), taken(shared));
        let (begun, from) = (Instant::now(), look());
        std::thread::sleep(WINDOW);
        let (took, to) = (begun.elapsed(), look());
        is_rate("down, one user", to.0 - from.0, took, 2.0);
        is_rate("up, one user", to.2 - from.2, took, 2.0);
        is_rate("down, all users", to.1 - from.1, took, 3.0);
    });
}
