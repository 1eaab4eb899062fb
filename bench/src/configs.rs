//! What each server is told: the same user, the same share, every limit out of the way.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::peers::{Kind, Place};

/// Returns the command that starts `kind` on `port`, as leader of a new session; `None` when the
/// server is not on this machine.
pub(crate) fn command(place: &Place, kind: Kind, port: u16) -> Result<Option<Command>> {
    let argv = match kind {
        Kind::Ftpd => ftpd(place, port, "native")?,
        Kind::FtpdLibunftp => ftpd(place, port, "libunftp")?,
        Kind::Vsftpd => vsftpd(place, port)?,
        Kind::Proftpd => proftpd(place, port)?,
        Kind::Pureftpd => pureftpd(place, port)?,
        Kind::Pyftpdlib => pyftpdlib(place, port)?,
    };
    Ok(argv.map(|argv| {
        // `setsid` runs the program in place, so that the child leads a group that can be ended whole.
        let mut command = place.command("setsid");
        command.args(argv);
        command
    }))
}

type Argv = Option<Vec<String>>;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn ftpd(place: &Place, port: u16, engine: &str) -> Result<Argv> {
    let program = place.bin.join("ftpd");
    if !program.is_file() {
        return Ok(None);
    }
    let dir = place.dir.join(format!("ftpd-{engine}"));
    fs::create_dir_all(&dir)?;
    let hash = hash_of(&program, &dir)?;
    let config = format!(
        "[server]\nlisten = [\"127.0.0.1:{port}\"]\nengine = \"{engine}\"\n\
         [share]\nroot = \"{share}\"\nreserve = \"0\"\n\
         [[user]]\nname = \"bench\"\npassword = \"{hash}\"\n\
         [passive]\nports = \"20000-29999\"\n\
         [tls]\ncert = \"{cert}\"\nkey = \"{key}\"\n\
         [limits]\nmax_clients = 0\nmax_per_ip = 0\n\
         [uploads]\nfsync = \"never\"\n[log]\nlevel = \"warn\"\n",
        share = text(&place.share()),
        cert = text(&place.dir.join("cert.pem")),
        key = text(&place.dir.join("key.pem")),
    );
    let path = dir.join("ftp.toml");
    write_private(&path, &config)?;
    Ok(Some(vec![text(&program), "--config".into(), text(&path)]))
}

/// Asks `ftpd user add` for the hash, since only it knows how it wants to be made.
fn hash_of(program: &Path, dir: &Path) -> Result<String> {
    use std::{io::Write as _, process::Stdio};
    let path = dir.join("made.toml");
    write_private(&path, "[share]\nroot = \"/nonexistent\"\n")?;
    let mut child = Command::new(program)
        .args([
            "--config",
            &text(&path),
            "user",
            "add",
            "bench",
            "--password-stdin",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    child
        .stdin
        .take()
        .context("no stdin")?
        .write_all(b"bench\n")?;
    anyhow::ensure!(child.wait()?.success(), "`ftpd user add` refused");
    let made = fs::read_to_string(&path)?;
    let begin = made
        .find("$argon2id$")
        .context("`ftpd user add` wrote no hash")?;
    let end = made[begin..].find('"').context("the hash does not end")?;
    Ok(made[begin..begin + end].to_owned())
}

fn vsftpd(place: &Place, port: u16) -> Result<Argv> {
    let Some(program) = place.program("usr/sbin/vsftpd") else {
        return Ok(None);
    };
    let empty = place.dir.join("empty");
    fs::create_dir_all(&empty)?;
    let config = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
         anonymous_enable=YES\nno_anon_password=YES\nlocal_enable=NO\nftp_username=daemon\n\
         anon_root={share}\nwrite_enable=YES\nanon_upload_enable=YES\n\
         anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nanon_umask=022\n\
         secure_chroot_dir={empty}\nxferlog_enable=NO\nseccomp_sandbox=NO\n\
         ssl_enable=YES\nallow_anon_ssl=YES\nforce_local_logins_ssl=NO\n\
         force_local_data_ssl=NO\nrequire_ssl_reuse=NO\nrsa_cert_file={cert}\n\
         ssl_ciphers=HIGH\nmax_clients=0\nmax_per_ip=0\n\
         pasv_min_port=20000\npasv_max_port=29999\n",
        share = text(&place.share()),
        empty = text(&empty),
        cert = text(&place.dir.join("both.pem")),
    );
    let path = place.dir.join("vsftpd.conf");
    write_private(&path, &config)?;
    Ok(Some(vec![text(&program), text(&path)]))
}

fn proftpd(place: &Place, port: u16) -> Result<Argv> {
    let Some(program) = place.program("usr/sbin/proftpd") else {
        return Ok(None);
    };
    let module = place
        .program("usr/lib/proftpd/mod_tls.so")
        .context("proftpd without mod_tls")?;
    let users = place.dir.join("proftpd.passwd");
    let hash = run(place, "openssl", &["passwd", "-6", "bench"])?;
    let share = text(&place.share());
    write_private(
        &users,
        &format!("bench:{}:65534:65534::{share}:/bin/sh\n", hash.trim()),
    )?;
    let config = format!(
        "ServerType standalone\nServerName bench\nDefaultAddress 127.0.0.1\nPort {port}\n\
         User nobody\nGroup nogroup\nModulePath {modules}\nLoadModule mod_tls.c\n\
         PidFile {dir}/proftpd.pid\nScoreboardFile {dir}/proftpd.scoreboard\nDelayEngine off\n\
         SystemLog none\nTransferLog none\nWtmpLog off\nUseReverseDNS off\n\
         AuthUserFile {users}\nAuthOrder mod_auth_file.c\nRequireValidShell off\n\
         DefaultRoot {share}\nMaxInstances none\nAllowOverwrite on\n\
         TLSEngine on\nTLSRequired off\nTLSProtocol TLSv1.2 TLSv1.3\n\
         TLSECCertificateFile {dir}/cert.pem\nTLSECCertificateKeyFile {dir}/key.pem\n\
         TLSOptions NoSessionReuseRequired\nPassivePorts 20000 29999\n",
        modules = module.parent().map(text).unwrap_or_default(),
        dir = text(&place.dir),
        users = text(&users),
    );
    let path = place.dir.join("proftpd.conf");
    write_private(&path, &config)?;
    Ok(Some(vec![
        text(&program),
        "-n".into(),
        "-c".into(),
        text(&path),
    ]))
}

fn pureftpd(place: &Place, port: u16) -> Result<Argv> {
    let Some(program) = place.program("usr/sbin/pure-ftpd") else {
        return Ok(None);
    };
    let login = format!("puredb:{}", text(&pureftpd_users(place)?));
    let address = format!("127.0.0.1,{port}");
    let pid = text(&place.dir.join("pureftpd.pid"));
    let cert = text(&place.dir.join("both.pem"));
    let options = [
        ["-S", &address],
        ["-l", &login],
        ["-c", "4000"],
        ["-C", "4000"],
        ["-p", "20000:29999"],
        ["-Y", "1"],
        ["-2", &cert],
        ["-g", &pid],
        ["-L", "200000:10"],
    ];
    let mut argv = vec![text(&program), "-E".into(), "-H".into()];
    argv.extend(options.concat().into_iter().map(str::to_owned));
    Ok(Some(argv))
}

/// Makes the database of Pure-FTPd's one user and returns where it is.
fn pureftpd_users(place: &Place) -> Result<PathBuf> {
    let users = place.dir.join("pureftpd.passwd");
    let database = place.dir.join("pureftpd.pdb");
    let hash = run(place, "openssl", &["passwd", "-6", "bench"])?;
    let (hash, share) = (hash.trim(), text(&place.share()));
    let line = format!("bench:{hash}:65534:65534::{share}/./::::::::::::\n");
    write_private(&users, &line)?;
    let tool = place
        .program("usr/bin/pure-pw")
        .context("pure-ftpd without pure-pw")?;
    let words = ["mkdb", &text(&database), "-f", &text(&users)];
    run(place, &text(&tool), &words)?;
    Ok(database)
}

fn pyftpdlib(place: &Place, port: u16) -> Result<Argv> {
    let lib = ["pyftpdlib", "py", "python"]
        .map(|name| place.peers.join(name))
        .into_iter()
        .find(|dir| dir.join("pyftpdlib").is_dir());
    let Some(lib) = lib else { return Ok(None) };
    let script = place.dir.join("pyftpdlib.py");
    fs::write(&script, PYFTPDLIB)?;
    Ok(Some(vec![
        "python3".into(),
        text(&script),
        text(&lib),
        port.to_string(),
        text(&place.share()),
        text(&place.dir.join("both.pem")),
    ]))
}

const PYFTPDLIB: &str = "import sys, logging
sys.path.insert(0, sys.argv[1])
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer
logging.basicConfig(level=logging.ERROR)
users = DummyAuthorizer()
users.add_user('bench', 'bench', sys.argv[3], perm='elradfmwMT')
handler = TLS_FTPHandler
handler.certfile = sys.argv[4]
handler.authorizer = users
handler.passive_ports = range(20000, 30000)
server = FTPServer(('127.0.0.1', int(sys.argv[2])), handler, backlog=1024)
server.max_cons = server.max_cons_per_ip = 4000
server.serve_forever()
";

fn run(place: &Place, program: &str, args: &[&str]) -> Result<String> {
    let said = place
        .command(program)
        .args(args)
        .output()
        .with_context(|| program.to_owned())?;
    anyhow::ensure!(
        said.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&said.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}

pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).with_context(|| path.display().to_string())?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}
