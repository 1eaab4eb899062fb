//! The local file of an upload.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
    sync::OnceLock,
    time::SystemTime,
};

use crate::error::Error;

/// The local file, opened, with what it was then.
pub(super) struct Source {
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
    /// What tells this state of this very file from every other, also on other machines.
    pub(super) identity: String,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
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
        let file = File::open(path).map_err(fail("open"))?;
        let meta = file.metadata().map_err(fail("read"))?;
        if meta.len() == 0 && file.read_at(&mut [0], 0).is_ok_and(|count| count > 0) {
            // As under /proc: an empty file would stand on the server.
            let words = "its size is not told; send it by `ftpc put - -o NAME`";
            let error = io::Error::new(io::ErrorKind::InvalidInput, words);
            return Err(fail("read")(error));
        }
        Ok(Self {
            file,
            size: meta.len(),
            modified: meta.modified().ok(),
            identity: identity(&meta),
        })
    }

    /// Returns a second handle, for a thread.
    pub(super) fn handle(&self, path: &Path) -> Result<File, Error> {
        let clone = self.file.try_clone();
        clone.map_err(|error| Error::local("open", path, error))
    }

    /// Tells whether the file is still what it was when it was opened.
    pub(super) fn is_unchanged(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|meta| meta.len() == self.size && meta.modified().ok() == self.modified)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_of_the_same_size_and_time_are_another_state() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a");
        fs::write(&path, "one").unwrap();
        let first = Source::open(&path).unwrap();
        let again = Source::open(&path).unwrap();
        assert_eq!(first.identity, again.identity);
        // The clock that stamps files moves in steps.
        for _ in 0..10_000 {
            fs::write(&path, "two").unwrap();
            let written = File::options().write(true).open(&path).unwrap();
            written.set_modified(first.modified.unwrap()).unwrap();
            if Source::open(&path).unwrap().identity != first.identity {
                break;
            }
        }
        let second = Source::open(&path).unwrap();
        assert_eq!((second.size, second.modified), (first.size, first.modified));
        assert_ne!(second.identity, first.identity);
        fs::rename(&path, temp.path().join("old")).unwrap();
        fs::write(&path, "two").unwrap();
        assert_ne!(Source::open(&path).unwrap().identity, second.identity);
    }

    #[test]
    fn a_file_that_tells_no_size_is_not_sent_as_an_empty_one() {
        let error = Source::open(Path::new("/proc/version")).err().unwrap();
        assert!(
            error.chain().contains("its size is not told"),
            "{}",
            error.chain()
        );
    }
}
