//! How long a taker waits for what it was granted: no longer than the limits are those that it was reckoned by.

use std::time::{Duration, Instant};

use super::Throttle;

/// So often a wait looks whether the limits have changed.
const LOOK: Duration = Duration::from_secs(1);

/// The wait for bytes that were charged. Over as soon as a limit changes: by one that was a slip it could take
/// a quarter of an hour.
#[derive(Debug)]
pub struct Wait<'a> {
    throttle: &'a Throttle,
    changes: u64,
    until: Option<Instant>,
}

impl Throttle {
    /// Charges `bytes`, as [`Throttle::take`], and returns the wait for them.
    #[must_use]
    pub fn charge(&self, bytes: u64, now: Instant) -> Wait<'_> {
        // Before the charge: a change in between ends the wait, and never goes unseen.
        let changes = self.changes();
        Wait {
            throttle: self,
            changes,
            until: now.checked_add(self.take(bytes, now)),
        }
    }
}

impl Wait<'_> {
    /// Returns how long to sleep before the next look; `None`: the wait is over.
    #[must_use]
    pub fn step(&self, now: Instant) -> Option<Duration> {
        let left = match self.until {
            Some(until) => until.saturating_duration_since(now),
            // Longer than the clock can tell.
            None => LOOK,
        };
        let is_over = left.is_zero() || self.throttle.changes() != self.changes;
        (!is_over).then(|| left.min(LOOK))
    }
}

#[cfg(test)]
mod tests {
    use ftp_config::ByteRate;

    use super::*;
    use crate::share::throttle::Bucket;

    #[test]
    fn a_wait_is_slept_in_steps_to_its_end() {
        let throttle = Throttle::new(vec![Bucket::new(ByteRate(1024))]);
        let now = Instant::now();
        let wait = throttle.charge(4096, now);
        assert_eq!(wait.step(now), Some(LOOK));
        let late = now + Duration::from_millis(3800);
        assert_eq!(wait.step(late), Some(Duration::from_millis(100)));
        assert_eq!(wait.step(now + 4 * LOOK), None);
        let open = Throttle::default();
        assert_eq!(open.charge(u64::MAX, now).step(now), None);
    }

    #[test]
    fn a_changed_limit_ends_the_waits_and_what_was_owed_by_the_old_one() {
        let bucket = Bucket::new(ByteRate(1024));
        let throttle = Throttle::new(vec![Bucket::new(ByteRate(1 << 40)), bucket.clone()]);
        let now = Instant::now();
        let wait = throttle.charge(1 << 20, now);
        // Told again, it is no other.
        bucket.set_rate(ByteRate(1024));
        assert_eq!(wait.step(now), Some(LOOK));
        bucket.set_rate(ByteRate(20 << 20));
        assert_eq!(wait.step(now), None);
        assert_eq!(throttle.charge(1 << 20, now).step(now), None);
        bucket.set_rate(ByteRate::UNLIMITED);
        bucket.set_rate(ByteRate(1 << 20));
        assert!(throttle.take(1 << 20, now) < LOOK);
    }
}
