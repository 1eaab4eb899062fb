//! The transfer record in wu-ftpd's form: one line for each transfer, whatever its end.
//!
//! [`crate::status::Moving`] writes a record when it drops, so every exit path of both engines has
//! its line. Lines go through a bounded queue to a thread of their own; a full queue loses lines
//! and says how many, it never holds up a transfer. The file is opened anew at each reload, by that
//! thread: a disk that does not answer holds the record alone.

mod record;
mod sink;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing::{error, warn};

pub use self::record::Record;
use self::sink::Sink;

/// So many lines wait for the file at most.
const QUEUE: usize = 4_096;
const FLUSH_TIME: Duration = Duration::from_secs(2);

enum Message {
    Line(String),
    Open(Option<PathBuf>),
    Flush(SyncSender<()>),
}

/// The way to the writer; clones share it.
#[derive(Clone, Debug)]
pub struct Xferlog {
    /// Has room for whatever is not a line: nobody who asks for something is held by a file.
    queue: Sender<Message>,
    /// Lines in the queue.
    waiting: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
    is_wanted: Arc<AtomicBool>,
}

impl Default for Xferlog {
    fn default() -> Self {
        let (queue, messages) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let theirs = Arc::clone(&waiting);
        let started = thread::Builder::new()
            .name("xferlog".to_owned())
            .spawn(move || write_all(&messages, &theirs));
        if let Err(error) = started {
            error!(%error, "no thread for the transfer record");
        }
        Self {
            queue,
            waiting,
            lost: Arc::default(),
            is_wanted: Arc::default(),
        }
    }
}

impl Xferlog {
    /// Writes from now on to `path`, opened anew; `None`: nowhere. Does not wait for it.
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
        let is_full = self.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE;
        if is_full || self.queue.send(Message::Line(record.line())).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
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
        let _ = self.queue.send(Message::Flush(done));
        // What waits for a file that takes nothing is lost.
        let _ = wait.recv_timeout(FLUSH_TIME);
    }
}

fn write_all(messages: &Receiver<Message>, waiting: &AtomicUsize) {
    let mut sink = Sink::default();
    while let Ok(message) = messages.recv() {
        match message {
            Message::Open(path) => sink.turn_to(path),
            Message::Line(line) => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                sink.write(&line);
            }
            Message::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
