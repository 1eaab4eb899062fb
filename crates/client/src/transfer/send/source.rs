//! The local file of an upload.

use std::{fs::File, io, path::Path, time::SystemTime};

use crate::error::Error;

/// The local file, opened, with what it was then.
pub(super) struct Source {
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
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
        let (size, modified) = facts(&file).map_err(fail("read"))?;
        Ok(Self {
            file,
            size,
            modified,
        })
    }

    /// Returns a second handle, for a thread.
    pub(super) fn handle(&self, path: &Path) -> Result<File, Error> {
        let clone = self.file.try_clone();
        clone.map_err(|error| Error::local("open", path, error))
    }

    /// Tells whether the file is still what it was when it was opened.
    pub(super) fn is_unchanged(&self) -> bool {
        facts(&self.file)
            .is_ok_and(|(size, modified)| size == self.size && modified == self.modified)
    }
}

fn facts(file: &File) -> io::Result<(u64, Option<SystemTime>)> {
    let meta = file.metadata()?;
    Ok((meta.len(), meta.modified().ok()))
}
