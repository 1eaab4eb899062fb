//! The local file of an upload.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
    sync::OnceLock,
    time::SystemTime,
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags, open, openat, openat2},
    io::Errno,
};

use crate::{error::Error, transfer::unsynced::time_of_refused};

/// The local file, opened, with what it was then.
pub(super) struct Source {
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
    /// What tells this state of this very file from every other, also on other machines.
    pub(super) identity: String,
}

impl Source {
    /// Opens a file; no link between `top`, below which a walk found it, and itself is followed.
    pub(super) fn open(path: &Path, top: Option<&Path>) -> Result<Self, Error> {
        let fail = |verb| move |error| Error::local(verb, path, error);
        let meta = std::fs::metadata(path).map_err(fail("open"))?;
        if meta.is_dir() {
            return Err(fail("read")(io::ErrorKind::IsADirectory.into()));
        }
        if !meta.is_file() {
            // Opening a FIFO would wait for its writer.
            let error = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
            return Err(fail("read")(error));
        }
        let file = match top.and_then(|top| Some((top, path.strip_prefix(top).ok()?))) {
            Some((top, below)) => open_below(top, below),
            None => File::open(path),
        };
        let file = file.map_err(fail("open"))?;
        let meta = file.metadata().map_err(fail("read"))?;
        if meta.len() == 0 && goes_on(&file, 0).is_ok_and(|goes_on| goes_on) {
            // As under /proc: an empty file would stand on the server.
            let words = "its size is not told; send it by `ftpc put - -o NAME`";
            let error = io::Error::new(io::ErrorKind::InvalidInput, words);
            return Err(fail("read")(error));
        }
        let modified = meta.modified().ok();
        ensure_believed(modified).map_err(fail("read"))?;
        Ok(Self {
            file,
            size: meta.len(),
            modified,
            identity: identity(&meta),
        })
    }

    /// Returns a second handle, for a thread.
    pub(super) fn handle(&self, path: &Path) -> Result<File, Error> {
        let clone = self.file.try_clone();
        clone.map_err(|error| Error::local("open", path, error))
    }

    /// Makes sure that these were all bytes of the file, and that it is still what it was when it was opened.
    /// A disk may tell a size that is too small, so it is asked for one byte more.
    pub(super) fn check_whole(&self, path: &Path, sent: u64) -> Result<(), Error> {
        let goes_on = goes_on(&self.file, self.size);
        let goes_on = goes_on.map_err(|error| Error::local("read", path, error))?;
        let same = self.is_unchanged(self.file.metadata());
        let same = same.map_err(|error| Error::local("read", path, error))?;
        if sent == self.size && !goes_on && same {
            return Ok(());
        }
        Err(Error::ChangedMeanwhile {
            path: path.display().to_string(),
        })
    }

    /// A disk that is gone may end the file early, and says so only when the file is looked at.
    fn is_unchanged(&self, now: io::Result<Metadata>) -> io::Result<bool> {
        let now = now?;
        Ok(now.len() == self.size && now.modified().ok() == self.modified)
    }
}

/// Refuses a download that a disk may have lost: it must not take the place of the server's good one.
fn ensure_believed(modified: Option<SystemTime>) -> io::Result<()> {
    if modified != Some(time_of_refused()) {
        return Ok(());
    }
    let words = "it may not be whole, as the disk refused it; fetch it again with `get --force`";
    Err(io::Error::new(io::ErrorKind::InvalidData, words))
}

/// Tells whether a file has bytes from there on, whatever size it tells.
fn goes_on(file: &File, from: u64) -> io::Result<bool> {
    match file.read_exact_at(&mut [0], from) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file of the same size and time may have taken this one's place, or hold other bytes (`cp -p`).
fn identity(meta: &Metadata) -> String {
    let numbers = [
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
    ];
    let (machine, device, inode, size) = (machine(), meta.dev(), meta.ino(), meta.size());
    format!("{machine} {device} {inode} {size} {numbers:?}")
}

fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let system = rustix::system::uname();
        format!("{} {}", system.nodename().to_string_lossy(), id.trim())
    })
}

fn open_below(top: &Path, below: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let dir = open(
        top,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match openat2(&dir, below, flags, Mode::empty(), how) {
        Ok(file) => Ok(file.into()),
        Err(Errno::LOOP | Errno::XDEV) => {
            let words = "a link has taken its place";
            Err(io::Error::new(io::ErrorKind::InvalidInput, words))
        }
        // A system or a container without that call keeps to the last name.
        Err(Errno::NOSYS | Errno::PERM) => {
            Ok(openat(&dir, below, flags | OFlags::NOFOLLOW, Mode::empty())?.into())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_of_the_same_size_and_time_are_another_state() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a");
        fs::write(&path, "one").unwrap();
        let first = Source::open(&path, None).unwrap();
        let again = Source::open(&path, None).unwrap();
        assert_eq!(first.identity, again.identity);
        // The clock that stamps files moves in steps.
        for _ in 0..10_000 {
            fs::write(&path, "two").unwrap();
            let written = File::options().write(true).open(&path).unwrap();
            written.set_modified(first.modified.unwrap()).unwrap();
            if Source::open(&path, None).unwrap().identity != first.identity {
                break;
            }
        }
        let second = Source::open(&path, None).unwrap();
        assert_eq!((second.size, second.modified), (first.size, first.modified));
        assert_ne!(second.identity, first.identity);
        fs::rename(&path, temp.path().join("old")).unwrap();
        fs::write(&path, "two").unwrap();
        assert_ne!(Source::open(&path, None).unwrap().identity, second.identity);
    }

    #[test]
    fn a_file_that_goes_on_behind_its_told_size_is_not_sent_whole() {
        let path = Path::new("/proc/version");
        let file = File::open(path).unwrap();
        let meta = file.metadata().unwrap();
        let mut source = Source {
            file,
            size: meta.len(),
            modified: meta.modified().ok(),
            identity: String::new(),
        };
        let error = source.check_whole(path, meta.len()).unwrap_err();
        assert_eq!(error.chain(), "`/proc/version` changed during the transfer");
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a");
        fs::write(&path, "abc").unwrap();
        source = Source::open(&path, None).unwrap();
        assert!(source.check_whole(&path, 3).is_ok());
        assert!(source.check_whole(&path, 2).is_err());
    }

    #[test]
    fn a_disk_that_is_gone_is_told_and_not_a_change() {
        let temp = tempfile::NamedTempFile::new().unwrap();
        let source = Source::open(temp.path(), None).unwrap();
        assert!(source.is_unchanged(source.file.metadata()).unwrap());
        let gone = source.is_unchanged(Err(Errno::NOTCONN.into())).unwrap_err();
        assert_eq!(Errno::from_io_error(&gone), Some(Errno::NOTCONN));
    }

    #[test]
    fn a_file_that_the_disk_refused_is_not_sent() {
        let temp = tempfile::NamedTempFile::new().unwrap();
        temp.as_file().set_modified(time_of_refused()).unwrap();
        let error = Source::open(temp.path(), None).err().unwrap().chain();
        assert!(error.contains("may not be whole"), "{error}");
    }

    #[test]
    fn a_file_that_tells_no_size_is_not_sent_as_an_empty_one() {
        let error = Source::open(Path::new("/proc/version"), None)
            .err()
            .unwrap();
        assert!(
            error.chain().contains("its size is not told"),
            "{}",
            error.chain()
        );
    }

    #[test]
    fn a_link_in_the_place_of_what_was_found_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        let (top, secret) = (temp.path().join("t"), temp.path().join("secret"));
        fs::create_dir_all(top.join("d")).unwrap();
        fs::create_dir(&secret).unwrap();
        for file in [top.join("d/a"), secret.join("a")] {
            fs::write(file, "1").unwrap();
        }
        let open = || Source::open(&top.join("d/a"), Some(&top));
        let refuses = || {
            let error = open().err();
            error.is_some_and(|error| error.chain().contains("a link has taken its place"))
        };
        assert!(open().is_ok());
        fs::remove_file(top.join("d/a")).unwrap();
        std::os::unix::fs::symlink(secret.join("a"), top.join("d/a")).unwrap();
        assert!(refuses());
        fs::rename(top.join("d"), top.join("old")).unwrap();
        std::os::unix::fs::symlink(&secret, top.join("d")).unwrap();
        assert!(refuses());
        // What the user has named may be one.
        assert!(Source::open(&top.join("d/a"), None).is_ok());
    }
}
