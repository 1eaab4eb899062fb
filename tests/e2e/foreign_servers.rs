//! The real `ftpc` against the real vsftpd, plain and TLS.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use harness::{Site, Wire, client::noise, ftpc, server::until};

/// The system user that vsftpd's guests become; Debian has it everywhere.
const DAEMON: u32 = 1;

/// A vsftpd that serves a writable directory to guests; ended on drop.
struct Vsftpd {
    child: Child,
    port: u16,
    /// Where its files are.
    files: PathBuf,
    _dir: tempfile::TempDir,
}

impl Drop for Vsftpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Vsftpd {
    /// Starts it, with a certificate that `ftpd` made.
    #[allow(clippy::print_stderr, reason = "a skipped test must say so")]
    fn start() -> Option<Self> {
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../.peers");
        let peers = std::env::var_os("FTP_PEERS_DIR")
            .map_or_else(|| PathBuf::from(workspace), PathBuf::from);
        let root = peers.join("root");
        let program = [PathBuf::from("/"), root.clone()].map(|dir| dir.join("usr/sbin/vsftpd"));
        let is_root = rustix::process::geteuid().is_root();
        let Some(program) = program.into_iter().find(|path| path.is_file() && is_root) else {
            assert!(
                std::env::var_os("FTP_REQUIRE_PEERS").is_none(),
                "vsftpd is missing, or this is not root"
            );
            eprintln!("SKIPPED: vsftpd is missing, or this is not root: run tests/peers as root");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let files = dir.path().join("root/files");
        fs::create_dir_all(&files).unwrap();
        fs::create_dir(dir.path().join("empty")).unwrap();
        chown(&files, Some(DAEMON), Some(DAEMON)).unwrap();
        let cert = certificate(&dir);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let conf = dir.path().join("vsftpd.conf");
        let place = dir.path().display();
        fs::write(&conf, format!(
            "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
             anonymous_enable=YES\nno_anon_password=YES\nlocal_enable=NO\nftp_username=daemon\n\
             anon_root={place}/root\nwrite_enable=YES\nanon_upload_enable=YES\nanon_umask=022\n\
             anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nsecure_chroot_dir={place}/empty\n\
             xferlog_enable=NO\nseccomp_sandbox=NO\nssl_enable=YES\nallow_anon_ssl=YES\n\
             force_local_logins_ssl=NO\nforce_local_data_ssl=NO\nrequire_ssl_reuse=YES\n\
             rsa_cert_file={cert}\nssl_ciphers=HIGH\nmax_clients=0\nmax_per_ip=0\n"
        )).unwrap();
        fs::set_permissions(&conf, fs::Permissions::from_mode(0o600)).unwrap();
        let libraries =
            ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"].map(|lib| root.join(lib));
        let child = Command::new(program)
            .arg(&conf)
            .env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            child,
            port,
            files,
            _dir: dir,
        };
        until("vsftpd greets", || {
            std::net::TcpStream::connect(("127.0.0.1", server.port)).ok()
        });
        let _greeted = Wire::open(([127, 0, 0, 1], server.port).into());
        Some(server)
    }
}

/// A certificate with its key in one file, as vsftpd wants it.
fn certificate(dir: &tempfile::TempDir) -> String {
    let ours = Site::with_ann().start();
    let config = ours.site.path().join("config");
    let read = |name: &str| fs::read_to_string(config.join(name)).unwrap();
    let both = dir.path().join("both.pem");
    fs::write(&both, read("ftpd-key.pem") + &read("ftpd-cert.pem")).unwrap();
    fs::set_permissions(&both, fs::Permissions::from_mode(0o600)).unwrap();
    both.display().to_string()
}

#[test]
fn ftpc_works_against_the_real_vsftpd() {
    let Some(server) = Vsftpd::start() else {
        return;
    };
    for tls in ["off", "required"] {
        let here = tempfile::tempdir().unwrap();
        let bytes = noise(3_000_000);
        fs::create_dir_all(here.path().join("tree/sub")).unwrap();
        fs::write(here.path().join("tree/sub/a b"), &bytes).unwrap();
        fs::write(here.path().join("tree/empty"), "").unwrap();
        let url = |path: &str| format!("ftp://ftp@127.0.0.1:{}/files/{path}", server.port);
        let run = |args: &[&str]| {
            ftpc(here.path())
                .args(["--tls", tls])
                .args(args)
                .success()
                .text()
        };
        run(&["put", "tree/sub/a b", "-o", "f", &url("")]);
        assert!(fs::read(server.files.join("f")).unwrap() == bytes, "{tls}");
        run(&["get", &url("f"), "-o", "back"]);
        assert!(
            fs::read(here.path().join("back")).unwrap() == bytes,
            "{tls}"
        );
        run(&["put", "-r", "tree", &url("")]);
        run(&["get", "-r", &url("tree"), "-o", "again/"]);
        assert!(fs::read(here.path().join("again/tree/sub/a b")).unwrap() == bytes);
        assert_eq!(run(&["ls", &url("")]), "f\ntree/\n");
        run(&["mv", &url("f"), &url("g")]);
        run(&["rm", &url("g")]);
        run(&["rm", "-r", &url("tree")]);
        assert_eq!(fs::read_dir(&server.files).unwrap().count(), 0, "{tls}");
    }
}
