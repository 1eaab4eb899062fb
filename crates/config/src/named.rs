//! Which files a configuration names, whether or not it can be used.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::{
    load::read,
    reader::{Faults, Section},
    resolve::server_files,
};

/// Returns the files that the server's side of `path` names: its list of users, its certificate and key. What is
/// wrong with them, or with the file, is passed over: none that can be told is left out. Reads `path` alone.
#[must_use]
pub fn files_named(path: &Path) -> Vec<PathBuf> {
    let Ok((source, _)) = read(path) else {
        return Vec::new();
    };
    let (table, _) = DeTable::parse_recoverable(source.text());
    let faults = Faults::new(&source);
    server_files(&Section::root(&faults, table.get_ref()))
}
