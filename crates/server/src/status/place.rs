//! Where the status socket of a configuration is: the same answer for the daemon and for who asks.
//!
//! The name comes from the configuration file's path, so several daemons of one user do not meet.

use std::{
    ffi::OsString,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use fs_err as fs;
use sha2::{Digest, Sha256};

use crate::hex;

/// What the places depend on besides the configuration: taken from the environment at the start.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `$RUNTIME_DIRECTORY`, which systemd sets for the daemon.
    pub runtime_directory: Option<OsString>,
    /// `$XDG_RUNTIME_DIR`, a person's own.
    pub xdg_runtime_dir: Option<OsString>,
    /// The temporary directory.
    pub temp: PathBuf,
    /// The effective user.
    pub uid: u32,
}

impl Surroundings {
    /// Reads them from this process's environment.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self {
            runtime_directory: std::env::var_os("RUNTIME_DIRECTORY"),
            xdg_runtime_dir: std::env::var_os("XDG_RUNTIME_DIR"),
            temp: std::env::temp_dir(),
            uid: rustix::process::geteuid().as_raw(),
        }
    }

    fn directories(&self) -> Vec<PathBuf> {
        let mut places = Vec::new();
        let mut add = |dir: Option<&OsString>| {
            places.extend(
                dir.filter(|dir| !dir.is_empty())
                    .map(PathBuf::from)
                    .filter(|dir| dir.is_absolute()),
            );
        };
        add(self.runtime_directory.as_ref());
        add(self.xdg_runtime_dir.as_ref());
        places.push("/run/ftpd".into());
        places.push(self.temp.join(format!("ftpd-{}", self.uid)));
        places.dedup();
        places
    }
}

/// Returns where the socket of `config` may be, the likeliest first. Root asks the server of the file's owner
/// too.
#[must_use]
pub fn candidates(config: &Path, around: &Surroundings) -> Vec<PathBuf> {
    let name = file_name(config);
    let mut places = around.directories();
    // Anybody may have made it there before us.
    places.retain(|dir| !dir.starts_with(&around.temp) || is_ours(dir, around.uid));
    // Whoever owns the file may as well answer for its server; nobody else is believed.
    let owner = std::fs::metadata(config).map(|meta| meta.uid());
    if let (0, Ok(owner)) = (around.uid, owner) {
        let own = [
            around.temp.join(format!("ftpd-{owner}")),
            format!("/run/user/{owner}").into(),
        ];
        places.extend(own.into_iter().filter(|dir| is_ours(dir, owner)));
    }
    places.into_iter().map(|dir| dir.join(&name)).collect()
}

fn file_name(config: &Path) -> String {
    let path = fs::canonicalize(config).unwrap_or_else(|_| config.to_owned());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    format!("ftpd-{}.sock", hex::of(&digest[..6]))
}

/// Returns the first place whose directory is ours and closed to others, making the last one if
/// none is there.
#[must_use]
pub fn choose(config: &Path, around: &Surroundings) -> Option<PathBuf> {
    let name = file_name(config);
    let own = around.directories().into_iter();
    let mut places: Vec<_> = own.map(|dir| dir.join(&name)).collect();
    let is_ours = |place: &PathBuf| place.parent().is_some_and(|dir| is_ours(dir, around.uid));
    if let Some(there) = places.iter().find(|place| is_ours(place)) {
        return Some(there.clone());
    }
    let last = places.pop()?;
    let _ = std::fs::DirBuilder::new()
        .mode(0o700)
        .create(last.parent()?);
    is_ours(&last).then_some(last)
}

fn is_ours(dir: &Path, uid: u32) -> bool {
    std::fs::symlink_metadata(dir)
        .is_ok_and(|meta| meta.is_dir() && meta.uid() == uid && meta.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_configurations_have_two_places_and_the_way_to_name_one_does_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a.toml"), dir.path().join("b.toml"));
        std::fs::write(&a, "").unwrap();
        std::fs::write(&b, "").unwrap();
        let around = Surroundings {
            temp: dir.path().to_owned(),
            uid: rustix::process::geteuid().as_raw(),
            ..Surroundings::default()
        };
        let odd = dir.path().join(".").join("a.toml");
        assert_eq!(candidates(&a, &around), candidates(&odd, &around));
        assert_ne!(candidates(&a, &around), candidates(&b, &around));
    }

    #[test]
    fn a_directory_that_others_may_write_is_passed_over() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (open, closed) = (dir.path().join("open"), dir.path().join("temp"));
        for path in [&open, &closed] {
            std::fs::create_dir(path).unwrap();
        }
        std::fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
        let around = Surroundings {
            xdg_runtime_dir: Some(open.clone().into()),
            temp: closed.clone(),
            uid: rustix::process::geteuid().as_raw(),
            ..Surroundings::default()
        };
        let chosen = choose(&dir.path().join("ftp.toml"), &around).unwrap();
        assert!(!chosen.starts_with(&open), "{chosen:?}");
    }

    #[test]
    fn a_directory_is_made_only_where_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut around = Surroundings {
            runtime_directory: Some(dir.path().into()),
            temp: dir.path().to_owned(),
            uid: rustix::process::geteuid().as_raw(),
            ..Surroundings::default()
        };
        let config = dir.path().join("ftp.toml");
        let chosen = choose(&config, &around).unwrap();
        assert_eq!(chosen.parent().unwrap(), dir.path());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        std::fs::create_dir(dir.path().join("temp")).unwrap();
        around.runtime_directory = None;
        around.temp = dir.path().join("temp");
        let chosen = choose(&config, &around).unwrap();
        assert!(chosen.parent().unwrap().is_dir(), "{chosen:?}");
    }

    #[test]
    fn nobody_is_asked_in_a_temporary_directory_that_another_has_made() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let around = Surroundings {
            temp: dir.path().to_owned(),
            uid,
            ..Surroundings::default()
        };
        let own = dir.path().join(format!("ftpd-{uid}"));
        let is_asked = || {
            let asked = candidates(&dir.path().join("ftp.toml"), &around);
            asked.iter().any(|place| place.starts_with(&own))
        };
        assert!(!is_asked());
        std::fs::create_dir(&own).unwrap();
        let set = |mode| std::fs::set_permissions(&own, PermissionsExt::from_mode(mode)).unwrap();
        for (mode, asked) in [(0o700, true), (0o777, false), (0o770, false)] {
            set(mode);
            assert_eq!(is_asked(), asked, "{mode:o}");
        }
    }

    #[test]
    fn root_asks_the_server_of_whom_the_file_is() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("ftp.toml");
        std::fs::write(&config, "").unwrap();
        let owner = std::fs::metadata(&config).unwrap().uid();
        let (theirs, planted) = (format!("ftpd-{owner}"), format!("ftpd-{}", owner + 1));
        for name in [&theirs, &planted] {
            let path = dir.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        }
        let around = Surroundings {
            temp: dir.path().to_owned(),
            uid: 0,
            ..Surroundings::default()
        };
        let asked = candidates(&config, &around);
        let is_asked = |name: &str| {
            asked
                .iter()
                .any(|place| place.starts_with(dir.path().join(name)))
        };
        assert!(is_asked(&theirs) && !is_asked(&planted), "{asked:?}");
    }
}
