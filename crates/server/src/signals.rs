//! The process's signals as words.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// TERM or INT: stop gracefully; a second one: at once.
    Stop,
    /// HUP: read the configuration again, reopen the transfer record. Without a configuration: the
    /// terminal was closed.
    Reload,
}

/// TERM, INT and HUP of this process.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    outlives_terminal: bool,
    /// A file over the process's size limit is a refused write, not the end of the server.
    _too_large: Signal,
}

impl Signals {
    /// Takes the signals over.
    ///
    /// # Errors
    /// When the runtime cannot.
    pub fn new() -> io::Result<Self> {
        let outlives_terminal = is_hup_ignored();
        Ok(Self {
            outlives_terminal,
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            _too_large: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Tells whether the process was started to go on when its terminal closes (`nohup`).
    #[must_use]
    pub fn outlives_terminal(&self) -> bool {
        self.outlives_terminal
    }

    /// Waits for the next word to stop. Cancel-safe.
    pub async fn stop(&mut self) {
        while self.next().await != Word::Stop {}
    }

    /// Waits for the next signal. Cancel-safe.
    pub async fn next(&mut self) -> Word {
        tokio::select! {
            _ = self.term.recv() => Word::Stop,
            _ = self.int.recv() => Word::Stop,
            _ = self.hup.recv() => Word::Reload,
        }
    }
}

/// Looks at what was inherited: a handler of ours comes in its place.
fn is_hup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 != 0)
}
