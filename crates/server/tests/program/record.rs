//! What a running server tells: its sessions, certificate and metrics, and a line for each
//! transfer.

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    common::{Site, curl},
    port::Kept,
    wait::until,
};

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
    server.wait_for_log("the certificate of before is served on");
    assert!(served.is_string());
    assert_eq!(told(), served);
}

#[test]
fn a_log_that_nobody_reads_holds_up_no_session() {
    let site = Site::new("[log]\nlevel = \"trace\"\n");
    let (mut server, errors) = site.start_unread();
    let mut ann = server.login("ann");
    // More than a pipe and the queue behind it hold.
    for _ in 0..8_000 {
        ann.send("NOOP");
        ann.expect("200");
    }
    server.read_log(errors);
    server.wait_for_log("lines of it are lost");
    ann.send("CWD /no-such-place");
    ann.expect("550");
    server.wait_for_log("no-such-place");
    // What was said before the end is written before it.
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), Some(0));
    server.wait_for_log("stopped");
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
    until("the upload's line", || {
        lines()
            .contains("/a_b.txt b _ i r ann ftp 0 * c")
            .then_some(())
    });
    let moved = record.with_extension("1");
    std::fs::rename(&record, &moved).unwrap();
    server.signal(Signal::HUP);
    until("the file opened anew", || record.exists().then_some(()));
    assert!(curl(&[&url]).status.success());
    until("the download's line", || {
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
    until("the second line", || {
        let lines = std::fs::read_to_string(&record).unwrap_or_default();
        let second = lines.lines().nth(1)?.to_owned();
        assert!(second.contains(" 5 /a_(1).txt b _ i "), "{lines}");
        Some(())
    });
}

#[test]
fn whoever_changes_something_stands_in_the_log() {
    for engine in ["native", "libunftp"] {
        let listen = "listen = [\"127.0.0.1:0\"]";
        let site = Site::new(&format!("[server]\nengine = \"{engine}\"\n{listen}\n"));
        let server = site.start();
        let mut ann = server.login("ann");
        for (line, code) in [
            ("MKD d", "257"),
            ("RNFR d", "350"),
            ("RNTO e", "250"),
            ("RMD e", "250"),
            ("DELE none", "550"),
        ] {
            ann.send(line);
            ann.expect(code);
        }
        std::fs::write(site.path().join("share/f"), "f").unwrap();
        ann.send("DELE f");
        ann.expect("250");
        for words in [
            r#"changed verb="MKD" user=ann path="/d""#,
            r#"changed verb="RNTO" user=ann path="/d" to="/e""#,
            r#"changed verb="RMD" user=ann path="/e""#,
            r#"changed verb="DELE" user=ann path="/f""#,
        ] {
            server.wait_for_log(words);
        }
        assert!(!server.log().contains(r#"path="/none""#));
    }
}
