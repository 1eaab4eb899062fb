//! The file itself: read, locked, and written whole.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::store::Known;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read or written.
    #[error("{verb} `{}`", path.display())]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what this program wrote.
    #[error("`{}` is damaged: {reason}; remove the line, or the file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Known>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| StoreError::Damaged {
            path: path.to_owned(),
            reason: error.message().to_owned(),
        }),
        // `HOME=/dev/null` is no home either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(BTreeMap::new())
        }
        Err(source) => Err(StoreError::Io {
            verb: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Returns the file that a path leads to: one that is linked from a directory of such files stays there. What is
/// no file, as `/dev/null`, is not to be replaced.
pub(super) fn behind_links(path: &Path) -> PathBuf {
    let behind = match fs::canonicalize(path) {
        Ok(real) => real.is_file().then_some(real),
        // It is linked before it is there.
        Err(_) => fs::read_link(path)
            .ok()
            .map(|target| path.parent().unwrap_or(Path::new("")).join(target)),
    };
    behind.unwrap_or_else(|| path.to_owned())
}

/// Makes the file's directory and locks it, until the answer is dropped.
pub(super) fn lock(path: &Path) -> io::Result<fs::File> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let dir = fs::File::open(dir)?;
    dir.lock()?;
    Ok(dir)
}

pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn who_is_known_is_told_to_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts.toml");
        for text in ["", "one = {}\n"] {
            write(&path, text).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_leads_to_what_is_written_and_not_to_a_device() {
        use std::os::unix::fs::symlink;

        use crate::trust::{TrustCheck as _, store::Store};
        let temp = tempfile::tempdir().unwrap();
        let dir = fs::canonicalize(temp.path()).unwrap();
        let at = |name: &str| dir.join(name);
        fs::write(at("real"), "").unwrap();
        for (target, name) in [
            ("real", "link"),
            ("link", "second"),
            ("none", "early"),
            ("/dev/null", "device"),
        ] {
            symlink(target, at(name)).unwrap();
        }
        for (name, behind) in [
            ("real", "real"),
            ("link", "real"),
            ("second", "real"),
            ("early", "none"),
            ("device", "device"),
            ("new", "new"),
        ] {
            assert_eq!(behind_links(&at(name)), at(behind), "{name}");
        }
        let store = Store::open(at("second")).unwrap();
        store.note_tls("h:21");
        store.save().unwrap();
        assert!(at("second").is_symlink() && at("link").is_symlink());
        assert!(fs::read_to_string(at("real")).unwrap().contains("h:21"));
    }
}
