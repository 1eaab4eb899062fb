//! `ftpc`, run to its end in a clean environment with a home of its own.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{programs::program, site::PASSWORD};

/// A run of `ftpc` that is being put together.
#[must_use]
#[derive(Debug)]
pub struct Ftpc {
    command: Command,
    stdin: Vec<u8>,
}

/// A run that goes on.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
    feeder: JoinHandle<()>,
    ended: JoinHandle<Output>,
}

impl Running {
    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }

    /// Tells whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended.is_finished()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// It takes far too long; then it is ended.
    #[must_use]
    #[track_caller]
    pub fn wait(self) -> Ran {
        let end = Instant::now() + Duration::from_secs(120);
        while !self.ended.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
        let late = !self.ended.is_finished();
        if late {
            let _ = kill_process(self.pid, Signal::KILL);
        }
        let out = self.ended.join().unwrap();
        self.feeder.join().unwrap();
        let ran = Ran {
            code: out.status.code().unwrap_or(-1),
            stdout: out.stdout,
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        };
        assert!(!late, "it does not end: {}", ran.stderr);
        ran
    }
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it answered.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: String,
}

/// Begins a run of `ftpc` in `dir`, with that home and the password of every site's users.
pub fn ftpc(dir: &Path) -> Ftpc {
    let mut command = Command::new(program("ftpc"));
    command
        .env_clear()
        .env("HOME", dir)
        .env("XDG_CONFIG_HOME", dir.join(".config"))
        .env("PATH", "/usr/bin:/bin")
        .env("TZ", "UTC")
        .env("COLUMNS", "80")
        .env("FTPC_PASSWORD", PASSWORD)
        .current_dir(dir);
    Ftpc {
        command,
        stdin: Vec::new(),
    }
}

impl Ftpc {
    /// Adds arguments.
    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Gives it something to read.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Starts it, to be looked at while it runs.
    pub fn start(mut self) -> Running {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = std::mem::take(&mut self.stdin);
        let feeder = std::thread::spawn(move || {
            let _ = stdin.write_all(&bytes);
        });
        let pid = Pid::from_child(&child);
        // Read all the time: a full pipe would stop it.
        let ended = std::thread::spawn(move || child.wait_with_output().unwrap());
        Running { pid, feeder, ended }
    }

    /// Runs it.
    pub fn run(self) -> Ran {
        self.start().wait()
    }

    /// Runs it; it must succeed.
    #[track_caller]
    pub fn success(self) -> Ran {
        self.code(0)
    }

    /// Runs it; it must end with this code.
    #[track_caller]
    pub fn code(self, code: i32) -> Ran {
        let shown = format!("{:?}", self.command);
        let ran = self.run();
        assert_eq!(
            ran.code,
            code,
            "{shown}\nstderr: {}\nstdout: {}",
            ran.stderr,
            ran.text()
        );
        ran
    }
}

impl Ran {
    /// Returns stdout as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Requires words on stderr.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(
            self.stderr.contains(words),
            "`{words}` is not in: {}",
            self.stderr
        );
        self
    }
}

/// Makes a file with bytes that repeat late, and returns its path.
pub fn sample(dir: &Path, name: &str, bytes: usize) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, noise(bytes)).unwrap();
    path
}

/// Bytes that repeat late.
#[must_use]
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    (0..bytes)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}
