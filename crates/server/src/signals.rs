//! The process's signals as words.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// TERM or INT: stop gracefully; a second one: at once.
    Stop,
    /// HUP: read the configuration again, reopen the transfer record.
    Reload,
}

/// TERM, INT and HUP of this process.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    /// A file over the process's size limit is a refused write, not the end of the server.
    _too_large: Signal,
}

impl Signals {
    /// Takes the signals over.
    ///
    /// # Errors
    /// When the runtime cannot.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            _too_large: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
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
