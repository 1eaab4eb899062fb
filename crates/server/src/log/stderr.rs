//! Standard error as log lines reach it: whoever reads it slowly, or not at all (a full pipe, a
//! terminal held by Ctrl-S), holds up no session. What it takes at once is written at once; the rest
//! waits in a bounded queue for a thread of its own, and what no longer fits there is counted.

use std::{
    io::{self, IsTerminal as _, Write},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::warn;

/// Lines that wait for a reader,
const QUEUE: usize = 4_096;
/// and their bytes.
const QUEUED_BYTES: usize = 4 << 20;
/// So much fits into a pipe that is ready (`PIPE_BUF`).
const AT_ONCE: usize = 4_096;
/// How long an end of the program waits for a reader.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// The one of this process.
static STDERR: OnceLock<Stderr> = OnceLock::new();

/// The way to standard error; clones share it. Each `write` is taken for whole lines.
#[derive(Clone, Debug)]
pub(super) struct Stderr(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: SyncSender<Vec<u8>>,
    /// Lines that are not written yet.
    waiting: AtomicUsize,
    bytes: AtomicUsize,
    lost: AtomicU64,
    /// It may tell that it is ready, and then take a part of a line only.
    is_terminal: bool,
    turn: Mutex<()>,
}

/// Returns the one of this process, which it starts.
pub(super) fn shared() -> Stderr {
    let stderr = STDERR.get_or_init(|| {
        let (queue, lines) = sync_channel(QUEUE);
        let shared = Arc::new(Shared {
            queue,
            waiting: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            is_terminal: io::stderr().is_terminal(),
            turn: Mutex::new(()),
        });
        let writer = Arc::clone(&shared);
        let thread = thread::Builder::new().name("log".to_owned());
        // Without the thread, what cannot be written at once is lost.
        let _ = thread.spawn(move || writer.write_all(&lines));
        Stderr(shared)
    });
    stderr.clone()
}

/// Waits a moment until everything that was logged is written.
pub fn flush() {
    let Some(Stderr(shared)) = STDERR.get() else {
        return;
    };
    let until = Instant::now() + FLUSH_TIME;
    while shared.waiting.load(Ordering::Acquire) > 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
}

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn take(&self, line: &[u8]) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let may_wait = self.is_terminal || line.len() > AT_ONCE;
        let in_turn = self.waiting.load(Ordering::Acquire) == 0;
        if !may_wait && in_turn && is_ready() {
            // Nobody is left to tell that a log cannot be written.
            let _ = io::stderr().write_all(line);
            return;
        }
        let has_room = self.bytes.load(Ordering::Acquire) + line.len() <= QUEUED_BYTES;
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.bytes.fetch_add(line.len(), Ordering::AcqRel);
        if !has_room || self.queue.try_send(line.to_vec()).is_err() {
            self.forget(line.len());
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a line off; returns how many are left.
    fn forget(&self, bytes: usize) -> usize {
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.waiting.fetch_sub(1, Ordering::AcqRel) - 1
    }

    fn write_all(&self, lines: &Receiver<Vec<u8>>) {
        while let Ok(line) = lines.recv() {
            let _ = io::stderr().write_all(&line);
            let lost = if self.forget(line.len()) == 0 {
                self.lost.swap(0, Ordering::Relaxed)
            } else {
                0
            };
            if lost > 0 {
                warn!(
                    lines = lost,
                    "the log was not read in time; lines of it are lost"
                );
            }
        }
    }
}

/// Tells whether a line can be written without a wait.
fn is_ready() -> bool {
    let stderr = io::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}
