//! A real `ftpd` on a free port of loopback.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use crate::{wait::until, wire::Wire};

/// The password of `ann` and `bob` in [`Site`].
pub(crate) const PASSWORD: &str = "right";

/// A directory with an `ftp.toml`.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    hash: String,
}

impl Site {
    /// Writes a configuration with users ann and bob on a free port; `more` comes first.
    pub(crate) fn new(more: &str) -> Self {
        let site = Self {
            dir: tempfile::tempdir().unwrap(),
            hash: ftpd::auth::password::hash(&ftp_config::Secret::new(PASSWORD)).unwrap(),
        };
        site.write(more, &["ann", "bob"]);
        site
    }

    /// Writes the configuration again, whole, by rename.
    pub(crate) fn write(&self, more: &str, users: &[&str]) {
        let hash = &self.hash;
        let listen = if more.contains("listen") {
            ""
        } else {
            "[server]\nlisten = [\"127.0.0.1:0\"]\n"
        };
        let mut text = format!("{listen}{more}\n");
        for user in users {
            text += &format!("[[user]]\nname = \"{user}\"\npassword = \"{hash}\"\n");
        }
        self.write_text(&text);
    }

    /// Puts `text` in the place of the configuration.
    pub(crate) fn write_text(&self, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let beside = self.dir.path().join("config/new");
        std::fs::create_dir_all(self.dir.path().join("config")).unwrap();
        std::fs::write(&beside, text).unwrap();
        std::fs::set_permissions(&beside, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::rename(beside, self.config()).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("config/ftp.toml")
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// `ftpd --config` with a clean environment.
    pub(crate) fn ftpd(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ftpd"));
        command
            .env_clear()
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(self.dir.path())
            .arg("--config")
            .arg(self.config());
        command
    }

    /// Runs a verb to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.ftpd().args(args).output().unwrap()
    }

    /// Runs a verb that must work; returns what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args);
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{args:?}: {err}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// Starts the server and waits for its ready line.
    #[track_caller]
    pub(crate) fn start(&self) -> Daemon {
        let (daemon, errors) = self.start_unread();
        daemon.read_log(errors);
        daemon
    }

    /// Starts the server, and leaves to the caller to read its log.
    #[track_caller]
    pub(crate) fn start_unread(&self) -> (Daemon, ChildStderr) {
        let mut child = self
            .ftpd()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = child.stderr.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .strip_prefix("ftpd: ready on ")
            .and_then(|rest| rest.split(',').next())
            .and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| {
            let mut log = String::new();
            let _ = child.kill().and_then(|()| errors.read_to_string(&mut log));
            panic!("`{line}`: {log}")
        });
        let daemon = Daemon {
            address,
            child: Ended(child),
            log: Arc::default(),
            ready: line,
        };
        (daemon, errors)
    }
}

/// A running server.
pub(crate) struct Daemon {
    pub(crate) address: SocketAddr,
    pub(crate) ready: String,
    child: Ended,
    log: Arc<Mutex<String>>,
}

impl Daemon {
    /// Reads the log from now on.
    pub(crate) fn read_log(&self, errors: ChildStderr) {
        let into = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut log = into.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has `text`.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        until(text, || self.log().contains(text).then_some(()));
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the server's own end; returns its exit code.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let child = &mut self.child.0;
        until("the server's end", || child.try_wait().unwrap()).code()
    }

    pub(crate) fn connect(&self) -> Wire {
        Wire::to(self.address)
    }

    /// Connects and tries to log in; returns the code of the answer.
    pub(crate) fn connect_as(&self, user: &str) -> String {
        let mut wire = self.connect();
        wire.expect("220");
        wire.login(user)
    }

    /// Connects and logs in.
    #[track_caller]
    pub(crate) fn login(&self, user: &str) -> Wire {
        let mut wire = self.connect();
        wire.expect("220");
        assert_eq!(wire.login(user), "230");
        wire
    }
}

/// A program that ends with its test.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `ftpd` with a clean environment and no configuration.
pub(crate) fn ftpd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftpd"));
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TZ", "UTC");
    command
}

/// Runs curl as ann.
pub(crate) fn curl(args: &[&str]) -> Output {
    Command::new("curl")
        .args(["-sS", "-u", "ann:right"])
        .args(args)
        .output()
        .unwrap()
}

pub(crate) fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

pub(crate) fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}
