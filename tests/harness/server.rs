//! A running `ftpd`: started on port 0, read by its ready line, ended by its process id.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    programs::program,
    site::Site,
    wait::{LONGEST, until},
    wire::Wire,
};

/// A running server and its site.
#[derive(Debug)]
pub struct Server {
    /// The site it serves.
    pub site: Site,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its ready line.
    pub ready: String,
    child: Child,
    log: Arc<Log>,
}

#[derive(Debug, Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Server {
    #[track_caller]
    pub(crate) fn start(site: Site, mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Log::default());
        let (err, into) = (child.stderr.take().unwrap(), Arc::clone(&log));
        thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                let mut text = into.text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                into.grown.notify_all();
            }
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (told, hear) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut ready = String::new();
            let _ = out.read_line(&mut ready);
            let _ = told.send(ready);
        });
        let ready = hear.recv_timeout(LONGEST).unwrap_or_default();
        let address = ready
            .strip_prefix("ftpd: ready on ")
            .and_then(|rest| rest.split(',').next()?.parse().ok());
        let Some(address) = address else {
            let _ = child.kill().and_then(|()| child.wait());
            panic!(
                "no ready line but `{ready}`; log:\n{}",
                log.text.lock().unwrap()
            );
        };
        Self {
            site,
            address,
            ready,
            child,
            log,
        }
    }

    /// Returns a URL of a path for user `ann`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!(
            "ftp://ann@{}/{}",
            self.address,
            path.trim_start_matches('/')
        )
    }

    /// Opens a raw control connection and reads the greeting.
    #[must_use]
    #[track_caller]
    pub fn wire(&self) -> Wire {
        Wire::open(self.address)
    }

    /// Opens a raw control connection and logs in as `ann`.
    #[must_use]
    #[track_caller]
    pub fn ann(&self) -> Wire {
        let mut wire = self.wire();
        wire.login("ann");
        wire
    }

    /// Returns the log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text.lock().unwrap().clone()
    }

    /// Waits until the log holds `words`.
    #[track_caller]
    pub fn wait_for_log(&self, words: &str) {
        let end = Instant::now() + LONGEST;
        let mut text = self.log.text.lock().unwrap();
        while !text.contains(words) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "`{words}` is not in the log:\n{text}");
            text = self.log.grown.wait_timeout(text, left).unwrap().0;
        }
    }

    /// Returns the whole log up to now: a line that was on its way is in it.
    #[must_use]
    #[track_caller]
    pub fn log_up_to_now(&self) -> String {
        static MARKS: AtomicUsize = AtomicUsize::new(0);
        // Nobody is called that; that nobody was sent away is logged behind all before.
        let mark = format!("mark-{}-", MARKS.fetch_add(1, Ordering::Relaxed));
        let _ = self.control(&["kick", &mark]);
        self.wait_for_log(&mark);
        self.log()
    }

    /// Runs one of `ftpd`'s own commands on this server, such as `who`.
    #[must_use]
    pub fn control(&self, args: &[&str]) -> Output {
        command(&self.site).args(args).output().unwrap()
    }

    /// Runs a command on this server that must succeed, and returns what it printed.
    #[allow(
        clippy::must_use_candidate,
        reason = "that it succeeds is often enough"
    )]
    #[track_caller]
    pub fn told(&self, args: &[&str]) -> String {
        let out = self.control(args);
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let why = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{args:?}: {text}{why}");
        text
    }

    /// Returns how many files and sockets the server has open.
    #[must_use]
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .unwrap()
            .count()
    }

    /// Sends the server a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Does `work` while the server stands still: what comes to it meanwhile, it finds together.
    #[track_caller]
    pub fn standing_still<T>(&self, work: impl FnOnce() -> T) -> T {
        self.signal(Signal::STOP);
        until("the server stands still", || {
            self.status("State:").starts_with('T').then_some(())
        });
        let done = work();
        self.signal(Signal::CONT);
        done
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Returns the resident memory in KiB.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let resident = self.status("VmRSS:");
        resident.trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Returns what the system says of the server behind `key`.
    fn status(&self, key: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(key));
        value.unwrap().trim().to_owned()
    }

    /// Kills the server (`kill -9`) and returns its site, for another start.
    #[must_use]
    pub fn kill(mut self) -> Site {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::mem::take(&mut self.site)
    }

    /// Stops the server by SIGTERM and returns its site and exit code.
    #[must_use]
    #[track_caller]
    pub fn stop(self) -> (Site, Option<i32>) {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits until the server has ended, and returns its site and exit code.
    #[must_use]
    #[track_caller]
    pub fn ended(mut self) -> (Site, Option<i32>) {
        let code = wait(&mut self.child).code();
        (std::mem::take(&mut self.site), code)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn wait(child: &mut Child) -> std::process::ExitStatus {
    until("the server ends", || child.try_wait().unwrap())
}

/// The same command with the same environment, begun by a line of shell that ends in
/// `exec "$0" "$@"`.
#[must_use]
pub fn through_shell(ftpd: &Command, script: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", script])
        .arg(ftpd.get_program())
        .args(ftpd.get_args())
        .env_clear()
        .envs(
            ftpd.get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        )
        .stdin(Stdio::null());
    shell
}

/// `ftpd --config` of a site in a clean environment.
#[must_use]
pub fn command(site: &Site) -> Command {
    let mut command = Command::new(program("ftpd"));
    command
        .env_clear()
        .env("HOME", site.path())
        // For the status socket.
        .env("XDG_RUNTIME_DIR", site.path())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("TZ", "UTC")
        .current_dir(site.path())
        .arg("--config")
        .arg(site.config())
        .stdin(Stdio::null());
    command
}
