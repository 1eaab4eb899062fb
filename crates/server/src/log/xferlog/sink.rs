//! Where the lines go: a file that is opened anew, tried again, and never gone on with in a torn line.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt as _, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use tracing::{error, warn};

/// The file of the record.
#[derive(Default)]
pub(super) struct Sink {
    path: Option<PathBuf>,
    file: Option<File>,
    /// The path could not be opened yet; until then the file of before, which may have been renamed by a rotation, has
    /// the lines.
    is_due: bool,
    /// The last line may be there in part.
    is_torn: bool,
    /// Lines that no file has.
    lost: u64,
}

impl Sink {
    /// Writes to `path` from now on; `None`: nowhere.
    pub(super) fn turn_to(&mut self, path: Option<PathBuf>) {
        if path.is_none() {
            self.file = None;
        }
        self.is_due = path.is_some();
        self.path = path;
        if let Err(error) = self.open() {
            let path = self.path.as_deref().unwrap_or(Path::new("")).display();
            error!(%path, %error, "no transfer record; it is tried again at each transfer");
        }
    }

    /// Opens the path, if that is still to be done.
    fn open(&mut self) -> io::Result<()> {
        let Some(path) = self.path.as_deref().filter(|_| self.is_due) else {
            return Ok(());
        };
        let file = open(path)?;
        let is_file = file.metadata()?.is_file();
        self.file = Some(file);
        self.is_due = false;
        self.is_torn = is_file && ends_torn(path);
        if !is_file {
            let path = path.display();
            warn!(%path, "the transfer record goes to what is not a file: lines that it does not take at once are lost");
        }
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            warn!(
                lost,
                "the transfer record goes on; lines of before are lost"
            );
        }
        Ok(())
    }

    pub(super) fn write(&mut self, line: &str) {
        let _told_before = self.open();
        let Some(file) = &mut self.file else {
            self.lost += u64::from(self.path.is_some());
            return;
        };
        let end_of_torn = if self.is_torn { "\n" } else { "" };
        // One write a line: other writers of the file cannot split it.
        let written = file.write_all(format!("{end_of_torn}{line}\n").as_bytes());
        self.is_torn = written.is_err();
        if let Err(error) = written {
            // Whoever read it has gone; another may come.
            self.is_due = error.kind() == io::ErrorKind::BrokenPipe;
            error!(%error, "a line of the transfer record is lost");
        }
    }
}

/// Tells whether a run of before ended, or the disk was full, in the middle of a line.
fn ends_torn(path: &Path) -> bool {
    let end = path.metadata().ok().filter(Metadata::is_file);
    let Some(last) = end.and_then(|meta| meta.len().checked_sub(1)) else {
        return false;
    };
    let mut byte = [b'\n'];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut byte, last));
    read.is_ok() && byte != [b'\n']
}

/// Opens it without waiting: a FIFO that nobody reads is an error, and one that is full takes no line.
fn open(path: &Path) -> io::Result<File> {
    let at_once = OFlags::NONBLOCK | OFlags::NOCTTY;
    let at_once = i32::try_from(at_once.bits()).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640);
    options.custom_flags(at_once).open(path)
}
