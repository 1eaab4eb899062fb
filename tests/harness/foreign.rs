//! Other people's programs: found, or skipped loudly.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Says loudly that a test is skipped.
///
/// # Panics
/// `FTP_REQUIRE_PEERS` is set: nothing may be missing.
#[track_caller]
pub fn skip(why: &str) {
    assert!(
        std::env::var_os("FTP_REQUIRE_PEERS").is_none(),
        "required: {why}"
    );
    lack(why);
}

/// Says loudly that a test is skipped for want of what nobody can install: the machine itself has not got it.
#[allow(clippy::print_stderr, reason = "a skipped test must say so")]
pub fn lack(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Finds setpriv(1), for a test that starts a program as another user; skipped as by [`find`] where this one may not.
#[must_use]
pub fn setpriv() -> Option<PathBuf> {
    if !rustix::process::geteuid().is_root() {
        skip("root alone can start a program as another user");
        return None;
    }
    find("setpriv")
}

/// Finds a program; without it the test is skipped loudly, or fails when `FTP_REQUIRE_PEERS` is
/// set.
///
/// # Panics
/// The program is missing and was required.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let peers = std::env::var_os("FTP_PEERS_DIR").map(PathBuf::from);
    let dirs = ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin"].map(PathBuf::from);
    let found = dirs
        .into_iter()
        .chain(peers.into_iter().map(|dir| dir.join("root/usr/bin")))
        .map(|dir| dir.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(&format!(
            "{name} is not on this machine (tests/run installs it as root)"
        ));
    }
    found
}

/// Runs a foreign program with a home of its own and no locale surprises.
#[must_use]
pub fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("TERM", "dumb")
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

/// Runs it; it must succeed.
///
/// # Panics
/// It did not.
#[track_caller]
pub fn ok(command: &mut Command) -> Output {
    let out = command.output().unwrap();
    assert!(
        out.status.success(),
        "{command:?}: {}\nstdout: {}\nstderr: {}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    out
}

/// Runs it with lines to read; it must succeed.
///
/// # Panics
/// It did not.
#[track_caller]
pub fn feed(command: &mut Command, lines: &str) -> Output {
    use std::io::Write as _;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    out
}

/// Returns a script for Python's ftplib, whose arguments are the port and `tls` or another word: `acts` follow the
/// login as ann, as `ftp`.
#[must_use]
pub fn ftplib(acts: &str) -> String {
    format!("{FTPLIB}{acts}")
}

const FTPLIB: &str = "
import ftplib, ssl, sys
port, tls = int(sys.argv[1]), sys.argv[2] == 'tls'
if tls:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    ftp = ftplib.FTP_TLS(context=context)
else:
    ftp = ftplib.FTP()
ftp.connect('127.0.0.1', port, timeout=20)
ftp.login('ann', 'secret')
if tls:
    ftp.prot_p()
";
