//! Where the import finds files, on this machine or in a copy of another one's `/etc`, and how it reads them.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

/// No list or configuration is longer; a device named by mistake must not be read for ever.
const MOST_BYTES: u64 = 4 << 20;

/// Where lists are looked for.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Put before the absolute paths that the file names, for a copy of another machine's `/etc`.
    pub root: Option<PathBuf>,
    /// The chroot_list, in place of the one the file names.
    pub chroot_list: Option<PathBuf>,
    /// The userlist, in place of the one the file names.
    pub userlist: Option<PathBuf>,
}

impl Places {
    fn on_disk(&self, path: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => PathBuf::from(path),
        }
    }

    /// Reads a file that the settings name.
    pub(super) fn below_root(&self, path: &str) -> io::Result<String> {
        read_capped(&self.on_disk(path))
    }

    /// Follows a symbolic link that names a path from the root: that of the machine it was made on.
    fn behind(&self, path: PathBuf) -> PathBuf {
        match std::fs::read_link(&path) {
            Ok(target) if target.is_absolute() => self.on_disk(&target.to_string_lossy()),
            _ => path,
        }
    }

    /// Reads the files of a directory, by name.
    pub(super) fn dir(&self, path: &str) -> io::Result<Vec<(String, String)>> {
        let mut files = Vec::new();
        for entry in fs_err::read_dir(self.on_disk(path))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = self.behind(entry.path());
            // One that leads nowhere is not the same as no directory at all.
            let facts = fs_err::metadata(&path).map_err(io::Error::other)?;
            if facts.is_file() && !name.starts_with('.') {
                files.push((name, read_capped(&path)?));
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Reads a text file, up to a size that no list has.
///
/// # Errors
/// When it cannot be read, is not a file, or is larger.
pub(super) fn read_capped(path: &Path) -> io::Result<String> {
    let file = fs_err::File::open(path)?;
    if !file.metadata()?.is_file() {
        let text = format!("`{}` is not a file", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    // The end of a deny-list must not be missing.
    if bytes.len() as u64 > MOST_BYTES {
        let text = format!("`{}` is larger than {MOST_BYTES} bytes", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_would_lose_its_end_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(MOST_BYTES).unwrap();
        assert!(read_capped(file.path()).is_ok());
        file.as_file().set_len(MOST_BYTES + 1).unwrap();
        let error = read_capped(file.path()).unwrap_err().to_string();
        assert!(error.contains("is larger than"), "{error}");
    }
}
