//! How fast bytes move, and how long the rest takes at that.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::table;

/// A file without a new byte for so long is called stalled.
const STALLED: Duration = Duration::from_secs(5);
/// How far a rate looks back.
const WINDOW: Duration = Duration::from_secs(5);

/// The rate of the last seconds: steady, and not led astray by the burst of the first moment.
#[derive(Debug)]
pub(super) struct Rate {
    /// What was seen when, oldest first; never empty.
    seen: VecDeque<(Instant, u64)>,
    moved_at: Instant,
}

impl Rate {
    pub(super) fn new(now: Instant, bytes: u64) -> Self {
        Self {
            seen: VecDeque::from([(now, bytes)]),
            moved_at: now,
        }
    }

    pub(super) fn update(&mut self, now: Instant, bytes: u64) {
        if self.seen.back().is_none_or(|(_, last)| *last != bytes) {
            self.moved_at = now;
        }
        self.seen.push_back((now, bytes));
        // One sample older than the window stays, so that the window is full.
        while self
            .seen
            .get(1)
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW)
        {
            self.seen.pop_front();
        }
    }

    fn per_second(&self) -> f64 {
        let (Some(first), Some(last)) = (self.seen.front(), self.seen.back()) else {
            return 0.0;
        };
        let passed = last.0.saturating_duration_since(first.0).as_secs_f64();
        if passed < 0.05 {
            return 0.0;
        }
        last.1.saturating_sub(first.1) as f64 / passed
    }

    pub(super) fn words(&self, now: Instant, left: Option<u64>) -> String {
        if now.saturating_duration_since(self.moved_at) >= STALLED {
            return "stalled".to_owned();
        }
        let smooth = self.per_second();
        let rate = format!("{}/s", table::size(smooth as u64));
        match left {
            Some(left) if smooth > 1.0 => {
                let eta = Duration::from_secs((left as f64 / smooth).min(1e7) as u64);
                let secs = eta.as_secs();
                format!("{rate:>12}  {}:{:02} left", secs / 60, secs % 60)
            }
            _ => format!("{rate:>12}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_says_stalled_after_five_seconds() {
        let start = Instant::now();
        let mut rate = Rate::new(start, 0);
        rate.update(start + Duration::from_secs(1), 10 << 20);
        assert!(
            rate.words(start + Duration::from_secs(1), Some(20 << 20))
                .contains("10.0 MiB/s")
        );
        assert!(
            rate.words(start + Duration::from_secs(1), Some(20 << 20))
                .contains("0:02 left")
        );
        rate.update(start + Duration::from_secs(7), 10 << 20);
        assert_eq!(rate.words(start + Duration::from_secs(7), None), "stalled");
    }
}
