//! Foreign servers started for one test, on loopback, from what is installed or from what
//! `tests/peers` fetched (`$FTP_PEERS_DIR`, or `.peers` beside the workspace). One that is missing
//! skips its test loudly, or fails it when `FTP_REQUIRE_PEERS` is set.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::port::Kept;

/// The account peers run as and serve: the test itself is root.
const DAEMON: u32 = 1;
/// How long one that starts is waited for; Python takes its time on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long a server that was asked to end is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that runs; dropping it ends it.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) user: &'static str,
    /// The directory that may be written, as the server names it.
    pub(crate) top: String,
    /// The same directory on disk.
    pub(crate) disk: PathBuf,
    /// What it logs about the protocol, if anything.
    pub(crate) log: PathBuf,
    child: Child,
    command: Command,
    home: TempDir,
    _port: Kept,
}

impl Peer {
    fn wait_for_start(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = self.child.try_wait().unwrap();
            let output = || fs::read_to_string(self.home.path().join("output"));
            assert!(
                ended.is_none() && began.elapsed() < START,
                "no server: {ended:?}: {:?}",
                output()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it with all its sessions and starts it again on the same port.
    pub(crate) fn restart(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = self.command.spawn().unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Asked first: some remove what they made in /run only when they end in good order.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a peer speaks TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Off,
    On,
    /// TLS 1.3 and nothing else.
    Only13,
    /// From the first byte.
    Implicit,
}

fn peers_dir() -> PathBuf {
    // Beside the workspace, whose suites lie at two depths.
    let beside = || {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let mut dirs = above.map(|dir| dir.join(".peers"));
        dirs.find(|dir| dir.is_dir()).unwrap_or_default()
    };
    std::env::var_os("FTP_PEERS_DIR").map_or_else(beside, PathBuf::from)
}

/// Finds a program of a package, installed or fetched.
fn find(path: &str) -> Option<PathBuf> {
    [PathBuf::from("/"), peers_dir().join("root")]
        .into_iter()
        .map(|root| root.join(path))
        .find(|path| path.exists())
}

#[allow(clippy::print_stdout, reason = "a skipped test must say so")]
fn missing(name: &str) -> Option<Peer> {
    assert!(
        std::env::var_os("FTP_REQUIRE_PEERS").is_none(),
        "{name} is missing or this is not root: run tests/peers as root"
    );
    println!("SKIPPED: {name} is missing or this is not root: run tests/peers as root");
    None
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

struct Home {
    dir: TempDir,
    port: u16,
    kept: Kept,
}

impl Home {
    /// A directory with a share that the daemon may write, and a port.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(dir.path().join("root/share")).unwrap();
        chown(dir.path().join("root/share"), Some(DAEMON), Some(DAEMON)).unwrap();
        let kept = Kept::new();
        let port = kept.address.port();
        Self { dir, port, kept }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn certificate(&self) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        self.write("cert.pem", &made.cert.pem());
        self.write("key.pem", &made.signing_key.serialize_pem());
        self.write(
            "both.pem",
            &format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem()),
        );
    }

    fn start(self, mut command: Command, user: &'static str, chrooted: bool) -> Peer {
        let root = peers_dir().join("root");
        let libraries = [
            "usr/lib/x86_64-linux-gnu",
            "lib/x86_64-linux-gnu",
            "usr/lib/aarch64-linux-gnu",
        ]
        .map(|dir| root.join(dir).display().to_string())
        .join(":");
        let output = File::create(self.path("output")).unwrap();
        let child = command
            .env("LD_LIBRARY_PATH", libraries)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let disk = self.path("root/share");
        let top = if chrooted {
            "/share".to_owned()
        } else {
            disk.display().to_string()
        };
        let mut peer = Peer {
            address: self.kept.address,
            user,
            top,
            disk,
            log: self.path("log"),
            child,
            command,
            home: self.dir,
            _port: self.kept,
        };
        peer.wait_for_start();
        peer
    }
}

/// vsftpd; its TLS wants session reuse.
pub(crate) fn vsftpd(tls: Tls) -> Option<Peer> {
    let Some(program) = find("usr/sbin/vsftpd").filter(|_| is_root()) else {
        return missing("vsftpd");
    };
    let home = Home::new();
    let at = |name| home.path(name).display().to_string();
    fs::create_dir(home.path("empty")).unwrap();
    let mut config = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={}\nbackground=NO\nseccomp_sandbox=NO\n\
         anonymous_enable=YES\nftp_username=daemon\nanon_root={}\nno_anon_password=YES\n\
         write_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\n\
         anon_other_write_enable=YES\nanon_umask=022\nmdtm_write=YES\nsecure_chroot_dir={}\n\
         max_per_ip=0\n",
        home.port,
        at("root"),
        at("empty")
    );
    if tls != Tls::Off {
        home.certificate();
        if tls == Tls::Implicit {
            config += "implicit_ssl=YES\n";
        }
        config += &format!(
            "ssl_enable=YES\nrsa_cert_file={}\nrsa_private_key_file={}\nallow_anon_ssl=YES\n\
             force_anon_data_ssl=YES\nforce_anon_logins_ssl=YES\nrequire_ssl_reuse=YES\n\
             ssl_ciphers=HIGH\n",
            at("cert.pem"),
            at("key.pem")
        );
    }
    let config = home.write("vsftpd.conf", &config);
    let mut command = Command::new(program);
    command.arg(config);
    Some(home.start(command, "anonymous", true))
}

/// ProFTPD; its TLS wants session reuse, as it does by default.
pub(crate) fn proftpd(tls: Tls) -> Option<Peer> {
    let module = find("usr/lib/proftpd/mod_tls.so");
    let (Some(program), Some(module), true) = (find("usr/sbin/proftpd"), module, is_root()) else {
        return missing("proftpd");
    };
    let home = Home::new();
    let at = |name: &str| home.path(name).display().to_string();
    home.write(
        "passwd",
        &format!("ann:{}:1:1::{}:/bin/sh\n", HASH, at("root/share")),
    );
    home.write("group", "daemon:x:1:\n");
    let mut config = format!(
        "ModulePath {}\nLoadModule mod_tls.c\nLoadModule mod_digest.c\nServerType standalone\n\
         ServerName peer\nPort {}\nDefaultAddress 127.0.0.1\nUser daemon\nGroup daemon\n\
         UseReverseDNS off\nPidFile {}\nScoreboardFile {}\nDelayTable none\n\
         AuthOrder mod_auth_file.c\nAuthUserFile {}\nAuthGroupFile {}\nRequireValidShell off\n\
         AllowOverwrite on\nAllowStoreRestart on\nWtmpLog off\nTransferLog none\n\
         ExtendedLog {} ALL\nSystemLog none\nControlsEngine off\nControlsSocket {}\n",
        module.parent().unwrap().display(),
        home.port,
        at("pid"),
        at("scores"),
        at("passwd"),
        at("group"),
        at("log"),
        at("controls"),
    );
    if tls != Tls::Off {
        home.certificate();
        let versions = match tls {
            Tls::Only13 => "TLSv1.3",
            _ => "TLSv1.2 TLSv1.3",
        };
        config += &format!(
            "TLSEngine on\nTLSProtocol {versions}\nTLSECCertificateFile {0}/both.pem\n\
             TLSECCertificateKeyFile {0}/both.pem\n",
            home.dir.path().display()
        );
    }
    let config = home.write("proftpd.conf", &config);
    let mut command = Command::new(program);
    command.arg("-n").arg("-c").arg(config);
    Some(home.start(command, "ann", false))
}

/// `pw`, for crypt(3).
const HASH: &str = "$1$abcdefgh$IQtUouv7y7Q9dRWkQEPCc.";

/// Pure-FTPd.
pub(crate) fn pure_ftpd(tls: Tls) -> Option<Peer> {
    let (Some(program), Some(tool), true) = (
        find("usr/sbin/pure-ftpd"),
        find("usr/bin/pure-pw"),
        is_root(),
    ) else {
        return missing("pure-ftpd");
    };
    let home = Home::new();
    let root = home.path("root");
    chown(&root, Some(DAEMON), Some(DAEMON)).unwrap();
    let users = home.write(
        "users",
        &format!("ann:{HASH}:1:1::{}/./::::::::::::\n", root.display()),
    );
    let database = home.path("users.pdb");
    let made = Command::new(tool)
        .arg("mkdb")
        .arg(&database)
        .arg("-f")
        .arg(users)
        .status()
        .unwrap();
    assert!(made.success());
    let mut command = Command::new(program);
    command
        .args(["-S", &format!("127.0.0.1,{}", home.port)])
        .args(["-l", &format!("puredb:{}", database.display())])
        .args(["-A", "-E", "-u", "1", "-C", "50", "-g"])
        .arg(home.path("pid"));
    if tls != Tls::Off {
        home.certificate();
        command.args(["-Y", "1", "-2"]).arg(home.path("both.pem"));
    }
    Some(home.start(command, "ann", true))
}

/// pyftpdlib.
pub(crate) fn pyftpdlib(tls: Tls) -> Option<Peer> {
    pyftpdlib_with(tls, "")
}

/// pyftpdlib whose data connections end without TLS's own end, as those of many small servers do.
pub(crate) fn without_close_notify() -> Option<Peer> {
    let line =
        "from pyftpdlib.handlers import DTPHandler\nH.dtp_handler.close = DTPHandler.close\n";
    pyftpdlib_with(Tls::On, line)
}

/// pyftpdlib that wants the handshake on a data connection before it answers the command, as ftp-srv does. The
/// first command of a session is refused before a client that begins at once could be through with it.
pub(crate) fn handshake_first() -> Option<Peer> {
    pyftpdlib_with(Tls::On, include_str!("handshake_first.py"))
}

fn pyftpdlib_with(tls: Tls, lines: &str) -> Option<Peer> {
    let library = peers_dir().join("pyftpdlib");
    if !library.join("pyftpdlib").exists() {
        return missing("pyftpdlib");
    }
    let home = Home::new();
    home.certificate();
    let handler = match tls {
        Tls::Off => "FTPHandler as H",
        Tls::On | Tls::Only13 | Tls::Implicit => "TLS_FTPHandler as H",
    };
    let script = home.write(
        "server.py",
        &format!(
            "from pyftpdlib.authorizers import DummyAuthorizer\n\
             from pyftpdlib.handlers import {handler}\n\
             from pyftpdlib.servers import ThreadedFTPServer\n\
             a = DummyAuthorizer()\na.add_user('ann', 'pw', '{0}/root', perm='elradfmwMT')\n\
             H.authorizer = a\nH.certfile = '{0}/both.pem'\n{lines}\
             ThreadedFTPServer(('127.0.0.1', {1}), H).serve_forever()\n",
            home.dir.path().display(),
            home.port
        ),
    );
    let mut command = Command::new("python3");
    command.arg(script).env("PYTHONPATH", library);
    Some(home.start(command, "ann", true))
}
