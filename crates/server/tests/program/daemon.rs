//! The real daemon from outside: starts that fail, limits, reloads, kicks, stops.

use crate::{
    common::{Site, Wire, stdout, wait_until},
    port::Kept,
};
use rustix::process::Signal;
use serde_json::Value;

#[test]
fn the_ready_line_names_the_port_the_share_and_the_users() {
    let site = Site::new("");
    let server = site.start();
    let share = site.path().join("share");
    assert_ne!(server.address.port(), 0);
    let expected = format!("share {}, users: ann, bob\n", share.display());
    assert!(server.ready.ends_with(&expected), "{}", server.ready);
}

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
    wait_until("a place", || {
        server.connect().reply().starts_with("220").then_some(())
    });
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
    wait_until("all places given back", || {
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
fn a_removed_users_session_ends_and_others_stay() {
    let site = Site::new("");
    let server = site.start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    site.write("", &["ann", "cat"]);
    site.ok(&["reload"]);
    bob.expect("421");
    assert!(ann.is_open());
    server.login("cat");
}

#[test]
fn logins_go_on_while_reloads_change_nothing_for_them() {
    let site = Site::new("");
    let server = site.start();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                site.ok(&["reload"]);
            }
        });
        let refused = (0..40).find_map(|_| {
            let mut wire = server.connect();
            wire.expect("220");
            Some(wire.login("ann")).filter(|code| code != "230")
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(refused, None);
    });
}

#[test]
fn a_changed_file_is_read_without_being_asked_and_a_bad_one_changes_nothing() {
    let site = Site::new("");
    let server = site.start();
    let mut bob = server.login("bob");
    site.write_text("[server]\nlisten = [\"127.0.0.1:0\"]\nmax = 3\n");
    server.wait_for_log("the old one stays");
    assert!(bob.is_open());
    let refused = site.run(&["reload"]);
    assert_eq!(refused.status.code(), Some(1));
    site.ok(&["status"]);
    site.write("", &["cat"]);
    wait_until("cat", || {
        let mut wire = server.connect();
        wire.expect("220");
        (wire.login("cat") == "230").then_some(())
    });
}

#[test]
fn a_reload_shares_the_directory_that_stands_under_the_name_now() {
    let site = Site::new("");
    let server = site.start();
    let share = site.path().join("share");
    let mut before = server.login("ann");
    std::fs::rename(&share, site.path().join("old")).unwrap();
    // As a disk that is taken off: nothing else is shared in its place.
    site.ok(&["reload"]);
    server.login("ann");
    assert!(!share.exists());
    std::fs::create_dir(&share).unwrap();
    std::fs::write(share.join("new"), "new").unwrap();
    site.ok(&["reload"]);
    let mut after = server.login("ann");
    after.send("SIZE new");
    after.expect("213 3");
    before.send("SIZE new");
    before.expect("550");
}

#[test]
fn status_tells_the_certificate_that_is_served() {
    let (site, other) = (Site::new(""), Site::new(""));
    let server = site.start();
    let told = || {
        let status: Value = serde_json::from_str(&site.ok(&["status", "--json"])).unwrap();
        status["certificate"]["fingerprint"].clone()
    };
    let served = told();
    // Half of a renewal: the key is still the old one's.
    other.ok(&["cert", "--renew"]);
    let cert = |site: &Site| site.config().with_file_name("ftpd-cert.pem");
    std::fs::copy(cert(&other), cert(&site)).unwrap();
    server.wait_for_log("the old one stays");
    assert!(served.is_string());
    assert_eq!(told(), served);
}

#[test]
fn hup_reloads_and_names_keys_that_need_a_restart() {
    let site = Site::new("");
    let server = site.start();
    site.write("[log]\nformat = \"json\"\n", &["ann"]);
    server.signal(Signal::HUP);
    server.wait_for_log("log.format");
}

#[test]
fn the_second_engine_is_warned_about_at_a_start_and_at_a_reload() {
    let libunftp = "[server]\nlisten = [\"127.0.0.1:0\"]\nengine = \"libunftp\"\n";
    let site = Site::new(libunftp);
    let server = site.start();
    server.wait_for_log("docs/engines.md");
    drop(server);
    site.write("", &["ann"]);
    let server = site.start();
    // A line of the start is in the log before one of the login.
    server.login("ann");
    server.wait_for_log("logged in");
    assert!(!server.log().contains("docs/engines.md"));
    site.write(libunftp, &["ann"]);
    site.ok(&["reload"]);
    server.wait_for_log("docs/engines.md");
}

#[test]
fn who_status_and_kick_speak_of_the_same_session() {
    let site = Site::new("");
    let server = site.start();
    let mut ann = server.login("ann");
    let rows: Value = serde_json::from_str(&site.ok(&["who", "--json"])).unwrap();
    assert_eq!(rows[0]["user"], "ann");
    assert_eq!(rows[0]["tls"], false);
    assert!(site.ok(&["who"]).contains("ann"));
    assert!(site.ok(&["status"]).contains("1 of 200"));
    assert_eq!(site.run(&["kick", "nobody"]).status.code(), Some(1));
    assert!(
        site.ok(&["kick", &rows[0]["id"].to_string()])
            .contains("1 session ended")
    );
    ann.expect("421");
    assert!(site.ok(&["unlock"]).contains("nobody was locked out"));
}

#[test]
fn the_metrics_endpoint_counts_logins() {
    let port = Kept::new();
    let address = port.address;
    let site = Site::new(&format!("[metrics]\nlisten = \"{address}\"\n"));
    site.write_text(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n{}",
        std::fs::read_to_string(site.config()).unwrap()
    ));
    let server = site.start();
    server.login("ann");
    let out = std::process::Command::new("curl")
        .args(["-sS", &format!("http://{address}/metrics")])
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains("ftpd_logins_total{outcome=\"accepted\"} 1\n"),
        "{text}"
    );
}

#[test]
fn term_ends_idle_sessions_with_421_and_exits_0() {
    let site = Site::new("");
    let mut server = site.start();
    let mut ann = server.login("ann");
    server.signal(Signal::TERM);
    ann.expect("421");
    assert_eq!(server.exit_code(), Some(0));
    assert_eq!(site.run(&["status"]).status.code(), Some(1));
}

#[test]
fn starts_that_cannot_be_have_one_report_and_a_code() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("[server]\nlisten = [\"{}\"]\n", busy.local_addr().unwrap());
    let open =
        "[server]\nlisten = [\"0.0.0.0:0\"]\n[[user]]\nname = \"demo\"\npassword = \"demo\"\n";
    let user = "[[user]]\nname = \"ann\"\n";
    let pair = "[tls]\ncert = \"none.pem\"\nkey = \"none.pem\"\n";
    let rows: [(&str, &str, i32); 4] = [
        (
            &format!("[server]\nlisten = [\"127.0.0.1:0\"]\n{pair}{user}"),
            "`tls.cert`: cannot read `",
            2,
        ),
        (&format!("{listen}{user}"), "another program has port", 1),
        (open, "ftpd user passwd demo", 2),
        ("[serv]\n[limits]\nmax_clients = -1\nx = 1\n", "config:", 2),
    ];
    for (text, expected, code) in rows {
        let site = Site::new("");
        site.write_text(text);
        let out = site.run(&[]);
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(err.contains(expected), "{err}");
        assert_eq!(out.status.code(), Some(code), "{err}");
    }
    let site = Site::new(pair);
    let out = site.run(&["cert"]);
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(err.contains("hint: correct `tls.cert`"), "{err}");
    assert!(!err.contains("--renew"), "{err}");
}

#[test]
fn a_missing_file_or_a_directory_is_a_configuration_fault() {
    let site = Site::new("");
    std::fs::remove_file(site.config()).unwrap();
    assert_eq!(site.run(&[]).status.code(), Some(2));
    std::fs::create_dir(site.config()).unwrap();
    let out = site.run(&[]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&out.stderr).lines().count(), 2);
}

fn curl(args: &[&str]) -> std::process::Output {
    std::process::Command::new("curl")
        .args(["-sS", "-u", "ann:right"])
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn every_transfer_has_one_line_and_hup_opens_the_file_anew() {
    let site = Site::new("[log]\nxferlog = \"x.log\"\n");
    let server = site.start();
    let local = site.path().join("a b.txt");
    std::fs::write(&local, "hello").unwrap();
    let url = format!("ftp://{}/a%20b.txt", server.address);
    assert!(
        curl(&["-T", local.to_str().unwrap(), &url])
            .status
            .success()
    );
    let record = site.config().with_file_name("x.log");
    let lines = || std::fs::read_to_string(&record).unwrap_or_default();
    wait_until("the upload's line", || {
        lines()
            .contains("/a_b.txt b _ i r ann ftp 0 * c")
            .then_some(())
    });
    let moved = record.with_extension("1");
    std::fs::rename(&record, &moved).unwrap();
    server.signal(Signal::HUP);
    wait_until("the file opened anew", || record.exists().then_some(()));
    assert!(curl(&[&url]).status.success());
    wait_until("the download's line", || {
        lines().contains(" b _ o r ann ftp 0 * c").then_some(())
    });
    assert_eq!(lines().lines().count(), 1);
    assert_eq!(std::fs::read_to_string(moved).unwrap().lines().count(), 1);
}

#[test]
fn an_upload_under_another_name_is_recorded_by_that_name() {
    let site = Site::new("[log]\nxferlog = \"x.log\"\n[uploads]\non_duplicate = \"rename\"\n");
    let server = site.start();
    let local = site.path().join("a.txt");
    std::fs::write(&local, "hello").unwrap();
    let url = format!("ftp://{}/", server.address);
    for _ in 0..2 {
        let sent = curl(&["-T", local.to_str().unwrap(), &url]);
        assert!(sent.status.success(), "{sent:?}");
    }
    let record = site.config().with_file_name("x.log");
    wait_until("the second line", || {
        let lines = std::fs::read_to_string(&record).unwrap_or_default();
        let second = lines.lines().nth(1)?.to_owned();
        assert!(second.contains(" 5 /a_(1).txt b _ i "), "{lines}");
        Some(())
    });
}

#[test]
fn a_server_that_starts_while_the_one_before_ends_can_be_asked_later() {
    let site = Site::new("[timeouts]\nshutdown_grace = \"1m\"\n");
    let mut first = site.start();
    let big = std::fs::File::create(site.path().join("share/big")).unwrap();
    big.set_len(1 << 30).unwrap();
    let mut ann = first.login("ann");
    ann.send("EPSV");
    let reply = ann.expect("229");
    let port = reply.split('|').nth(3).unwrap().parse().unwrap();
    let data = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    ann.send("RETR big");
    ann.expect("150");
    first.signal(Signal::TERM);
    first.wait_for_log("stopping");
    let second = site.start();
    second.wait_for_log("no status socket until that one ends");
    drop((ann, data));
    assert_eq!(first.exit_code(), Some(0));
    let address = second.address.to_string();
    wait_until("an answer of the second", || {
        let out = site.run(&["status"]);
        stdout(&out).contains(&address).then_some(())
    });
}

#[test]
fn who_says_user_again_gives_the_accounts_place_back() {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    site.write_text(&text.replacen("[[user]]\n", "[[user]]\nmax_sessions = 1\n", 1));
    let server = site.start();
    let mut first = server.login("ann");
    first.send("USER bob");
    first.expect("331");
    server.login("ann");
}

#[test]
fn term_lets_a_running_upload_finish() {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };
    let site = Site::new("");
    let mut server = site.start();
    let block = vec![7; 3 << 19];
    let mut uploads: Vec<_> = (0..5)
        .map(|n| {
            Command::new("curl")
                .args(["-sS", "-u", "ann:right", "-T", "-"])
                .arg(format!("ftp://{}/f{n}", server.address))
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    // None ends before all have begun, and none before the stop.
    let mut feed = |more: &[u8]| {
        for upload in &mut uploads {
            upload.stdin.as_mut().unwrap().write_all(more).unwrap();
        }
    };
    feed(&block);
    wait_until("all uploads on the move", || {
        let status: Value = serde_json::from_str(&site.ok(&["status", "--json"])).unwrap();
        (status["moving"] == 5).then_some(())
    });
    server.signal(Signal::TERM);
    server.wait_for_log("stopping");
    feed(&block);
    for upload in &mut uploads {
        drop(upload.stdin.take());
    }
    assert_eq!(server.exit_code(), Some(0));
    for mut upload in uploads {
        let _ = upload.wait();
    }
    let share = site.path().join("share");
    for n in 0..5 {
        let stored = std::fs::metadata(share.join(format!("f{n}"))).unwrap();
        assert_eq!(stored.len(), 3 << 20);
    }
    assert_eq!(std::fs::read_dir(share).unwrap().count(), 5);
}

#[test]
fn four_sessions_of_a_user_share_the_users_rate() {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    let limited = text.replacen("[[user]]\n", "[[user]]\nrate_down = \"2 MiB/s\"\n", 1);
    site.write_text(&limited);
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
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    site.write_text(&text.replacen("[[user]]\n", "[[user]]\nmax_sessions = 1\n", 1));
    let server = site.start();
    let first = server.login("ann");
    let mut second = server.connect();
    second.expect("220");
    assert_eq!(second.login("ann"), "421");
    server.login("bob");
    drop(first);
    wait_until("ann's place", || {
        let mut wire = server.connect();
        wire.expect("220");
        (wire.login("ann") == "230").then_some(())
    });
}
