//! Puts a changed configuration in the place of the old one: whole, or not at all; but a certificate that
//! cannot be used keeps nobody's account: the one of before is served on.
//!
//! Called by `daemon` for SIGHUP, `ftpd reload` and changed files. Blocks; run it off the runtime.

mod history;

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError},
};

use ftp_config::ServerConfig;
use tracing::{info, warn};

use crate::{
    auth::Guard,
    config_file,
    error::Error,
    log::{self, Adjust, Level},
    session::disk,
    snapshot::{Holder, Snapshot},
    status::Registry,
    watch,
};

pub use self::history::History;

/// Reads the configuration again.
#[derive(Debug)]
pub struct Reloader {
    /// The file; `None` under `ftpd share`, which has none.
    pub path: Option<PathBuf>,
    /// What the process began with: keys that need a restart are compared with it.
    pub began_with: Arc<ServerConfig>,
    /// Where the new snapshot goes.
    pub holder: Holder,
    /// Forgets proofs when accounts change.
    pub guard: Arc<Guard>,
    /// Whose sessions end when their account is gone.
    pub registry: Registry,
    /// The running log.
    pub log: Option<Level>,
    /// What the flags say of the log.
    pub adjust: Adjust,
    /// How it went so far.
    pub history: History,
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Keys that changed and act only after a restart.
    pub need_restart: Vec<&'static str>,
    /// Sessions that were told to leave.
    pub ended: usize,
    /// Why the certificate of before is served on, if it is.
    pub certificate: Option<String>,
    /// How `share.root` is not what is served, if it is not.
    pub share: Option<&'static str>,
}

impl Report {
    /// Tells whether something of the new configuration could not be taken.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.certificate.is_some() || self.share.is_some()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("configuration loaded")?;
        if self.ended > 0 {
            write!(f, ", {} sessions of changed users ended", self.ended)?;
        }
        if !self.need_restart.is_empty() {
            write!(f, "; after a restart: {}", self.need_restart.join(", "))?;
        }
        if let Some(why) = &self.certificate {
            write!(f, "; the certificate of before is served on: {why}")?;
        }
        if let Some(why) = &self.share {
            write!(f, "; {why}")?;
        }
        Ok(())
    }
}

impl Reloader {
    /// Returns the files whose change calls for a reload: those of the configuration that is served, and those of
    /// one that was refused, which may be what it waits for. `None`: there is no configuration to read again.
    #[must_use]
    pub fn files(&self) -> Option<Vec<PathBuf>> {
        let path = self.path.as_deref()?;
        let named = self.history.named();
        let files = watch::files_of(path, &self.holder.current().config);
        Some(watch::with_named(files, &named))
    }

    /// Loads, checks, builds and swaps; on any error the old configuration stays.
    ///
    /// # Errors
    /// What is wrong with the new configuration.
    pub fn reload(&self) -> Result<Report, Error> {
        let _turn = self
            .history
            .turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let result = self.try_reload();
        match &result {
            Ok(report) => {
                self.history.note(true, report.certificate.clone());
                if let Some(why) = &report.certificate {
                    warn!("the certificate of before is served on: {why}");
                }
                info!(ended = report.ended, "configuration loaded");
                for key in &report.need_restart {
                    warn!(key, "changed, and acts after a restart");
                }
            }
            Err(error) => {
                self.history.note(false, Some(error.to_string()));
                warn!(%error, "the new configuration is refused, the old one stays");
                // A rotated file is not to get more lines, whatever else is wrong.
                let config = &self.holder.current().config;
                self.registry.xferlog().open(config.log.xferlog.clone());
            }
        }
        result
    }

    fn try_reload(&self) -> Result<Report, Error> {
        let path = self.path.as_deref().ok_or_else(|| {
            Error::Refused("this server has no configuration file to read again".to_owned())
        })?;
        self.history
            .about_to_read(path, &self.holder.current().config);
        let loaded = config_file::load(path)?;
        for warning in &loaded.warnings {
            warn!("{warning}");
        }
        let old = self.holder.current();
        let new = Arc::new(Snapshot::build(loaded.config, Some(&old))?);
        new.warn_if_strayed();
        Ok(self.adopt(&new))
    }

    fn adopt(&self, new: &Arc<Snapshot>) -> Report {
        let need_restart = keys_that_need_a_restart(&self.began_with, &new.config);
        if let Some(log) = &self.log {
            log.set(log::level(new.config.log.level, self.adjust));
        }
        self.registry.set_rates(&new.config.limits);
        disk::set_far(new.share.is_far());
        self.registry.xferlog().open(new.config.log.xferlog.clone());
        let old = self.holder.replace(Arc::clone(new));
        self.guard.forget();
        let mut ended = 0;
        for (user, why) in old.accounts.changed_in(&new.accounts) {
            let sessions = self.registry.kick_user(&user, why);
            if sessions > 0 {
                info!(user, sessions, reason = why, "sessions end");
            }
            ended += sessions;
        }
        Report {
            need_restart,
            ended,
            certificate: new.certificate_kept.clone(),
            share: new.strayed(),
        }
    }
}

/// Returns the keys that differ and act only at a start.
#[must_use]
pub fn keys_that_need_a_restart(old: &ServerConfig, new: &ServerConfig) -> Vec<&'static str> {
    let rows = [
        ("server.listen", old.server.listen != new.server.listen),
        ("server.run_as", old.server.run_as != new.server.run_as),
        ("log.format", old.log.format != new.log.format),
        ("metrics.listen", old.metrics.listen != new.metrics.listen),
        ("announce", old.announce != new.announce),
    ];
    rows.into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::direction::Direction;

    #[test]
    fn the_rates_of_a_new_configuration_hold_at_once_and_those_of_a_bad_one_never() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ftp.toml");
        let hash = crate::auth::password::hash(&ftp_config::Secret::new("right")).unwrap();
        let write = |more: &str| {
            let text = format!(
                "[share]\nroot = \"share\"\n[tls]\nmode = \"off\"\n{more}\
                 [[user]]\nname = \"ann\"\npassword = \"{hash}\"\n"
            );
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        };
        write("");
        let config = config_file::load(&path).unwrap().config;
        let first = Arc::new(Snapshot::build(config, None).unwrap());
        let registry = Registry::default();
        let reloader = Reloader {
            path: Some(path.clone()),
            began_with: Arc::clone(&first.config),
            holder: Holder::new(first),
            guard: Arc::new(Guard::new(registry.clone()).unwrap()),
            registry: registry.clone(),
            log: None,
            adjust: Adjust::default(),
            history: History::default(),
        };
        let seat = registry.seat("127.0.0.1:4000".parse().unwrap());
        let is_limited = |way| !seat.throttle(way).is_unlimited();
        write("[limits]\nrate_up = \"1 MiB/s\"\nrate_down = \"1 GiB\"\nodd = 1\n");
        reloader.reload().unwrap_err();
        assert!(!is_limited(Direction::Up) && !is_limited(Direction::Down));
        write("[limits]\nrate_up = \"1 MiB/s\"\n");
        reloader.reload().unwrap();
        assert!(is_limited(Direction::Up) && !is_limited(Direction::Down));
    }
}
