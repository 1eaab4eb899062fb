//! The servers beside which `ftpd` is measured: started on loopback with one user and one share.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    configs,
    wire::{Session, Target},
};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ftpd` with its own engine.
    Ftpd,
    /// `ftpd` with libunftp's engine.
    FtpdLibunftp,
    /// vsftpd.
    Vsftpd,
    /// ProFTPD.
    Proftpd,
    /// Pure-FTPd.
    Pureftpd,
    /// pyftpdlib.
    Pyftpdlib,
}

impl Kind {
    /// Every server, ours first.
    pub(crate) const ALL: [Self; 6] = [
        Self::Ftpd,
        Self::FtpdLibunftp,
        Self::Vsftpd,
        Self::Proftpd,
        Self::Pureftpd,
        Self::Pyftpdlib,
    ];

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ftpd => "ftpd",
            Self::FtpdLibunftp => "ftpd-libunftp",
            Self::Vsftpd => "vsftpd",
            Self::Proftpd => "proftpd",
            Self::Pureftpd => "pure-ftpd",
            Self::Pyftpdlib => "pyftpdlib",
        }
    }

    /// Whether this is the server under test and not a peer.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Ftpd | Self::FtpdLibunftp)
    }
}

/// Where programs, configs and the share of a run are.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// A folder of the run's own.
    pub(crate) dir: PathBuf,
    /// Where `ftpd` and `ftpc` were built.
    pub(crate) bin: PathBuf,
    /// Where the peers were unpacked (`tests/peers` fills it).
    pub(crate) peers: PathBuf,
}

impl Place {
    /// The shared directory; the files are in `pub` below it.
    pub(crate) fn share(&self) -> PathBuf {
        self.dir.join("share")
    }

    /// Returns a command for `program` that finds the libraries unpacked beside it.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let root = self.peers.join("root");
        let dirs: Vec<PathBuf> = ["usr/lib", "lib"]
            .into_iter()
            .map(|dir| root.join(dir).join("x86_64-linux-gnu"))
            .filter(|dir| dir.is_dir())
            .collect();
        if let (false, Ok(path)) = (dirs.is_empty(), std::env::join_paths(dirs)) {
            command.env("LD_LIBRARY_PATH", path);
        }
        command
    }

    /// Returns the path of an unpacked program, or of the installed one.
    pub(crate) fn program(&self, path: &str) -> Option<PathBuf> {
        let unpacked = [self.peers.join(path), self.peers.join("root").join(path)];
        let installed = Path::new("/").join(path);
        unpacked
            .into_iter()
            .chain([installed])
            .find(|path| path.is_file())
    }
}

/// One running server; dropped: ended, by its process id.
pub(crate) struct Server {
    /// Which one.
    pub(crate) kind: Kind,
    /// Where to log in.
    pub(crate) target: Target,
    /// From start to greeting.
    pub(crate) ready_after: Duration,
    child: Child,
}

impl Server {
    /// Starts `kind` and waits for its greeting; `Ok(None)` when it is not on this machine.
    pub(crate) fn start(place: &Place, kind: Kind) -> Result<Option<Self>> {
        let port = free_port()?;
        let Some(mut command) = configs::command(place, kind, port)? else {
            return Ok(None);
        };
        let log = fs::File::create(place.dir.join(format!("{}.log", kind.name())))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let begun = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("start {}", kind.name()))?;
        let user = if kind == Kind::Vsftpd { "ftp" } else { "bench" };
        let target = Target {
            addr: SocketAddr::from(([127, 0, 0, 1], port)),
            user: user.to_owned(),
            password: "bench".to_owned(),
        };
        let mut server = Self {
            kind,
            target,
            ready_after: Duration::ZERO,
            child,
        };
        server.ready_after = server.wait_for_greeting(begun)?;
        Ok(Some(server))
    }

    fn wait_for_greeting(&mut self, begun: Instant) -> Result<Duration> {
        while begun.elapsed() < Duration::from_secs(20) {
            if Session::greet(self.target.addr).is_ok() {
                return Ok(begun.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at once: {status}; see its log", self.kind.name());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        bail!("{} does not greet", self.kind.name())
    }

    /// Returns the id of the process that was started; the others descend from it.
    pub(crate) fn leader(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        // The group is the server's own: it leads the session it was started in.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Ports below the passive and the ephemeral ones, never the same twice in a run: a port with
/// connections in TIME_WAIT cannot be bound by servers that do not ask for it.
fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 9_999;
    let start = u16::try_from(std::process::id() % u32::from(COUNT))?;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + step % COUNT) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {FIRST} on")
}

/// Returns what a server says of its version, in one line.
pub(crate) fn version(place: &Place, kind: Kind) -> String {
    let (path, flag) = match kind {
        Kind::Ftpd | Kind::FtpdLibunftp => (Some(place.bin.join("ftpd")), "--version"),
        Kind::Vsftpd => (place.program("usr/sbin/vsftpd"), "-v"),
        Kind::Proftpd => (place.program("usr/sbin/proftpd"), "--version"),
        Kind::Pureftpd => (place.program("usr/sbin/pure-ftpd"), "--help"),
        Kind::Pyftpdlib => return pyftpdlib_version(place),
    };
    path.and_then(|path| said(place, &path, flag))
        .unwrap_or_else(|| "not found".to_owned())
}

/// Returns the first line that `program flag` prints, wherever it prints it.
pub(crate) fn said(place: &Place, program: &Path, flag: &str) -> Option<String> {
    use std::io::{Read as _, Seek as _};
    // vsftpd prints its version on its standard input, where inetd puts the client.
    let mut input = tempfile::tempfile().ok()?;
    let said = place
        .command(program)
        .arg(flag)
        .stdin(input.try_clone().ok()?)
        .output()
        .ok()?;
    let mut text = String::from_utf8_lossy(&said.stdout).into_owned();
    text += &String::from_utf8_lossy(&said.stderr);
    input.rewind().ok()?;
    let mut rest = Vec::new();
    input.read_to_end(&mut rest).ok()?;
    text += &String::from_utf8_lossy(&rest);
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}

fn pyftpdlib_version(place: &Place) -> String {
    let names = fs::read_dir(place.peers.join("pyftpdlib"))
        .into_iter()
        .flatten();
    names
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find_map(|name| {
            let version = name
                .strip_prefix("pyftpdlib-")?
                .strip_suffix(".dist-info")?;
            Some(format!("pyftpdlib {version}"))
        })
        .unwrap_or_else(|| "not found".to_owned())
}
