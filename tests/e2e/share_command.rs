//! `ftpd share`: what its screen prints is enough for ftpc and for curl.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use harness::{foreign, ftpc, programs::program};

/// A share begun with one command, ended on drop.
struct Shared {
    child: Child,
    screen: String,
}

impl Shared {
    #[track_caller]
    fn start(dir: &Path, home: &Path) -> Self {
        let mut child = Command::new(program("ftpd"))
            .env_clear()
            .env("HOME", home)
            .env("TMPDIR", home)
            .args(["share", "--address", "127.0.0.1", "--no-mdns"])
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut screen = String::new();
        while !screen.contains("Shared until") {
            assert_ne!(out.read_line(&mut screen).unwrap(), 0, "ended: {screen}");
        }
        Self { child, screen }
    }

    /// Returns the word after `label`.
    #[track_caller]
    fn told(&self, label: &str) -> &str {
        let mut lines = self.screen.lines().map(str::trim_start);
        let rest = lines.find_map(|line| line.strip_prefix(label));
        rest.and_then(|rest| rest.split_whitespace().next_back())
            .unwrap_or_else(|| panic!("no `{label}`: {}", self.screen))
    }

    fn url(&self) -> &str {
        let mut words = self.screen.split_whitespace();
        words.rfind(|word| word.starts_with("ftp://")).unwrap()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn ftpc_and_curl_use_what_the_screen_prints() {
    let dir = tempfile::tempdir().unwrap();
    let (share, home) = (dir.path().join("share"), dir.path().join("home"));
    std::fs::create_dir(&share).unwrap();
    std::fs::create_dir(&home).unwrap();
    std::fs::write(share.join("there.txt"), "there").unwrap();
    let shared = Shared::start(&share, &home);

    let site = shared.told("ftpc ");
    let listed = ftpc(&home)
        .env("FTPC_PASSWORD", shared.told("passphrase "))
        .args(["--trust-new", "ls", site])
        .success();
    assert!(listed.text().contains("there.txt"), "{}", listed.text());

    std::fs::write(home.join("new.txt"), "new").unwrap();
    let Some(curl) = foreign::find("curl") else {
        return;
    };
    let curl = Command::new(curl)
        .args(["--silent", "--show-error", "--fail", "--upload-file"])
        .arg(home.join("new.txt"))
        .arg(shared.url())
        .status()
        .unwrap();
    assert!(curl.success());
    assert_eq!(std::fs::read(share.join("new.txt")).unwrap(), b"new");
}

/// Every file below a directory, by its name.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.file_name().unwrap().to_string_lossy().into_owned()),
        }
    }
    found
}

#[test]
fn no_guest_is_served_the_key() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("mine"), "mine").unwrap();
    for shared in [home.path(), Path::new("/")] {
        let _running = Shared::start(shared, home.path());
        assert_eq!(files(home.path()), ["mine"]);
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let fingerprint = || {
        let shared = Shared::start(elsewhere.path(), home.path());
        let lines = shared.screen.lines();
        let below = lines.skip_while(|line| !line.contains("SHA-256"));
        below.skip(1).take(2).collect::<String>()
    };
    assert_eq!(fingerprint(), fingerprint());
}

#[test]
fn a_share_ends_with_its_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let mut shared = Shared::start(dir.path(), dir.path());
    let pid = rustix::process::Pid::from_child(&shared.child);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    assert_eq!(shared.child.wait().unwrap().code(), Some(0));
}
