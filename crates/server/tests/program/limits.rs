//! Who gets in and how much at once: caps by server, address and user, and rates.

use serde_json::Value;

use crate::{
    common::{Site, curl},
    wait::until,
    wire::Wire,
};

#[test]
fn the_next_one_over_the_cap_is_told_the_cap_and_comes_in_later() {
    let site = Site::new("[limits]\nmax_clients = 3\n");
    let server = site.start();
    let mut inside: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for wire in &mut inside {
        wire.expect("220");
    }
    let refused = server.connect().expect("421");
    assert!(refused.contains("allows 3 at once"), "{refused}");
    drop(inside.pop());
    until("a place", || {
        server.connect().reply().starts_with("220").then_some(())
    });
}

/// A site whose first user, ann, has one more key.
fn site_where_ann_has(key: &str) -> Site {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    site.write_text(&text.replacen("[[user]]\n", &format!("[[user]]\n{key}\n"), 1));
    site
}

/// Whoever reads no replies cannot stay for that, not even while they wait to be sent.
#[test]
fn a_client_that_reads_nothing_is_gone_when_its_time_for_a_login_is_over() {
    use std::io::{Read as _, Write as _};
    let site = Site::new("[timeouts]\nlogin = \"1s\"\nstalled = \"10m\"\n");
    let server = site.start();
    let mut socket = std::net::TcpStream::connect(server.address).unwrap();
    socket.set_nonblocking(true).unwrap();
    let lines = b"HELP\r\n".repeat(10_000);
    // As much as the sockets take: then the server waits with its replies.
    while socket.write(&lines).is_ok() {}
    let status = || -> Value { serde_json::from_str(&site.ok(&["status", "--json"])).unwrap() };
    until("its end", || (status()["sessions"] == 0).then_some(()));
    socket.set_nonblocking(false).unwrap();
    let _reset = socket.read_to_end(&mut Vec::new());
}

#[test]
fn one_address_has_its_own_cap() {
    let site = Site::new("[limits]\nmax_per_ip = 1\n");
    let server = site.start();
    let mut first = server.connect();
    first.expect("220");
    let refused = server.connect().expect("421");
    assert!(refused.contains("from your address"), "{refused}");
}

#[test]
fn strangers_are_turned_away_by_address() {
    let site = Site::new("[server]\nlisten = [\"127.0.0.1:0\"]\nallow_from = [\"10.0.0.0/8\"]\n");
    let server = site.start();
    server.connect().expect("421");
    server.wait_for_log("does not serve your address");
}

#[test]
fn a_thousand_connects_give_every_place_back() {
    let site = Site::new("[limits]\nmax_clients = 5\nmax_per_ip = 0\n");
    let server = site.start();
    for _ in 0..1000 {
        drop(Wire::to(server.address));
    }
    // Connections are taken in order: once this one has its answer, all before it were.
    drop(server.connect().reply());
    until("all places given back", || {
        let status: Value = serde_json::from_str(&site.ok(&["status", "--json"])).unwrap();
        (status["sessions"] == 0).then_some(())
    });
    let mut inside: Vec<_> = (0..5).map(|_| server.connect()).collect();
    assert!(
        inside
            .iter_mut()
            .all(|wire| wire.reply().starts_with("220"))
    );
}

#[test]
fn a_refused_login_tells_the_log_why_and_the_client_nothing() {
    let site = Site::new("[auth]\nallow_users = [\"ann\"]\n");
    let server = site.start();
    let mut words = Vec::new();
    for (user, reason) in [
        ("bob", "not on the allow-list"),
        ("eve", "not on the allow-list"),
    ] {
        let mut wire = server.connect();
        wire.expect("220");
        wire.send(&format!("USER {user}"));
        wire.expect("331");
        wire.send("PASS wrong");
        words.push(wire.expect("530"));
        server.wait_for_log(reason);
    }
    assert_eq!(words[0], words[1]);
    server.login("ann");
}

#[test]
fn a_login_without_a_home_gives_the_accounts_place_back() {
    let site = site_where_ann_has("max_sessions = 1\nhome = \"/h\"");
    let home = site.path().join("share/h");
    let share = home.parent().unwrap();
    std::fs::create_dir_all(share).unwrap();
    std::fs::write(&home, "no directory").unwrap();
    let server = site.start();
    let mut first = server.connect();
    first.expect("220");
    assert_eq!(first.login("ann"), "530");
    std::fs::remove_file(&home).unwrap();
    std::fs::create_dir(&home).unwrap();
    let mut second = server.connect();
    second.expect("220");
    assert_eq!(second.login("ann"), "230");
    assert!(first.is_open());
}

#[test]
fn who_says_user_again_gives_the_accounts_place_back() {
    let site = site_where_ann_has("max_sessions = 1");
    let server = site.start();
    let mut first = server.login("ann");
    first.send("USER bob");
    first.expect("331");
    server.login("ann");
}

#[test]
fn four_sessions_of_a_user_share_the_users_rate() {
    let site = site_where_ann_has("rate_down = \"2 MiB/s\"");
    let server = site.start();
    std::fs::write(site.path().join("share/f"), vec![1; 1 << 20]).unwrap();
    let start = std::time::Instant::now();
    let url = format!("ftp://{}/f", server.address);
    let fetches: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || curl(&[&url]).stdout.len())
        })
        .collect();
    let moved: usize = fetches.into_iter().map(|fetch| fetch.join().unwrap()).sum();
    assert_eq!(moved, 4 << 20);
    // 4 MiB at 2 MiB/s: never sooner than the limit allows (the last block of each is not waited for).
    assert!(
        start.elapsed() >= std::time::Duration::from_millis(1300),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_user_has_no_more_sessions_than_allowed() {
    let site = site_where_ann_has("max_sessions = 1");
    let server = site.start();
    let first = server.login("ann");
    let mut second = server.connect();
    second.expect("220");
    assert_eq!(second.login("ann"), "421");
    server.login("bob");
    drop(first);
    until("ann's place", || {
        let mut wire = server.connect();
        wire.expect("220");
        (wire.login("ann") == "230").then_some(())
    });
}
