//! The rate limit of a run: one token bucket for all its transfers. Pure, on a given clock.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ftp_config::ByteRate;

/// How much may be saved up while nothing moves.
const BURST: Duration = Duration::from_millis(250);

/// A token bucket; shared by all workers.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_sec: f64,
    /// When the bytes taken so far will have been paid for.
    paid: Mutex<Option<Instant>>,
}

impl Pace {
    /// Makes a bucket; `None`: there is no limit.
    #[must_use]
    pub(super) fn new(rate: ByteRate) -> Option<Self> {
        rate.limit().map(|limit| Self {
            bytes_per_sec: limit as f64,
            paid: Mutex::new(None),
        })
    }

    /// Takes `bytes` that have just moved; returns how long to wait before the next.
    #[must_use]
    pub(super) fn take(&self, bytes: u64, now: Instant) -> Duration {
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_sec);
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let floor = now.checked_sub(BURST).unwrap_or(now);
        let until = paid.map_or(floor, |paid| paid.max(floor)) + cost;
        *paid = Some(until);
        until.saturating_duration_since(now)
    }

    /// Returns the largest block to move at once, so that waits stay short.
    #[must_use]
    pub(super) fn block(&self) -> usize {
        let tenth = (self.bytes_per_sec / 10.0) as usize;
        tenth.clamp(4 * 1024, 256 * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_bytes_takes_a_second_less_the_burst() {
        let pace = Pace::new(ByteRate(1000)).unwrap();
        let now = Instant::now();
        assert_eq!(pace.take(1000, now), Duration::from_millis(750));
        assert_eq!(pace.take(1000, now), Duration::from_millis(1750));
    }

    #[test]
    fn rest_is_not_saved_up_beyond_the_burst() {
        let pace = Pace::new(ByteRate(1000)).unwrap();
        let now = Instant::now();
        let _ = pace.take(1000, now);
        let later = now + Duration::from_secs(3600);
        assert_eq!(pace.take(1000, later), Duration::from_millis(750));
        assert!(Pace::new(ByteRate::UNLIMITED).is_none());
    }
}
