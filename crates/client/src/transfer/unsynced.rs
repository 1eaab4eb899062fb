//! Small downloads that the disk need not have yet: it is waited for once, at the end of a run.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    sync::{Mutex, PoisonError},
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
}

impl Unsynced {
    /// Notes a file.
    pub(super) fn add(&self, file: &File) -> io::Result<()> {
        let disk = file.metadata()?.dev();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.files.len() <= ONE_BY_ONE {
            held.files.push(file.try_clone()?);
        }
        if let std::collections::btree_map::Entry::Vacant(entry) = held.disks.entry(disk) {
            entry.insert(file.try_clone()?);
        }
        Ok(())
    }

    /// Waits until the disks have all of it. Blocks.
    pub(super) fn sync(&self) -> io::Result<()> {
        let held = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if held.files.len() > ONE_BY_ONE {
            return held
                .disks
                .values()
                .try_for_each(|disk| Ok(rustix::fs::syncfs(disk)?));
        }
        held.files.iter().try_for_each(File::sync_data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        unsynced.sync().unwrap();
        assert!(unsynced.0.lock().unwrap().files.is_empty());
        // A handle that cannot be synced.
        let mut options = std::fs::OpenOptions::new();
        let flags = i32::try_from(rustix::fs::OFlags::PATH.bits()).unwrap();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
        unsynced
            .add(&options.read(true).open(dir.path().join("1")).unwrap())
            .unwrap();
        unsynced.sync().unwrap_err();
    }
}
