//! The permission bits of a local file, which the one that replaces it takes over.

use std::{
    fs::{File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use cap_std::fs::MetadataExt as _;

use super::LocalRoot;

/// What the owner needs to write a file and to read it again.
pub(super) const OWNER: u32 = 0o600;
/// Set-id bits were given to other bytes.
const PERMISSIONS: u32 = 0o777;

impl LocalRoot {
    /// Returns the permission bits of a regular file, not of one that a link leads to.
    pub(super) fn mode_of(&self, path: &Path) -> Option<u32> {
        let meta = self.dir.symlink_metadata(path).ok()?;
        meta.is_file().then(|| meta.mode() & PERMISSIONS)
    }

    /// Gives a file the permission bits of the one that it is to replace, if there is one.
    pub(in crate::transfer) fn keep_mode(&self, file: &File, replaced: &Path) {
        if let Some(mode) = self.mode_of(replaced) {
            set_mode(file, mode);
        }
    }
}

/// Sets the bits; a disk that keeps none (FAT) may refuse them.
pub(super) fn set_mode(file: &File, mode: u32) {
    let _ = file.set_permissions(Permissions::from_mode(mode));
}

#[cfg(test)]
mod tests {
    use super::{super::part::part_of, *};

    #[test]
    fn a_part_is_no_more_open_than_what_it_replaces() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        let local = Path::new("a");
        let path = temp.path().join(local);
        std::fs::write(&path, b"old").unwrap();
        for (is_new, mode, open, kept) in [
            (true, 0o600, 0o600, 0o600),
            (false, 0o4755, 0o755, 0o755),
            (false, 0o440, 0o640, 0o440),
        ] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let (part, made) = root.open_part(&part_of(local), local).unwrap();
            let has = || part.metadata().unwrap().permissions().mode() & 0o7777;
            assert_eq!((made, has()), (is_new, open), "{mode:o}");
            root.keep_mode(&part, local);
            assert_eq!(has(), kept, "{mode:o}");
        }
    }
}
