//! Small downloads, and the names of all, that the disk need not have yet: it is waited for once, at the end
//! of a run.

mod at_once;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// So many are waited for one by one; with more their disks are, with all that others have written.
const ONE_BY_ONE: usize = 16;

use super::local::set_modified;

/// What was written and not waited for.
#[derive(Debug, Default)]
pub(super) struct Unsynced(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    files: Vec<(PathBuf, File)>,
    disks: BTreeMap<u64, Disk>,
    /// Whether a disk can be asked for all that it holds.
    trusted: BTreeMap<u64, bool>,
    /// Directories, relative to the root, in which files got their names.
    dirs: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Disk {
    /// One file of it.
    file: File,
    /// All that it is waited for.
    files: Vec<(PathBuf, Written)>,
}

/// What a file was when it was written: nobody else's, and not one that was changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    device: u64,
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
}

impl Written {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.len(),
            modified: meta.modified().ok(),
        })
    }
}

/// What a disk refused at the end.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) what: What,
    pub(super) error: io::Error,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A file or a directory, relative to the root.
    Path(PathBuf),
    /// Any of so many files, some of which could not be marked.
    AnyOf { count: usize, unmarked: usize },
}

/// The time of a file that may not be whole, in 1990: one that no file of a server has, and no newer one,
/// which `sync --update` would leave as it is.
pub(super) fn time_of_refused() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(634_034_035)
}

impl Unsynced {
    /// Tells whether a file may be waited for at the end of the run. Where its disk has to be asked for each
    /// file, that is done before the file gets its name.
    pub(super) fn takes(&self, file: &File) -> bool {
        let Ok(meta) = file.metadata() else {
            return false;
        };
        let known = self.held().trusted.get(&meta.dev()).copied();
        known.unwrap_or_else(|| {
            let trusted = at_once::is_trusted(file);
            self.held().trusted.insert(meta.dev(), trusted);
            trusted
        })
    }

    /// Notes a file, by the path that it will have relative to the root.
    pub(super) fn add(&self, path: &Path, file: &File) -> io::Result<()> {
        let written = Written::of(file)?;
        let mut held = self.held();
        if held.files.len() <= ONE_BY_ONE {
            held.files.push((path.to_owned(), file.try_clone()?));
        }
        let disk = match held.disks.entry(written.device) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let file = file.try_clone()?;
                let files = Vec::new();
                entry.insert(Disk { file, files })
            }
        };
        disk.files.push((path.to_owned(), written));
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

    /// Waits until the disks have all of it, and tells what they refused; `open` opens a directory, `mark` gives
    /// a file [`time_of_refused`]. Blocks.
    ///
    /// A file that was refused loses the server's time: it must not pass for one that is here already. Where
    /// there are many, which of them it was is not known, and all do.
    pub(super) fn sync(
        &self,
        open: impl Fn(&Path) -> io::Result<File>,
        mark: impl Fn(&Path, &Written) -> io::Result<()>,
    ) -> Vec<Refused> {
        let held = std::mem::take(&mut *self.held());
        let are_many = held.files.len() > ONE_BY_ONE;
        let mut refused = if are_many {
            sync_disks(held.disks.values(), mark)
        } else {
            sync_files(&held.files)
        };
        for path in held.dirs {
            // One that has gone, or may not be read, has nothing to wait for.
            let Ok(dir) = open(&path) else { continue };
            let is_done = |dir: &File| Ok(held.disks.contains_key(&dir.metadata()?.dev()));
            let synced = match is_done(&dir) {
                Ok(true) if are_many => continue,
                Ok(_) => dir.sync_all(),
                Err(error) => Err(error),
            };
            if let Err(error) = synced
                && !knows_no_sync(&error)
            {
                let what = What::Path(path);
                refused.push(Refused { what, error });
            }
        }
        refused
    }

    #[cfg(test)]
    pub(super) fn trust(&self, file: &File, trusted: bool) {
        let disk = file.metadata().unwrap().dev();
        self.held().trusted.insert(disk, trusted);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sync_disks<'a>(
    disks: impl Iterator<Item = &'a Disk>,
    mark: impl Fn(&Path, &Written) -> io::Result<()>,
) -> Vec<Refused> {
    let refused = disks.filter_map(|Disk { file, files }| {
        let error = rustix::fs::syncfs(file).err()?.into();
        let unmarked = files
            .iter()
            .filter(|(path, written)| mark(path, written).is_err());
        let (count, unmarked) = (files.len(), unmarked.count());
        // Their times, as far as that goes.
        let _told_anyway = rustix::fs::syncfs(file);
        let what = What::AnyOf { count, unmarked };
        Some(Refused { what, error })
    });
    refused.collect()
}

fn sync_files(files: &[(PathBuf, File)]) -> Vec<Refused> {
    let refused = files.iter().filter_map(|(path, file)| {
        let error = file.sync_data().err()?;
        // A disk that refuses this too has nothing else that could be done.
        let _told_anyway = set_modified(file, time_of_refused());
        let what = What::Path(path.clone());
        Some(Refused { what, error })
    });
    refused.collect()
}

/// Tells whether a disk cannot be asked to write a directory, as some of the network.
fn knows_no_sync(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmarked(path: &Path, _: &Written) -> io::Result<()> {
        panic!("{} is whole, or its handle is there", path.display());
    }

    /// A handle that cannot be synced.
    fn bad_handle(path: &Path) -> File {
        let flags = i32::try_from(rustix::fs::OFlags::PATH.bits()).unwrap();
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
        options.read(true).open(path).unwrap()
    }

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
        assert!(unsynced.sync(open, unmarked).is_empty());
        let opened = opened.into_inner().unwrap();
        assert_eq!(opened, ["", "d", "gone"].map(PathBuf::from));
        assert!(
            unsynced
                .sync(|_| unreachable!("all is there"), unmarked)
                .is_empty()
        );
    }

    #[test]
    fn few_are_waited_for_one_by_one_and_many_by_their_disk() {
        let dir = tempfile::tempdir().unwrap();
        let unsynced = Unsynced::default();
        for n in 0..100 {
            let name = n.to_string();
            let file = File::create(dir.path().join(&name)).unwrap();
            unsynced.add(Path::new(&name), &file).unwrap();
            let held = unsynced.0.lock().unwrap();
            assert_eq!(held.files.len(), (n + 1).min(ONE_BY_ONE + 1));
            assert_eq!(held.disks.len(), 1);
        }
        let open = |path: &Path| File::open(dir.path().join(path));
        assert!(unsynced.sync(open, unmarked).is_empty());
        assert!(unsynced.0.lock().unwrap().files.is_empty());
        for name in ["1", "2"] {
            let file = bad_handle(&dir.path().join(name));
            unsynced.add(Path::new(name), &file).unwrap();
        }
        let refused = unsynced
            .sync(open, unmarked)
            .into_iter()
            .map(|refused| refused.what);
        assert_eq!(
            refused.collect::<Vec<_>>(),
            ["1", "2"].map(|name| What::Path(name.into()))
        );
    }

    #[test]
    fn of_few_the_one_that_a_disk_refused_is_marked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        // What cannot be synced and keeps a time: no file does that on a sound disk.
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let unsynced = Unsynced::default();
        unsynced.add(Path::new("a"), &file).unwrap();
        let refused = unsynced.sync(|_| unreachable!("no name was noted"), unmarked);
        assert_eq!(refused[0].what, What::Path("a".into()));
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(modified, time_of_refused());
    }

    #[test]
    fn a_directory_is_waited_for_by_itself_unless_its_disk_was() {
        let dir = tempfile::tempdir().unwrap();
        let unsynced = Unsynced::default();
        for few in [true, false] {
            let count = if few { 1 } else { ONE_BY_ONE + 1 };
            let file = File::create(dir.path().join("a")).unwrap();
            for _ in 0..count {
                unsynced.add(Path::new("a"), &file).unwrap();
            }
            unsynced.add_name(Path::new("a"));
            let refused = unsynced.sync(|_| Ok(bad_handle(dir.path())), unmarked);
            let told = refused.first().map(|refused| &refused.what);
            assert_eq!(told, few.then_some(&What::Path("".into())));
        }
    }

    #[test]
    fn of_many_that_a_disk_refused_all_are_marked() {
        let dir = tempfile::tempdir().unwrap();
        let unsynced = Unsynced::default();
        let names: Vec<_> = (0..=ONE_BY_ONE)
            .map(|n| PathBuf::from(n.to_string()))
            .collect();
        for name in &names {
            File::create(dir.path().join(name)).unwrap();
            let file = bad_handle(&dir.path().join(name));
            unsynced.add(name, &file).unwrap();
        }
        let marked = Mutex::new(Vec::new());
        // A disk that is read-only by now lets some keep their time.
        let mark = |path: &Path, _: &Written| {
            marked.lock().unwrap().push(path.to_owned());
            match path == Path::new("3") {
                true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
                false => Ok(()),
            }
        };
        let refused = unsynced.sync(|_| unreachable!("no name was noted"), mark);
        let refused = refused.into_iter().map(|refused| refused.what);
        assert_eq!(
            refused.collect::<Vec<_>>(),
            [What::AnyOf {
                count: names.len(),
                unmarked: 1
            }]
        );
        assert_eq!(marked.into_inner().unwrap(), names);
    }
}
