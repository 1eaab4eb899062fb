//! What the suites of the configuration share.

#![allow(dead_code, reason = "not every suite uses all of it")]

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

const HASH: &str = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdHNhbHRzYWx0$wT2cXRgcBpbcRHWMvj2Jpg";

/// A file with one user, to which a fault is added.
pub(crate) fn with_ann(text: &str) -> String {
    format!("{text}\n[[user]]\nname = \"ann\"\npassword = \"{HASH}\"\n")
}

/// Writes it with a mode.
pub(crate) fn file(dir: &tempfile::TempDir, text: &[u8], mode: u32) -> PathBuf {
    let path = dir.path().join("ftp.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}
