//! The pause of an accept loop whose system is full: it grows, and the log hears of it once in a while.

use std::{
    io,
    time::{Duration, Instant},
};

use tracing::warn;

use crate::backoff::doubled;

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// A server that is full takes one whenever one leaves: the log hears of that so often at most.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// The growing pause of an accept loop whose system is full; one log line a streak.
#[derive(Debug, Default)]
pub(super) struct Pause {
    streak: u32,
    /// When the log was told last.
    told: Option<Instant>,
    /// It still has to be told of the end.
    is_open: bool,
}

impl Pause {
    /// A connection was accepted.
    pub(super) fn reset(&mut self) {
        if std::mem::take(&mut self.is_open) {
            warn!("accepting connections again");
        }
        self.streak = 0;
    }

    /// Returns how long to wait behind this error.
    pub(super) fn next(&mut self, error: &io::Error) -> Duration {
        let is_quiet = self.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN);
        if !self.is_open && is_quiet {
            (self.told, self.is_open) = (Some(Instant::now()), true);
            warn!(
                %error,
                "cannot accept connections: raise the open-file limit or lower limits.max_clients"
            );
        }
        self.streak = self.streak.saturating_add(1);
        doubled(SHORTEST, self.streak - 1, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_begin_anew_after_a_success() {
        let mut pause = Pause::default();
        let full = io::Error::from_raw_os_error(24);
        let millis: Vec<_> = (0..9).map(|_| pause.next(&full).as_millis()).collect();
        assert_eq!(millis, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        pause.reset();
        assert_eq!(pause.next(&full), SHORTEST);
    }
}
