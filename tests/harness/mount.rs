//! A small file system of its own for a directory, gone with the test.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

/// A mounted file system; dropping it takes it away.
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

    /// Mounts an empty XFS of 320 MiB, whose files can share their bytes, over a directory; it lies in `image`, and takes
    /// little there. Skipped as [`Mount::tmpfs`] is, and without mkfs.xfs(8); a machine without loop devices, as many
    /// containers are, is told of and not held to it.
    ///
    /// # Panics
    /// It cannot be mounted and was required; the image cannot be made.
    #[must_use]
    pub fn xfs(dir: &Path, image: &Path) -> Option<Self> {
        if !Path::new("/dev/loop-control").exists() {
            crate::foreign::lack("an image of XFS needs a loop device, and this machine has none");
            return None;
        }
        let make = crate::foreign::find("mkfs.xfs")?;
        File::create(image).unwrap().set_len(320 << 20).unwrap();
        let made = Command::new(make).arg("-q").arg(image).status();
        assert!(made.unwrap().success(), "mkfs.xfs {}", image.display());
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-o", "loop"]).args([image, dir]).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(dir.to_path_buf()));
        }
        crate::foreign::skip(
            "an image of XFS cannot be mounted without root, a loop device and XFS in the kernel",
        );
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
