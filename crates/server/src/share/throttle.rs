//! Rate limits as virtual clocks: how long to wait before the next block may move.
//!
//! Pure: time comes in as an [`Instant`]. A [`Bucket`] is shared by all that a limit covers (one
//! session, one user, the whole server); a [`Throttle`] is the chain of buckets one transfer pays
//! into. The pump asks, waits and moves; nothing here sleeps.

mod wait;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ftp_config::ByteRate;

pub use self::wait::Wait;

/// How far a bucket may fall behind and still catch up: unused time that is not lost.
const BURST: Duration = Duration::from_millis(100);
/// Blocks are sized to take about this long at the limit.
const BLOCK_TIME_MS: u64 = 100;
const LEAST_BLOCK: u64 = 1 << 10;
const LARGEST_BLOCK: u64 = 1 << 20;

/// One limit: the time at which everything granted so far has been paid for.
#[derive(Debug, Default)]
pub struct Bucket {
    /// Bytes a second; 0: no limit.
    rate: AtomicU64,
    /// How often that has changed.
    changes: AtomicU64,
    paid_until: Mutex<Option<Instant>>,
}

impl Bucket {
    /// Makes a bucket that lets `rate` through.
    #[must_use]
    pub fn new(rate: ByteRate) -> Arc<Self> {
        let bucket = Self::default();
        bucket.set_rate(rate);
        Arc::new(bucket)
    }

    /// Changes the limit for everything that is granted from now on. What was granted by another one is paid for:
    /// blocks sized by a quick one, charged by a slow one, would hold everybody up long after that was corrected.
    pub fn set_rate(&self, rate: ByteRate) {
        let mut paid = self.paid_until();
        if self.rate.swap(rate.0, Ordering::Relaxed) != rate.0 {
            *paid = None;
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn paid_until(&self) -> MutexGuard<'_, Option<Instant>> {
        let paid = self.paid_until.lock();
        paid.unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the limit.
    #[must_use]
    pub fn rate(&self) -> ByteRate {
        ByteRate(self.rate.load(Ordering::Relaxed))
    }

    /// Charges `bytes` and returns how long the taker must wait until they are paid for.
    fn take(&self, bytes: u64, now: Instant) -> Duration {
        if self.rate().limit().is_none() {
            return Duration::ZERO;
        }
        let mut paid = self.paid_until();
        // It changes only behind this lock.
        let Some(rate) = self.rate().limit() else {
            return Duration::ZERO;
        };
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let from = paid.map_or(earliest, |until| until.max(earliest));
        let until = from.checked_add(cost).unwrap_or(from);
        *paid = Some(until);
        until.saturating_duration_since(now)
    }
}

/// The limits that one direction of one session pays into.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    buckets: Vec<Arc<Bucket>>,
}

impl Throttle {
    /// Chains buckets; the slowest one rules.
    #[must_use]
    pub fn new(buckets: Vec<Arc<Bucket>>) -> Self {
        Self { buckets }
    }

    /// Tells whether nothing limits this direction now (so the zero-copy path may be taken).
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.least_rate().is_none()
    }

    /// Charges `bytes`, about to move or just moved, and returns how long to wait before the next
    /// block. Every bucket is charged, the longest wait is returned.
    #[must_use]
    pub fn take(&self, bytes: u64, now: Instant) -> Duration {
        self.buckets
            .iter()
            .map(|bucket| bucket.take(bytes, now))
            .max()
            .unwrap_or_default()
    }

    /// Returns the block size in bytes that keeps waits near a tenth of a second, or `None` when
    /// there is no limit.
    #[must_use]
    pub fn block_bytes(&self) -> Option<usize> {
        let rate = self.least_rate()?;
        let block = (rate / (1000 / BLOCK_TIME_MS)).clamp(LEAST_BLOCK, LARGEST_BLOCK);
        usize::try_from(block).ok()
    }

    /// Counts the changes of the limits.
    fn changes(&self) -> u64 {
        let each = self.buckets.iter();
        each.map(|bucket| bucket.changes.load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }

    fn least_rate(&self) -> Option<u64> {
        self.buckets
            .iter()
            .filter_map(|bucket| bucket.rate().limit())
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Moves blocks for ten seconds of a clock moved by hand; returns the bytes moved by each taker.
    fn run(takers: &[&Throttle]) -> Vec<u64> {
        let start = Instant::now();
        let end = start + Duration::from_secs(10);
        let mut next = vec![start; takers.len()];
        let mut moved = vec![0; takers.len()];
        while let Some((i, now)) = next
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, at)| *at < end)
            .min_by_key(|(_, at)| *at)
        {
            let bytes = takers[i].block_bytes().unwrap() as u64;
            next[i] = now + takers[i].take(bytes, now).max(Duration::from_nanos(1));
            moved[i] += bytes;
        }
        moved
    }

    fn within_five_percent(moved: u64, rate: u64) -> bool {
        let ideal = rate * 10;
        moved.abs_diff(ideal) * 20 <= ideal
    }

    #[test]
    fn one_session_gets_its_rate_within_five_percent() {
        for rate in [64 << 10, 2 * MIB, 117 * MIB] {
            let throttle = Throttle::new(vec![Bucket::new(ByteRate(rate))]);
            let moved = run(&[&throttle])[0];
            assert!(within_five_percent(moved, rate), "{rate}: {moved}");
        }
    }

    #[test]
    fn four_sessions_of_one_user_share_the_users_rate_evenly() {
        let user = Bucket::new(ByteRate(2 * MIB));
        let sessions: Vec<_> = (0..4)
            .map(|_| Throttle::new(vec![Arc::clone(&user)]))
            .collect();
        let moved = run(&sessions.iter().collect::<Vec<_>>());
        assert!(
            within_five_percent(moved.iter().sum(), 2 * MIB),
            "{moved:?}"
        );
        for each in moved {
            let (ideal, block) = (5 * MIB, (2 * MIB) / 10);
            assert!(each.abs_diff(ideal) <= 3 * block, "{each}");
        }
    }

    #[test]
    fn the_slowest_bucket_of_the_chain_rules() {
        let server = Bucket::new(ByteRate(3 * MIB));
        let fast = Throttle::new(vec![Bucket::new(ByteRate(100 * MIB)), Arc::clone(&server)]);
        let slow = Throttle::new(vec![Bucket::new(ByteRate(MIB)), server]);
        let moved = run(&[&fast, &slow]);
        assert!(
            within_five_percent(moved.iter().sum(), 3 * MIB),
            "{moved:?}"
        );
        assert!(moved[1] <= MIB * 21 / 2, "{moved:?}");
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let bucket = Bucket::new(ByteRate(MIB));
        let start = Instant::now();
        assert!(bucket.take(MIB, start) >= Duration::from_millis(900));
        let later = start + Duration::from_secs(3600);
        assert!(bucket.take(MIB, later) >= Duration::from_millis(900));
    }

    #[test]
    fn no_limit_never_waits_and_huge_requests_do_not_overflow() {
        let open = Throttle::new(vec![Bucket::new(ByteRate::UNLIMITED)]);
        assert!(open.is_unlimited());
        assert_eq!(open.take(u64::MAX, Instant::now()), Duration::ZERO);
        assert_eq!(open.block_bytes(), None);
        let tight = Throttle::new(vec![Bucket::new(ByteRate(1024))]);
        let _ = tight.take(u64::MAX, Instant::now());
        let _ = tight.take(u64::MAX, Instant::now());
    }
}
