//! The partial file beside a target, and the note that tells of which file it is a part.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{
    super::{
        Tools,
        local::{
            self, LocalRoot,
            part::{note_of, part_of},
        },
        resume::{self, Begin, Note},
    },
    Fetch,
    whole::SYNC_FROM,
};
use crate::error::Error;

/// A partial file that is open and the way it goes on.
pub(super) struct Part {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// What the part is a part of, beside it; a small file has none, since it is not resumed.
    pub(super) note: Option<PathBuf>,
    pub(super) begin: Begin,
}

impl Part {
    /// Opens the part of a file, and goes on with what it holds if that belongs to the file.
    pub(super) fn open(fetch: &Fetch, tools: &Tools, root: &LocalRoot) -> Result<Self, Error> {
        let path = part_of(&fetch.local);
        let (file, is_new) = root.open_part(&path, &fetch.local)?;
        let small = fetch.size.is_some_and(|size| size < resume::OVERLAP);
        let mut part = Self {
            file,
            note: None,
            path,
            begin: Begin::Fresh,
        };
        if is_new && small {
            return Ok(part);
        }
        let note_path = note_of(&part.path);
        let now = Note::new(&tools.endpoint, &fetch.remote, fetch.size, fetch.modified);
        let recorded = root
            .read_small(&note_path)
            .and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        let have = part.file.metadata().map_or(0, |meta| meta.len());
        if tools.options.resume {
            part.begin = resume::download(recorded.as_ref(), now.as_ref(), have);
        }
        part.note = Some(note_path);
        if part.begin == Begin::Fresh {
            part.cut(root)?;
            part.write_note(root, now.filter(|_| tools.options.resume).as_ref())
                .inspect_err(|_| part.discard(root))?;
        }
        Ok(part)
    }

    /// Opens the part of a file to begin anew.
    pub(super) fn fresh(fetch: &Fetch, root: &LocalRoot) -> Result<Self, Error> {
        let path = part_of(&fetch.local);
        let (file, _) = root.open_part(&path, &fetch.local)?;
        let part = Self {
            file,
            note: Some(note_of(&path)),
            path,
            begin: Begin::Fresh,
        };
        part.cut(root)?;
        Ok(part)
    }

    /// Written before the first byte, so that a crash leaves a part that can be known.
    fn write_note(&self, root: &LocalRoot, note: Option<&Note>) -> Result<(), Error> {
        let Some(path) = &self.note else {
            return Ok(());
        };
        match note {
            Some(note) => {
                let text = serde_json::to_vec(note).unwrap_or_default();
                root.write_small(path, &text)
            }
            None => root.remove(path, false),
        }
    }

    /// Empties it.
    pub(super) fn cut(&self, root: &LocalRoot) -> Result<(), Error> {
        self.file
            .set_len(0)
            .map_err(|error| Error::local("cut", root.told_as(&self.path), error))
    }

    /// Tells whether the end of the run is early enough to wait for the disk.
    pub(super) fn may_wait(&self, root: &LocalRoot, bytes: u64) -> bool {
        bytes < SYNC_FROM && root.unsynced.takes(&self.file)
    }

    /// Leaves the waiting for the disk to the end of the run, when it is `local`.
    pub(super) fn note_unsynced(&self, root: &LocalRoot, local: &Path) -> Result<(), Error> {
        self.settle(root)?;
        let noted = root.unsynced.add(local, &self.file);
        noted.map_err(|error| Error::local("sync", root.told_as(local), error))
    }

    /// Waits until the disk has it. What could not be written counts as written from then on, so
    /// nothing may go on behind it: the part goes. Some disks do nothing then, and write out at a close (FUSE).
    pub(super) fn force(&self, root: &LocalRoot) -> Result<(), Error> {
        self.file.sync_data().map_err(|error| {
            self.discard(root);
            Error::local("sync", root.told_as(&self.path), error)
        })?;
        self.settle(root)
    }

    /// Closes a second handle to it, which network disks answer for what they have not written yet.
    /// What they refuse then goes.
    fn settle(&self, root: &LocalRoot) -> Result<(), Error> {
        local::close_again(&self.file).map_err(|error| {
            self.discard(root);
            Error::local("write", root.told_as(&self.path), error)
        })
    }

    /// After a failure: the part stays when it can be resumed, and the disk has not refused any of it.
    pub(super) fn clean_up(&self, resume: bool, root: &LocalRoot, error: &Error) {
        let sound = !is_of_the_disk(error) && local::close_again(&self.file).is_ok();
        let kept = sound && self.file.metadata().is_ok_and(|meta| meta.len() > 0);
        let note = self.note.as_deref();
        let known = note.is_some_and(|note| root.read_small(note).is_some());
        if !(resume && kept && known) {
            self.discard(root);
        }
    }

    /// Removes the note of what has its final name; tells what refuses that, for it is no failure.
    pub(super) fn remove_note(&self, root: &LocalRoot, local: &Path) -> Option<String> {
        let refused = root.remove(self.note.as_deref()?, false).err()?;
        let shown = root.told_as(local);
        let cause = refused.chain();
        Some(format!(
            "{}: whole, its note stays: {cause}",
            shown.display()
        ))
    }

    /// Removes it with its note.
    pub(super) fn discard(&self, root: &LocalRoot) {
        let _gone = root.remove(&self.path, false);
        if let Some(note) = &self.note {
            let _gone = root.remove(note, false);
        }
    }
}

/// A disk that is full has what it took before that.
fn is_of_the_disk(error: &Error) -> bool {
    let Error::Local { source, .. } = error else {
        return false;
    };
    !matches!(
        source.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _};

    use super::*;

    /// A part of five bytes with its note; the handle is opened with `flags`.
    fn part(temp: &Path, flags: rustix::fs::OFlags) -> Part {
        let path = part_of(Path::new("a"));
        let note = note_of(&path);
        for name in [&path, &note] {
            std::fs::write(temp.join(name), b"12345").unwrap();
        }
        let flags = i32::try_from(flags.bits()).unwrap();
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(flags);
        Part {
            file: file.open(temp.join(&path)).unwrap(),
            path,
            note: Some(note),
            begin: Begin::Fresh,
        }
    }

    #[test]
    fn nothing_is_kept_of_what_the_disk_could_not_write() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        // A handle that cannot be synced.
        let unsynced = part(temp.path(), rustix::fs::OFlags::PATH);
        unsynced.force(&root).unwrap_err();
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_a_small_file_of_a_disk_that_is_asked_for_all_waits_for_the_end() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        let part = part(temp.path(), rustix::fs::OFlags::empty());
        for (trusted, bytes, waits) in [
            (true, SYNC_FROM - 1, true),
            (true, SYNC_FROM, false),
            (false, 0, false),
        ] {
            root.unsynced.trust(&part.file, trusted);
            assert_eq!(part.may_wait(&root, bytes), waits, "{trusted} {bytes}");
        }
    }

    #[test]
    fn a_note_that_cannot_be_removed_is_told_and_no_failure() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        let part = part(temp.path(), rustix::fs::OFlags::empty());
        let note = temp.path().join(".a.ftpc-part.json");
        let local = Path::new("a");
        for _gone_already in [false, true] {
            assert_eq!(part.remove_note(&root, local), None);
            assert!(!note.exists());
        }
        std::fs::create_dir(&note).unwrap();
        let told = part.remove_note(&root, local).unwrap();
        let (file, note) = (temp.path().join("a"), note.display());
        let words = format!(
            "{}: whole, its note stays: remove local `{note}`: ",
            file.display()
        );
        assert!(told.starts_with(&words), "{told}");
    }

    #[test]
    fn a_part_stays_for_a_full_disk_and_a_lost_line_and_for_no_other_fault_of_the_disk() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        let disk = |kind: io::ErrorKind| Error::local("write", "a", kind.into());
        let lost = Error::Remote(crate::error::RemoteError::Poisoned);
        for (error, left) in [
            (disk(io::ErrorKind::StorageFull), 2),
            (lost, 2),
            (disk(io::ErrorKind::Other), 0),
        ] {
            part(temp.path(), rustix::fs::OFlags::empty()).clean_up(true, &root, &error);
            let count = std::fs::read_dir(temp.path()).unwrap().count();
            assert_eq!(count, left, "{}", error.chain());
        }
    }
}
