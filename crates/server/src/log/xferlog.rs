//! The transfer record in wu-ftpd's form: one line for each transfer, whatever its end.
//!
//! [`crate::status::Moving`] writes a record when it drops, so every exit path of both engines has
//! its line. Lines go through a bounded queue to a thread of their own; a full queue loses lines
//! and says how many, it never holds up a transfer. The file is opened anew at each reload.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Write},
    net::IpAddr,
    os::unix::fs::{FileExt as _, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use ftp_config::{SharePath, shown::is_tricky};
use jiff::ZonedDateTime;
use tracing::{error, warn};

use crate::direction::Direction;

const QUEUE: usize = 4_096;
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// One ended transfer.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// When it ended.
    pub ended: ZonedDateTime,
    /// How long it took.
    pub took: Duration,
    /// The client.
    pub peer: IpAddr,
    /// Bytes that moved.
    pub bytes: u64,
    /// The path inside the share.
    pub path: &'a SharePath,
    /// Which way.
    pub direction: Direction,
    /// The login name.
    pub user: &'a str,
    /// Whether it was a guest.
    pub anonymous: bool,
    /// Whether the whole file moved.
    pub complete: bool,
}

impl Record<'_> {
    /// Returns the line of xferlog(5), without its end.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "{} {} {} {} {} b _ {} {} {} ftp 0 * {}",
            self.ended.strftime("%a %b %e %H:%M:%S %Y"),
            self.took.as_secs_f64().round().max(1.0) as u64,
            self.peer,
            self.bytes,
            one_word(self.path.as_str()),
            match self.direction {
                Direction::Down => 'o',
                Direction::Up => 'i',
            },
            if self.anonymous { 'a' } else { 'r' },
            one_word(self.user),
            if self.complete { 'c' } else { 'i' },
        )
    }
}

/// Spaces and control characters would break the line's fields; direction marks would show another name. Those that
/// join letters belong to names.
fn one_word(text: &str) -> String {
    let joins = |c| matches!(c, '\u{200C}' | '\u{200D}');
    let breaks = |c: char| c.is_whitespace() || is_tricky(c) && !joins(c);
    let kept = |c| if breaks(c) { '_' } else { c };
    text.chars().map(kept).collect()
}

enum Message {
    Line(String),
    Open(Option<PathBuf>),
    Flush(SyncSender<()>),
}

/// The way to the writer; clones share it.
#[derive(Clone, Debug)]
pub struct Xferlog {
    queue: SyncSender<Message>,
    lost: Arc<AtomicU64>,
    is_wanted: Arc<AtomicBool>,
}

impl Default for Xferlog {
    fn default() -> Self {
        let (queue, messages) = sync_channel(QUEUE);
        let started = thread::Builder::new()
            .name("xferlog".to_owned())
            .spawn(move || write_all(&messages));
        if let Err(error) = started {
            error!(%error, "no thread for the transfer record");
        }
        Self {
            queue,
            lost: Arc::default(),
            is_wanted: Arc::default(),
        }
    }
}

impl Xferlog {
    /// Writes from now on to `path`, opened anew; `None`: nowhere. Blocks while the queue is full.
    pub fn open(&self, path: Option<PathBuf>) {
        self.is_wanted.store(path.is_some(), Ordering::Release);
        let _ = self.queue.send(Message::Open(path));
    }

    /// Tells whether there is a file to write to: a record that nobody keeps is not made, which
    /// would wake the writer's thread once for each small file.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Acquire)
    }

    /// Queues a record.
    pub fn write(&self, record: &Record<'_>) {
        if self.queue.try_send(Message::Line(record.line())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            warn!(lost, "the transfer record could not keep up");
        }
    }

    /// Waits a moment until everything queued is on the file.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        let until = Instant::now() + FLUSH_TIME;
        let mut question = Message::Flush(done);
        // A queue that stays full waits for a file that takes nothing: then so much is lost.
        while let Err(TrySendError::Full(again)) = self.queue.try_send(question) {
            if Instant::now() >= until {
                return;
            }
            question = again;
            thread::sleep(Duration::from_millis(5));
        }
        let _ = wait.recv_timeout(FLUSH_TIME);
    }
}

fn write_all(messages: &Receiver<Message>) {
    let mut sink = Sink::default();
    while let Ok(message) = messages.recv() {
        match message {
            Message::Open(path) => sink.turn_to(path),
            Message::Line(line) => sink.write(&line),
            Message::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

/// Where the lines go.
#[derive(Default)]
struct Sink {
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
    fn turn_to(&mut self, path: Option<PathBuf>) {
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
        self.file = Some(open(path)?);
        self.is_due = false;
        self.is_torn = ends_torn(path);
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            warn!(
                lost,
                "the transfer record goes on; lines of before are lost"
            );
        }
        Ok(())
    }

    fn write(&mut self, line: &str) {
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

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &SharePath) -> Record<'_> {
        Record {
            ended: "2026-11-03T09:05:07+01:00[Europe/Berlin]".parse().unwrap(),
            took: Duration::from_millis(2_600),
            peer: IpAddr::from([192, 168, 1, 7]),
            bytes: 1234,
            path,
            direction: Direction::Up,
            user: "ann",
            anonymous: false,
            complete: true,
        }
    }

    #[test]
    fn a_line_has_the_fields_of_xferlog_5() {
        let path = SharePath::root().join("in/a b.iso").unwrap();
        let mut record = record(&path);
        assert_eq!(
            record.line(),
            "Tue Nov  3 09:05:07 2026 3 192.168.1.7 1234 /in/a_b.iso b _ i r ann ftp 0 * c"
        );
        record.complete = false;
        record.anonymous = true;
        record.direction = Direction::Down;
        record.took = Duration::ZERO;
        assert_eq!(
            record.line(),
            "Tue Nov  3 09:05:07 2026 1 192.168.1.7 1234 /in/a_b.iso b _ o a ann ftp 0 * i"
        );
    }

    #[test]
    fn a_line_never_goes_on_where_another_was_torn() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        std::fs::write(&file, "whole\ntor").unwrap();
        let log = Xferlog::default();
        let path = SharePath::root().join("a\u{202e}b c\u{301}").unwrap();
        log.open(Some("/dev/full".into()));
        log.write(&record(&path));
        log.open(Some(file.clone()));
        log.write(&record(&path));
        log.write(&record(&path));
        log.flush();
        let text = std::fs::read_to_string(file).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["whole", "tor"]);
        assert_eq!(lines.len(), 4);
        // What combines with a letter stays.
        assert!(lines[2].contains(" /a_b_c\u{301} b ") && lines[2] == lines[3]);
    }

    #[test]
    fn lines_go_to_the_file_that_was_opened_last() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        let log = Xferlog::default();
        let path = SharePath::root().join("a").unwrap();
        log.write(&record(&path));
        for file in [&old, &new] {
            log.open(Some(file.clone()));
            log.write(&record(&path));
        }
        log.open(None);
        log.write(&record(&path));
        log.flush();
        for file in [old, new] {
            assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
        }
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_tried_again_and_that_of_before_has_the_lines() {
        let dir = tempfile::tempdir().unwrap();
        let (old, late) = (dir.path().join("old"), dir.path().join("not/yet/there"));
        let lines = |file: &Path| std::fs::read_to_string(file).unwrap().lines().count();
        let log = Xferlog::default();
        let path = SharePath::root().join("a").unwrap();
        log.open(Some(old.clone()));
        log.open(Some(late.clone()));
        log.write(&record(&path));
        log.flush();
        assert_eq!(lines(&old), 1);
        std::fs::create_dir_all(late.parent().unwrap()).unwrap();
        log.write(&record(&path));
        log.flush();
        assert_eq!((lines(&old), lines(&late)), (1, 1));
    }
}
