//! A small file system of its own for a directory, gone with the test.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A mounted tmpfs; dropping it takes it away.
#[derive(Debug)]
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts a tmpfs with these options, such as `size=4m`, over a directory. Without the right to
    /// do so the test is skipped loudly, or fails when `FTP_REQUIRE_PEERS` is set.
    ///
    /// # Panics
    /// It cannot be mounted and was required.
    #[must_use]
    pub fn tmpfs(dir: &Path, options: &str) -> Option<Self> {
        let out = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("{options},mode=755"), "tmpfs"])
            .arg(dir)
            .output();
        if out.is_ok_and(|out| out.status.success()) {
            return Some(Self(dir.to_path_buf()));
        }
        crate::foreign::skip("a tmpfs cannot be mounted without root");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
