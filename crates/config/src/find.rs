//! Finds the file: named, or in one of the usual places.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{defaults::SYSTEM_FILE, error::ConfigError};

/// What is looked for in the working directory.
const HERE: &str = "config/ftp.toml";

/// What of the process decides where the file is, read by the program and passed in.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `$FTP_CONFIG`
    pub ftp_config: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`
    pub xdg_config_home: Option<PathBuf>,
    /// `$HOME`
    pub home: Option<PathBuf>,
    /// The effective user.
    pub uid: u32,
}

impl Environment {
    /// Reads the variables and the user of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            ftp_config: path("FTP_CONFIG"),
            xdg_config_home: path("XDG_CONFIG_HOME"),
            home: path("HOME"),
            uid: rustix::process::geteuid().as_raw(),
        }
    }

    /// Returns where the user's configurations are: `$XDG_CONFIG_HOME`, `~/.config` without the variable.
    #[must_use]
    pub fn config_dir(&self) -> Option<PathBuf> {
        let below_home = || self.home.as_ref().map(|home| home.join(".config"));
        self.xdg_config_home.clone().or_else(below_home)
    }

    /// Returns where the user's own file is, if there is one.
    #[must_use]
    pub fn own_file(&self) -> Option<PathBuf> {
        self.config_dir().map(|dir| dir.join("ftp/ftp.toml"))
    }
}

/// A file, and how it came to be the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Nobody named it: it happens to be in the working directory, where others may have put it.
    pub is_by_chance: bool,
}

/// Finds the file: `explicit`, `$FTP_CONFIG`, `./config/ftp.toml`, `$XDG_CONFIG_HOME/ftp/ftp.toml`
/// (`~/.config` without the variable), `/etc/ftp/ftp.toml`.
///
/// A file that was named is returned even when it does not exist, so that the report names it.
///
/// # Errors
/// [`ConfigError::NotFound`] when none was named and none exists; [`ConfigError::Foreign`] when the
/// one in the working directory is another user's, for all but root.
pub fn find_config(
    explicit: Option<&Path>,
    environment: &Environment,
) -> Result<Found, ConfigError> {
    let named = |path: &Path| Found {
        path: path.to_owned(),
        is_by_chance: false,
    };
    if let Some(path) = explicit.or(environment.ftp_config.as_deref()) {
        return Ok(named(path));
    }
    let here = Path::new(HERE);
    if let Ok(meta) = here.metadata() {
        check_owner(here, meta.uid(), environment.uid)?;
        return Ok(Found {
            path: here.to_owned(),
            is_by_chance: true,
        });
    }
    let of_all = Some(PathBuf::from(SYSTEM_FILE));
    let usual: Vec<PathBuf> = [environment.own_file(), of_all]
        .into_iter()
        .flatten()
        .collect();
    match usual.iter().find(|path| path.exists()) {
        Some(path) => Ok(named(path)),
        None => Err(ConfigError::NotFound {
            searched: [vec![here.to_owned()], usual].concat(),
        }),
    }
}

/// In a directory that others write to (`/tmp`), the file may be a trap: it says which server gets
/// the files and the password. Root works in others' directories on purpose.
fn check_owner(path: &Path, owner: u32, uid: u32) -> Result<(), ConfigError> {
    if uid == 0 || owner == 0 || owner == uid {
        return Ok(());
    }
    Err(ConfigError::Foreign {
        path: path.to_owned(),
        owner,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_found_by_chance_must_be_the_users_own_or_roots() {
        let check = |owner, uid| check_owner(Path::new(HERE), owner, uid);
        for (owner, uid) in [(1000, 1000), (0, 1000), (1000, 0)] {
            check(owner, uid).unwrap();
        }
        let report = check(1001, 1000).unwrap_err().report("ftpc");
        assert!(
            report.contains("`config/ftp.toml` is user 1001's"),
            "{report}"
        );
        assert!(report.contains("--config config/ftp.toml"), "{report}");
    }
}
