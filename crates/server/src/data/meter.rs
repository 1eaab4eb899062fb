//! What a transfer pays into, and why it breaks.

use std::{
    fs::File,
    io::{self, Seek as _},
    os::unix::fs::FileExt as _,
    sync::Arc,
    time::Instant,
};

use rustix::io::Errno;
use thiserror::Error;

use super::brake::Brake;
use crate::{
    share::throttle::{Throttle, Wait},
    status::Moving,
};

/// Why a transfer ended early.
#[derive(Debug, Error)]
pub enum Broken {
    /// The brake was pulled.
    #[error("aborted")]
    Aborted,
    /// No byte moved for the stall limit.
    #[error("no progress")]
    Stalled,
    /// The data connection failed.
    #[error("data connection: {0}")]
    Network(io::Error),
    /// A TLS connection ended without close_notify.
    #[error("the TLS connection ended without a goodbye")]
    Truncated,
    /// The file could not be read or written.
    #[error("disk: {0}")]
    Disk(io::Error),
    /// The share says no, with a code and words for the client.
    #[error("{0} {1}")]
    Refused(u16, String),
}

impl Broken {
    /// Tells whether the server has ended it: its client may still be sending.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Disk(_) | Self::Refused(..))
    }
}

/// What a transfer pays into: counts, limits, the brake.
#[derive(Debug)]
pub struct Meter {
    /// Stops the transfer, counts for STAT.
    pub brake: Arc<Brake>,
    /// The row in the live table; `None` for listings.
    pub moving: Option<Moving>,
    /// The rate limits.
    pub throttle: Throttle,
}

impl Meter {
    /// Counts bytes that moved.
    pub fn count(&self, bytes: u64) {
        self.brake.add(bytes);
        if let Some(moving) = &self.moving {
            moving.add(bytes);
        }
    }

    pub(super) fn check(&self) -> Result<(), Broken> {
        if self.brake.is_pulled() {
            return Err(Broken::Aborted);
        }
        Ok(())
    }

    /// Counts; returns the wait that the limits want.
    #[must_use]
    pub fn charge(&self, bytes: u64) -> Wait<'_> {
        self.count(bytes);
        self.throttle.charge(bytes, Instant::now())
    }

    /// Counts, waits as the limits say, and looks at the brake.
    pub(super) fn pay(&self, bytes: u64) -> Result<(), Broken> {
        let wait = self.charge(bytes);
        while let Some(step) = wait.step(Instant::now()) {
            self.check()?;
            self.brake.sleep(step);
        }
        self.check()
    }

    /// Returns how many bytes may move at once, at most `most`.
    #[must_use]
    pub fn block_bytes(&self, most: usize) -> usize {
        self.throttle
            .block_bytes()
            .map_or(most, |block| block.min(most))
    }
}

/// Names what an error of `sendfile` means: where the connection's own errors leave it open, the file is asked.
pub(super) fn sending(mut file: &File, error: Errno) -> Broken {
    match error {
        Errno::IO => Broken::Disk(error.into()),
        Errno::PIPE | Errno::CONNRESET | Errno::AGAIN => network(error.into()),
        _ => {
            let here = file.stream_position();
            match here.and_then(|here| file.read_at(&mut [0], here)) {
                Ok(_) => network(error.into()),
                Err(refused) => Broken::Disk(refused),
            }
        }
    }
}

/// Names what an error on the data connection means.
pub fn network(e: io::Error) -> Broken {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Broken::Stalled,
        io::ErrorKind::UnexpectedEof => Broken::Truncated,
        _ => Broken::Network(e),
    }
}
