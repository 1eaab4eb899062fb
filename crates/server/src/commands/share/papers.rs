//! Where the certificate of `ftpd share` is, and what becomes of its key.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::{error::Error, say};

/// A certificate and its key.
#[derive(Debug)]
pub(super) struct Papers {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    /// They are of this run alone.
    _scrap: Option<Scrap>,
}

impl Papers {
    /// Finds the place where they are kept from run to run; not below the directory that is shared, where
    /// every guest could fetch the key.
    ///
    /// # Errors
    /// No directory can be made for them.
    pub(super) fn find(shared: &Path) -> Result<Self, Error> {
        let kept = cache().filter(|dir| fs_err::create_dir_all(dir).is_ok());
        let lies_within =
            |dir: &PathBuf| fs_err::canonicalize(dir).is_ok_and(|dir| dir.starts_with(shared));
        let (dir, scrap) = match kept {
            Some(dir) if !lies_within(&dir) => (dir, None),
            inside => {
                if inside.is_some() {
                    say::note(
                        "ftpd: warning: the certificate is of this run alone: the place where it is \
                         kept lies in the directory that is shared",
                    );
                }
                let scrap = Scrap::make()?;
                (scrap.0.clone(), Some(scrap))
            }
        };
        Ok(Self::of(&dir, scrap))
    }

    fn of(dir: &Path, scrap: Option<Scrap>) -> Self {
        Self {
            cert: dir.join("share-cert.pem"),
            key: dir.join("share-key.pem"),
            _scrap: scrap,
        }
    }

    #[cfg(test)]
    pub(super) fn in_test(dir: &Path) -> Self {
        Self::of(dir, None)
    }
}

fn cache() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    cache.map(|dir| dir.join("ftpd"))
}

/// A directory that nobody else may read, gone with its key when it drops.
#[derive(Debug)]
struct Scrap(PathBuf);

impl Scrap {
    fn make() -> Result<Self, Error> {
        let mut tag = [0; 8];
        getrandom::fill(&mut tag).map_err(|error| Error::Failed(error.to_string()))?;
        let tag = u64::from_le_bytes(tag);
        let dir = std::env::temp_dir().join(format!("ftpd-share-{tag:016x}"));
        let made = DirBuilder::new().mode(0o700).create(&dir);
        made.map_err(Error::system(format!("make `{}`", dir.display())))?;
        Ok(Self(dir))
    }
}

impl Drop for Scrap {
    fn drop(&mut self) {
        let _ = fs_err::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scraps_are_private_and_go() {
        use std::os::unix::fs::PermissionsExt as _;
        let scrap = Scrap::make().unwrap();
        let dir = scrap.0.clone();
        let mode = std::fs::metadata(&dir).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::write(dir.join("key"), "secret").unwrap();
        drop(scrap);
        assert!(!dir.exists());
    }
}
