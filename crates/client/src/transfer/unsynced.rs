//! Small downloads, and the names of all, that the disk need not have yet: it is waited for once, at the end
//! of a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// So many are waited for one by one; with more their disks are, with all that others have written.
const ONE_BY_ONE: usize = 16;

/// What was written and not waited for.
#[derive(Debug, Default)]
pub(super) struct Unsynced(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    files: Vec<File>,
    /// One file of each disk.
    disks: BTreeMap<u64, File>,
    /// Directories, relative to the root, in which files got their names.
    dirs: BTreeSet<PathBuf>,
}

impl Unsynced {
    /// Notes a file.
    pub(super) fn add(&self, file: &File) -> io::Result<()> {
        let disk = file.metadata()?.dev();
        let mut held = self.held();
        if held.files.len() <= ONE_BY_ONE {
            held.files.push(file.try_clone()?);
        }
        if let std::collections::btree_map::Entry::Vacant(entry) = held.disks.entry(disk) {
            entry.insert(file.try_clone()?);
        }
        Ok(())
    }

    /// Notes a file's new name.
    pub(super) fn add_name(&self, path: &Path) {
        let dir = path.parent().unwrap_or(Path::new(""));
        let mut held = self.held();
        if !held.dirs.contains(dir) {
            held.dirs.insert(dir.to_owned());
        }
    }

    /// Waits until the disks have all of it; `open` opens a directory. Blocks.
    pub(super) fn sync(&self, open: impl Fn(&Path) -> io::Result<File>) -> io::Result<()> {
        let held = std::mem::take(&mut *self.held());
        let are_many = held.files.len() > ONE_BY_ONE;
        if are_many {
            for disk in held.disks.values() {
                rustix::fs::syncfs(disk)?;
            }
        } else {
            held.files.iter().try_for_each(File::sync_data)?;
        }
        for dir in &held.dirs {
            // One that has gone, or may not be read, has nothing to wait for.
            let Ok(dir) = open(dir) else { continue };
            if are_many && held.disks.contains_key(&dir.metadata()?.dev()) {
                continue;
            }
            match dir.sync_all() {
                Err(error) if !knows_no_sync(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether a disk cannot be asked to write a directory, as some of the network.
fn knows_no_sync(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_waited_for_in_their_directories() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        let unsynced = Unsynced::default();
        for name in ["a", "b", "d/c", "gone/x"] {
            unsynced.add_name(Path::new(name));
        }
        let opened = Mutex::new(Vec::new());
        let open = |path: &Path| {
            opened.lock().unwrap().push(path.to_owned());
            File::open(dir.path().join(path))
        };
        unsynced.sync(open).unwrap();
        let opened = opened.into_inner().unwrap();
        assert_eq!(opened, ["", "d", "gone"].map(PathBuf::from));
        unsynced.sync(|_| unreachable!("all is there")).unwrap();
    }

    #[test]
    fn few_are_waited_for_one_by_one_and_many_by_their_disk() {
        let dir = tempfile::tempdir().unwrap();
        let unsynced = Unsynced::default();
        for n in 0..100 {
            unsynced
                .add(&File::create(dir.path().join(n.to_string())).unwrap())
                .unwrap();
            let held = unsynced.0.lock().unwrap();
            assert_eq!(held.files.len(), (n + 1).min(ONE_BY_ONE + 1));
            assert_eq!(held.disks.len(), 1);
        }
        let open = |path: &Path| File::open(dir.path().join(path));
        unsynced.sync(open).unwrap();
        assert!(unsynced.0.lock().unwrap().files.is_empty());
        // A handle that cannot be synced.
        let mut options = std::fs::OpenOptions::new();
        let flags = i32::try_from(rustix::fs::OFlags::PATH.bits()).unwrap();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
        unsynced
            .add(&options.read(true).open(dir.path().join("1")).unwrap())
            .unwrap();
        unsynced.sync(open).unwrap_err();
    }
}
