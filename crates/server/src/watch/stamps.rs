//! States of files: what tells one from another.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What tells one state of a file from another; `None`: not there.
type Stamp = Option<(SystemTime, (i64, i64), u64, u64)>;

/// States of files, taken **before** the files were read: whatever is written behind that is a
/// change, though nobody watched at that moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamps(pub(super) HashMap<PathBuf, Stamp>);

impl Stamps {
    /// Takes the states of `files` as they are now.
    #[must_use]
    pub fn of(files: &[PathBuf]) -> Self {
        Self(
            files
                .iter()
                .map(|file| (file.clone(), stamp(file)))
                .collect(),
        )
    }

    /// Takes the states of those of `files` that have none yet.
    pub fn complete(&mut self, files: &[PathBuf]) {
        for file in files {
            if !self.0.contains_key(file) {
                self.0.insert(file.clone(), stamp(file));
            }
        }
    }
}

fn stamp(file: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(file).ok()?;
    // With its change of owner or mode: what could not be read may be readable by then.
    let changed = (meta.ctime(), meta.ctime_nsec());
    Some((meta.modified().ok()?, changed, meta.len(), meta.ino()))
}
