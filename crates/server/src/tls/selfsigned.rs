//! Makes the self-signed certificate of a first start, and reads back what people compare.

use std::{
    fs::TryLockError,
    io::Write,
    net::IpAddr,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use fs_err as fs;
use rcgen::{CertificateParams, DnType, KeyPair};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{TlsError, read_chain};

/// How long a made certificate is good for: ten years, as nobody renews a home server's.
const LIFETIME: Duration = Duration::from_secs(3650 * 86_400);
/// A certificate with fewer days left is due: people are warned.
pub const DUE_DAYS: i64 = 30;
/// How long another process that makes a certificate is waited for; it takes a moment.
const PATIENCE: Duration = Duration::from_secs(2);
const CLOCK_SLACK: Duration = Duration::from_secs(86_400);

/// What people compare and watch of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of the certificate, as `AB:CD:...`.
    pub fingerprint: String,
    /// Whom it names.
    pub subject: String,
    /// Since when it is good, seconds since 1970.
    pub not_before_unix: i64,
    /// Until when it is good, seconds since 1970.
    pub not_after_unix: i64,
    /// Whether it signs itself.
    pub self_signed: bool,
}

/// Makes a key and a certificate for `names` and writes both, whole, or neither; the key with mode
/// 0600.
///
/// # Errors
/// [`TlsError`] when the files cannot be written.
pub fn make(cert: &Path, key: &Path, names: &[String]) -> Result<(), TlsError> {
    let fault = |e: rcgen::Error| TlsError::Make(e.to_string());
    let pair = KeyPair::generate().map_err(fault)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(fault)?;
    let title = names.first().map_or("ftpd", String::as_str);
    params
        .distinguished_name
        .push(DnType::CommonName, title.to_owned());
    let now = SystemTime::now();
    params.not_before = (now - CLOCK_SLACK).into();
    params.not_after = (now + LIFETIME).into();
    let made = params.self_signed(&pair).map_err(fault)?;
    // Neither takes its place before both are on the disk: one without the other serves nobody.
    let new_key = Beside::write(key, &pair.serialize_pem(), 0o600)?;
    let new_cert = Beside::write(cert, &made.pem(), 0o644)?;
    new_key.take_place()?;
    new_cert.take_place()
}

/// Waits until no other process makes a certificate beside this one, so that of several that start at once one makes it and
/// the others find it, while what is returned lives. To be asked only where one is missing: whoever may read the
/// directory can hold it, so it is waited for a moment, and not at all on a disk without locks.
#[must_use]
pub fn take_turn(cert: &Path) -> Option<std::fs::File> {
    let dir = cert.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = std::fs::File::open(dir.unwrap_or(Path::new("."))).ok()?;
    let began = Instant::now();
    while let Err(TryLockError::WouldBlock) = dir.try_lock() {
        if began.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(dir)
}

/// A whole file beside the one whose place it is to take; gone when it drops before.
struct Beside<'a> {
    path: PathBuf,
    of: &'a Path,
}

impl<'a> Beside<'a> {
    fn write(of: &'a Path, text: &str, mode: u32) -> Result<Self, TlsError> {
        if let Some(dir) = of.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut path = of.as_os_str().to_owned();
        path.push(".new");
        let path = PathBuf::from(path);
        let _ = fs::remove_file(&path);
        let fault = |source: std::io::Error| {
            let words = format!("write `{}`: {source}", of.display());
            std::io::Error::new(source.kind(), words)
        };
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(fault)?;
        let beside = Self { path, of };
        file.write_all(text.as_bytes()).map_err(fault)?;
        keep_access(&file, of, mode);
        file.sync_all().map_err(fault)?;
        Ok(beside)
    }

    fn take_place(self) -> Result<(), TlsError> {
        Ok(fs::rename(&self.path, self.of)?)
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A file that takes another's place keeps its owner and group, and lets the group read if it
/// could: the service that root renews for runs as another user.
fn keep_access(file: &std::fs::File, old: &Path, mode: u32) {
    let Ok(old) = old.symlink_metadata() else {
        return;
    };
    if rustix::process::geteuid().is_root() {
        let (uid, gid) = (
            rustix::fs::Uid::from_raw(old.uid()),
            rustix::fs::Gid::from_raw(old.gid()),
        );
        let _ = rustix::fs::fchown(file, Some(uid), Some(gid));
    }
    let old_mode = if old.is_symlink() { 0 } else { old.mode() };
    let mode = mode | old_mode & 0o040;
    let _ = file.set_permissions(PermissionsExt::from_mode(mode));
}

/// Returns the names a certificate for this machine should carry: its host name, `localhost` and
/// the addresses given.
#[must_use]
pub fn names_for(addresses: &[IpAddr]) -> Vec<String> {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let mut names = vec![host, "localhost".to_owned()];
    names.extend(
        addresses
            .iter()
            .filter(|address| !address.is_unspecified())
            .map(ToString::to_string),
    );
    names.retain(|name| !name.is_empty());
    names.dedup();
    names
}

/// Reads the facts of the first certificate in a PEM file.
///
/// # Errors
/// [`TlsError`] when there is none or it is broken.
pub fn facts(cert: &Path) -> Result<Facts, TlsError> {
    let chain = read_chain(cert)?;
    let der = chain.first().map(AsRef::as_ref).unwrap_or_default();
    let (_, parsed) = X509Certificate::from_der(der).map_err(|e| TlsError::Pem {
        what: "certificate",
        path: cert.to_owned(),
        cause: e.to_string(),
    })?;
    Ok(Facts {
        fingerprint: fingerprint(der),
        subject: parsed.subject().to_string(),
        not_before_unix: parsed.validity().not_before.timestamp(),
        not_after_unix: parsed.validity().not_after.timestamp(),
        self_signed: parsed.subject() == parsed.issuer(),
    })
}

/// Returns SHA-256 of a DER certificate as colon-separated upper-case hex.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    let digest = Sha256::digest(der);
    let pairs: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

impl Facts {
    /// Says that it is not good yet, or no longer, or soon no longer; nothing of one that is.
    #[must_use]
    pub fn warning(&self, now: SystemTime) -> Option<String> {
        let begins = days_until(self.not_before_unix, now);
        match days_until(self.not_after_unix, now) {
            _ if begins > 0 => Some(format!(
                "the certificate is good only in {begins} days: is the clock right?"
            )),
            days @ ..0 => Some(format!("the certificate expired {} days ago", -days)),
            days @ 0..DUE_DAYS => Some(format!("the certificate expires in {days} days")),
            _ => None,
        }
    }
}

/// Returns whole days from now until `unix`; negative when it has passed.
#[must_use]
pub fn days_until(unix: i64, now: SystemTime) -> i64 {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    (unix - i64::try_from(now).unwrap_or(i64::MAX)).div_euclid(86_400)
}

#[cfg(test)]
mod tests;
