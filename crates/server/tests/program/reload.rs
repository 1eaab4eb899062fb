//! A configuration that changes below a running server.

use rustix::process::Signal;

use crate::{
    common::{Site, stderr},
    wait::until,
};

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
    until("cat", || (server.connect_as("cat") == "230").then_some(()));
}

#[test]
fn a_refused_configuration_is_read_again_when_what_it_names_is_written() {
    let site = Site::new("[tls]\nmode = \"off\"\n");
    let server = site.start();
    // A list that is not there, in a directory that is not there either.
    site.write(
        "[tls]\nmode = \"off\"\n[auth]\nallow_users_file = \"lists/allowed\"\n",
        &["ann", "cat"],
    );
    server.wait_for_log("the old one stays");
    let lists = site.config().with_file_name("lists");
    std::fs::create_dir(&lists).unwrap();
    std::fs::write(lists.join("allowed"), "cat\n").unwrap();
    until("cat", || (server.connect_as("cat") == "230").then_some(()));
    // A certificate and a key that are not there.
    site.write(
        "[tls]\ncert = \"own.pem\"\nkey = \"own-key.pem\"\n",
        &["ann", "dan"],
    );
    server.wait_for_log("`tls.cert`: cannot read");
    let beside = |name: &str| site.config().with_file_name(name);
    ftpd::tls::selfsigned::make(
        &beside("own.pem"),
        &beside("own-key.pem"),
        &["localhost".to_owned()],
    )
    .unwrap();
    until("dan", || (server.connect_as("dan") == "230").then_some(()));
}

#[test]
fn a_reload_shares_the_directory_that_stands_under_the_name_now() {
    let site = Site::new("");
    let server = site.start();
    let share = site.path().join("share");
    let mut before = server.login("ann");
    std::fs::rename(&share, site.path().join("old")).unwrap();
    // As a disk that is taken off: nothing else is shared in its place, and whoever asks is told.
    let told = site.run(&["reload"]);
    assert_eq!(told.status.code(), Some(1));
    let words = String::from_utf8_lossy(&told.stderr);
    assert!(
        words.contains("configuration loaded; share.root is gone"),
        "{words}"
    );
    let looked = site.run(&["doctor"]);
    assert_eq!(looked.status.code(), Some(1));
    let words = String::from_utf8_lossy(&looked.stdout);
    assert!(
        words.contains("is gone; the running server serves"),
        "{words}"
    );
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
fn a_share_with_another_at_its_path_is_told_to_whoever_asks() {
    let site = Site::new("");
    let server = site.start();
    let share = site.path().join("share");
    server.login("ann");
    let asked = || {
        let (status, doctor) = (site.run(&["status"]), site.run(&["doctor"]));
        [status, doctor].map(|told| String::from_utf8(told.stdout).unwrap())
    };
    let words = "another directory or disk stands at share.root";
    for told in asked() {
        assert!(!told.contains(words), "{told}");
    }
    std::fs::rename(&share, site.path().join("old")).unwrap();
    std::fs::create_dir(&share).unwrap();
    // A login looks.
    server.login("ann");
    for told in asked() {
        assert!(told.contains(words), "{told}");
    }
    site.ok(&["reload"]);
    for told in asked() {
        assert!(!told.contains(words), "{told}");
    }
}

#[test]
fn a_share_that_has_gone_before_a_start_is_not_made_without_a_word() {
    for more in ["", "[tls]\nmode = \"off\"\n"] {
        a_share_that_has_gone_is_told(more);
    }
}

fn a_share_that_has_gone_is_told(more: &str) {
    let site = Site::new(more);
    std::fs::create_dir_all(site.path().join("share")).unwrap();
    let server = site.start();
    assert!(!server.log().contains("if a disk belongs there"));
    drop(server);
    std::fs::remove_dir(site.path().join("share")).unwrap();
    let server = site.start();
    server.wait_for_log("if a disk belongs there, mount it and restart");
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
fn a_change_is_taken_when_the_command_returns_or_its_refusal_is_told() {
    let site = Site::new("");
    let server = site.start();
    site.ok(&["user", "remove", "bob"]);
    let mut wire = server.connect();
    wire.expect("220");
    assert_eq!(wire.login("bob"), "530");
    // What only the running server meets: its share cannot be opened any more.
    site.write("[share]\nroot = \"/dev/null\"\n", &["ann", "cat"]);
    let refused = site.run(&["user", "remove", "cat"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = stderr(&refused);
    assert!(told.contains("the old configuration stays"), "{told}");
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_nobodys_account() {
    let site = Site::new("");
    let server = site.start();
    std::fs::write(site.config().with_file_name("ftpd-key.pem"), "broken").unwrap();
    let half = site.run(&["user", "remove", "bob"]);
    assert_eq!(half.status.code(), Some(1));
    let told = stderr(&half);
    assert!(
        told.contains("the certificate of before is served on"),
        "{told}"
    );
    let mut wire = server.connect();
    wire.expect("220");
    assert_eq!(wire.login("bob"), "530");
    wire.send("AUTH TLS");
    wire.expect("234");
}

#[test]
fn a_rotated_record_is_left_whatever_is_wrong_with_the_configuration() {
    let site = Site::new("[log]\nxferlog = \"x.log\"\n");
    let server = site.start();
    let log = site.config().with_file_name("x.log");
    let log = if log.exists() {
        log
    } else {
        site.path().join("x.log")
    };
    std::fs::rename(&log, log.with_extension("1")).unwrap();
    site.write_text("[server]\nmax = 3\n");
    assert_eq!(site.run(&["reload"]).status.code(), Some(1));
    until("the new record", || log.exists().then_some(()));
    server.wait_for_log("the old one stays");
}

#[test]
fn a_reload_that_hangs_holds_no_stop() {
    use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
    let site = Site::new("");
    let mut server = site.start();
    let key = site.config().with_file_name("ftpd-key.pem");
    std::fs::remove_file(&key).unwrap();
    // As a file on a disk that does not answer.
    mknodat(CWD, &key, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    server.signal(Signal::HUP);
    let _held = until("the reload", || {
        open(&key, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).ok()
    });
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), Some(0));
}
