//! The real daemon from outside: starts that fail, and stops.

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    common::{Site, stdout},
    wait::until,
};

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
    until("an answer of the second", || {
        let out = site.run(&["status"]);
        stdout(&out).contains(&address).then_some(())
    });
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
    until("all uploads on the move", || {
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
fn what_stands_in_the_way_of_a_start_is_told_by_the_check_too() {
    let site = Site::new("[share]\nroot = \"ftp.toml\"\n");
    for args in [&[][..], &["check"]] {
        let out = site.run(args);
        let err = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{err}");
        assert!(err.contains("ftp.toml`: not a directory"), "{err}");
    }
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let site = Site::new("run_as = \"nobody-of-that-name\"\n");
    for args in [&[][..], &["check"]] {
        let out = site.run(args);
        let err = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{err}");
        assert!(
            err.contains(
                "ftp.toml: `server.run_as`: no system user `nobody-of-that-name`: correct"
            ),
            "{err}"
        );
    }
}

/// systemd answers openat2 with ENOSYS for the one, and takes what keeps a file's group for the other.
#[test]
fn the_unit_takes_nothing_away_that_the_server_needs() {
    let unit = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../config/ftpd.service"
    ));
    let lines: Vec<_> = unit.lines().filter(|line| !line.starts_with('#')).collect();
    for word in ["RestrictSUIDSGID=", "DynamicUser="] {
        assert!(!lines.iter().any(|line| line.starts_with(word)), "{word}");
    }
    let last = lines
        .iter()
        .rfind(|line| line.starts_with("SystemCallFilter="));
    assert_eq!(last, Some(&"SystemCallFilter=@chown"));
}

#[test]
fn half_of_a_certificate_is_told_by_the_check_as_by_the_start() {
    let site = Site::new("");
    site.ok(&["cert", "--renew"]);
    std::fs::remove_file(site.config().with_file_name("ftpd-cert.pem")).unwrap();
    for args in [&[][..], &["check"]] {
        let out = site.run(args);
        let err = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{err}");
        assert!(err.contains("ftpd-cert.pem` is missing"), "{err}");
        assert!(err.contains("hint: `ftpd cert --renew`"), "{err}");
    }
}

#[test]
fn a_start_that_hangs_is_stopped() {
    use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
    let site = Site::new("");
    drop(site.start());
    let key = site.config().with_file_name("ftpd-key.pem");
    std::fs::remove_file(&key).unwrap();
    // As a file on a disk that does not answer.
    mknodat(CWD, &key, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut child = site.ftpd().spawn().unwrap();
    let _held = until("the start", || {
        open(&key, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).ok()
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    let ended = until("the end", || child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0));
}
