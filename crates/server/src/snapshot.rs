//! One consistent, immutable view of the configuration and what is built from it.
//!
//! A session keeps the snapshot of its login; `reload` puts a new one in the [`Holder`].

mod strayed;

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use ftp_config::{
    Right, ServerConfig,
    server::{Password, TlsMode},
};
use tracing::{info, warn};

pub use self::strayed::SILENT;
use self::strayed::Strayed;
use crate::{
    auth::accounts::Accounts,
    error::Error,
    share::{At, Share},
    tls::{self, selfsigned},
};

/// Configuration, accounts and certificate that belong together.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration.
    pub config: Arc<ServerConfig>,
    /// Who may log in.
    pub accounts: Accounts,
    /// The shared directory.
    pub share: Share,
    /// The TLS set-ups; `None` when TLS is off.
    pub tls: Option<tls::Configs>,
    /// The certificate that is served, whatever its file holds by now.
    pub certificate: Option<selfsigned::Facts>,
    /// Why `tls` and `certificate` are those of the snapshot before.
    pub certificate_kept: Option<String>,
    strayed: Strayed,
}

impl Snapshot {
    /// Builds a snapshot: makes the certificate of a first start, loads it, opens the share. What
    /// did not change is taken over from `old`, and so is its certificate where the new one cannot be used:
    /// accounts are not to wait for it. Blocks.
    ///
    /// # Errors
    /// When the certificate or the share cannot be used.
    pub fn build(config: ServerConfig, old: Option<&Self>) -> Result<Self, Error> {
        let is_first = is_first_start(&config);
        let served = |old: &Self| old.tls.clone().zip(old.certificate.clone());
        let mut certificate_kept = None;
        let tls = match config.tls.mode {
            TlsMode::Off => None,
            TlsMode::Optional | TlsMode::Required => {
                match (load_tls(&config), old.and_then(served)) {
                    (Ok(new), _) => Some(new),
                    (Err(error), Some(old)) => {
                        certificate_kept = Some(error.to_string());
                        Some(old)
                    }
                    (Err(error), None) => return Err(error),
                }
            }
        };
        let (tls, certificate) = tls.unzip();
        let share = Self::share(&config, old)?;
        if share.was_made() {
            tell_made(&config.share.root, is_first);
        }
        warn_if_read_only(&share, &config);
        Ok(Self {
            share,
            accounts: Accounts::new(&config),
            tls,
            certificate,
            certificate_kept,
            config: Arc::new(config),
            strayed: Strayed::default(),
        })
    }

    /// Opens the share, or takes over that of `old` where it is the same one.
    fn share(config: &ServerConfig, old: Option<&Self>) -> Result<Share, Error> {
        let root = &config.share.root;
        // A name that is gone is nobody else's, and none is to be made where a disk was.
        let is_kept = |old: &&Self| {
            old.config.share.root == *root && matches!(old.share.at(root), At::Here | At::Nothing)
        };
        let same_root = old.filter(is_kept);
        Ok(match same_root {
            Some(old) => old.share.with_policies(&config.share, &config.uploads),
            None => Share::open(&config.share, &config.uploads)?,
        })
    }

    /// Returns the user who can log in with the public sample password, if there is one.
    #[must_use]
    pub fn sample_user(&self) -> Option<String> {
        self.config
            .users
            .iter()
            .filter(|user| user.password == Password::Sample)
            .map(|user| user.name.to_string())
            .find(|name| self.accounts.find(name).is_ok())
    }
}

/// Warns of a share to whose root nobody can upload, though somebody may.
fn warn_if_read_only(share: &Share, config: &ServerConfig) {
    if share.is_read_only() && somebody_may_write(config) {
        warn!(
            root = %config.share.root.display(),
            "the root of the share is read-only for this process; under systemd, name it in ReadWritePaths= \
             (`systemctl edit ftpd`)"
        );
    }
}

fn somebody_may_write(config: &ServerConfig) -> bool {
    let guests = &config.anonymous;
    let mut rights = config.users.iter().map(|user| user.can);
    guests.enabled && guests.can.allows(Right::Write) || rights.any(|can| can.allows(Right::Write))
}

/// Tells whether nothing of this configuration has run before, as far as its certificate shows.
#[must_use]
pub fn is_first_start(config: &ServerConfig) -> bool {
    config.tls.mode != TlsMode::Off && config.tls.self_signed && !config.tls.cert.exists()
}

/// Tells that the share was made: what is stored below a mount point is out of sight once its disk is back.
pub fn tell_made(root: &std::path::Path, is_first_start: bool) {
    let root = root.display();
    if is_first_start {
        info!(%root, "share.root was made");
    } else {
        warn!(%root, "share.root was not there and was made; if a disk belongs there, mount it and restart");
    }
}

/// Makes the self-signed certificate of a first start; returns whether it was one.
///
/// # Errors
/// When it cannot be written.
pub fn make_first_certificate(config: &ServerConfig) -> Result<bool, tls::TlsError> {
    let (cert, key) = (&config.tls.cert, &config.tls.key);
    let is_whole = cert.exists() && key.exists();
    let makes = config.tls.self_signed && !is_whole;
    let _turn = makes.then(|| selfsigned::take_turn(cert));
    ensure_pair(config)?;
    let is_first_start = is_first_start(config);
    if is_first_start {
        let addresses: Vec<_> = config.server.listen.iter().map(SocketAddr::ip).collect();
        selfsigned::make(cert, key, &selfsigned::names_for(&addresses))?;
        info!(cert = %cert.display(), "made a self-signed certificate");
    }
    Ok(is_first_start)
}

/// Refuses half of a certificate that was made here: it would have to be made anew, and clients know it.
///
/// # Errors
/// [`tls::TlsError::Half`].
pub fn ensure_pair(config: &ServerConfig) -> Result<(), tls::TlsError> {
    let tls = &config.tls;
    let missing = match (tls.cert.exists(), tls.key.exists()) {
        (true, false) if tls.self_signed => &tls.key,
        (false, true) if tls.self_signed => &tls.cert,
        _ => return Ok(()),
    };
    let path = missing.clone();
    Err(tls::TlsError::Half { path })
}

fn load_tls(config: &ServerConfig) -> Result<(tls::Configs, selfsigned::Facts), Error> {
    make_first_certificate(config)?;
    let (cert, key) = (&config.tls.cert, &config.tls.key);
    let configs = tls::load(cert, key)?;
    let facts = selfsigned::facts(cert)?;
    if let Some(warning) = facts.warning(std::time::SystemTime::now()) {
        warn!(cert = %cert.display(), "{warning}");
    }
    info!(sha256 = %facts.fingerprint, "certificate");
    Ok((configs, facts))
}

/// The current snapshot; clones share it.
#[derive(Clone, Debug)]
pub struct Holder(Arc<RwLock<Arc<Snapshot>>>);

impl Holder {
    /// Begins with `first`.
    #[must_use]
    pub fn new(first: Arc<Snapshot>) -> Self {
        Self(Arc::new(RwLock::new(first)))
    }

    /// Returns the current snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts `next` in the place of the current snapshot, which is returned.
    pub fn replace(&self, next: Arc<Snapshot>) -> Arc<Snapshot> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, next)
    }
}

#[cfg(test)]
mod tests;
