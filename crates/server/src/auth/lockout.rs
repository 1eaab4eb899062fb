//! Lock-out after failed logins: pure, on a clock that the caller holds.
//!
//! A lock is for one (name, address) pair, so a guesser locks out nobody else and never a whole
//! LAN; success clears it; loopback is never locked. [`crate::auth::Guard`] keeps the one table.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use ftp_config::server::Lockout as Rules;

use crate::backoff::doubled;

/// The most pairs remembered; beyond it the oldest failures are forgotten first.
const MOST_PAIRS: usize = 10_000;

/// So much of a name is remembered: no user's is longer, and a line may be of 4 KiB.
const MOST_CHARS: usize = ftp_config::UserName::MAX_CHARS;

#[derive(Clone, Copy, Debug)]
struct Record {
    failures: u32,
    last: Instant,
    locked_until: Option<Instant>,
}

/// The failures of everyone, by name and address.
#[derive(Debug, Default)]
pub struct Lockout {
    pairs: HashMap<(String, IpAddr), Record>,
}

/// One lock that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The name that was tried.
    pub name: String,
    /// From where.
    pub address: IpAddr,
    /// How much longer the lock stands.
    pub left: Duration,
}

impl Lockout {
    /// Returns how much longer the pair is locked, or `None` when it may try.
    #[must_use]
    pub fn locked_for(&self, name: &str, address: IpAddr, now: Instant) -> Option<Duration> {
        let record = self.pairs.get(&pair(name, address))?;
        record
            .locked_until
            .and_then(|until| until.checked_duration_since(now))
            .filter(|left| !left.is_zero())
    }

    /// Notes a failure; returns the length of the lock it brings, if it brings one.
    pub fn failed(
        &mut self,
        name: &str,
        address: IpAddr,
        rules: &Rules,
        now: Instant,
    ) -> Option<Duration> {
        let address = address.to_canonical();
        if rules.after == 0 || address.is_loopback() {
            return None;
        }
        self.make_room(rules, now);
        let record = self.pairs.entry(pair(name, address)).or_insert(Record {
            failures: 0,
            last: now,
            locked_until: None,
        });
        if now.saturating_duration_since(record.last) > rules.max.saturating_mul(2) {
            record.failures = 0;
        }
        record.failures = record.failures.saturating_add(1);
        record.last = now;
        let over = record.failures.checked_sub(rules.after)?;
        let lock = doubled(rules.first, over, rules.max);
        record.locked_until = now.checked_add(lock);
        Some(lock)
    }

    /// Forgets the pair's failures.
    pub fn succeeded(&mut self, name: &str, address: IpAddr) {
        self.pairs.remove(&pair(name, address));
    }

    /// Forgets the failures of a name from everywhere, or of everybody; returns how many locks fell.
    pub fn unlock(&mut self, name: Option<&str>, now: Instant) -> usize {
        let locked = |record: &Record| record.locked_until.is_some_and(|until| until > now);
        let mut fallen = 0;
        self.pairs.retain(|(of, _), record| {
            let keep = name.is_some_and(|name| name != of);
            fallen += usize::from(!keep && locked(record));
            keep
        });
        fallen
    }

    /// Returns the locks that stand.
    #[must_use]
    pub fn locks(&self, now: Instant) -> Vec<Lock> {
        let mut locks: Vec<_> = self
            .pairs
            .iter()
            .filter_map(|((name, address), record)| {
                let left = record.locked_until?.checked_duration_since(now)?;
                (!left.is_zero()).then(|| Lock {
                    name: name.clone(),
                    address: *address,
                    left,
                })
            })
            .collect();
        locks.sort_by(|a, b| (&a.name, a.address).cmp(&(&b.name, b.address)));
        locks
    }

    fn make_room(&mut self, rules: &Rules, now: Instant) {
        if self.pairs.len() < MOST_PAIRS {
            return;
        }
        let stale = rules.max.saturating_mul(2);
        self.pairs
            .retain(|_, record| now.saturating_duration_since(record.last) <= stale);
        if self.pairs.len() >= MOST_PAIRS {
            // A lock that stands is the last to go: a flood of other names must not lift it.
            let worth = |record: &Record| {
                let is_locked = record.locked_until.is_some_and(|until| until > now);
                (is_locked, record.last)
            };
            let mut all: Vec<_> = self.pairs.values().map(worth).collect();
            all.sort_unstable();
            let cut = all[all.len() / 10];
            self.pairs.retain(|_, record| worth(record) > cut);
        }
    }
}

fn pair(name: &str, address: IpAddr) -> (String, IpAddr) {
    let name = name.chars().take(MOST_CHARS).collect();
    (name, address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        after: 3,
        first: Duration::from_secs(60),
        max: Duration::from_secs(240),
    };

    fn lan(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, last])
    }

    #[test]
    fn locks_begin_after_the_limit_double_and_stop_at_the_longest() {
        let mut table = Lockout::default();
        let now = Instant::now();
        let lengths: Vec<_> = (0..6)
            .map(|_| {
                table
                    .failed("ann", lan(1), &RULES, now)
                    .map(|d| d.as_secs())
            })
            .collect();
        assert_eq!(
            lengths,
            [None, None, Some(60), Some(120), Some(240), Some(240)]
        );
        let left = table.locked_for("ann", lan(1), now + Duration::from_secs(100));
        assert_eq!(left, Some(Duration::from_secs(140)));
        let after = now + Duration::from_secs(240);
        assert_eq!(table.locked_for("ann", lan(1), after), None);
    }

    #[test]
    fn a_lock_is_for_one_name_from_one_address() {
        let mut table = Lockout::default();
        let now = Instant::now();
        for _ in 0..3 {
            table.failed("ann", lan(1), &RULES, now);
        }
        assert!(table.locked_for("ann", lan(1), now).is_some());
        assert!(table.locked_for("ann", lan(2), now).is_none());
        assert!(table.locked_for("bob", lan(1), now).is_none());
        let mapped: IpAddr = "::ffff:192.168.1.1".parse().unwrap();
        assert!(table.locked_for("ann", mapped, now).is_some());
    }

    #[test]
    fn success_clears_and_loopback_is_never_locked() {
        let mut table = Lockout::default();
        let now = Instant::now();
        for _ in 0..2 {
            table.failed("ann", lan(1), &RULES, now);
        }
        table.succeeded("ann", lan(1));
        assert_eq!(table.failed("ann", lan(1), &RULES, now), None);
        for _ in 0..100 {
            let loopback = IpAddr::from([127, 0, 0, 1]);
            assert_eq!(table.failed("ann", loopback, &RULES, now), None);
        }
    }

    #[test]
    fn old_failures_are_forgotten() {
        let mut table = Lockout::default();
        let now = Instant::now();
        for _ in 0..2 {
            table.failed("ann", lan(1), &RULES, now);
        }
        let later = now + Duration::from_secs(481);
        assert_eq!(table.failed("ann", lan(1), &RULES, later), None);
    }

    #[test]
    fn unlocking_says_how_many_locks_fell() {
        let mut table = Lockout::default();
        let now = Instant::now();
        for (name, last) in [("ann", 1), ("ann", 2), ("bob", 1)] {
            for _ in 0..3 {
                table.failed(name, lan(last), &RULES, now);
            }
        }
        assert_eq!(table.locks(now).len(), 3);
        assert_eq!(table.unlock(Some("ann"), now), 2);
        assert_eq!(table.locks(now)[0].name, "bob");
        assert_eq!(table.unlock(None, now), 1);
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut table = Lockout::default();
        let start = Instant::now();
        for n in 0..25_000u32 {
            let now = start + Duration::from_millis(u64::from(n));
            table.failed(&n.to_string(), lan(1), &RULES, now);
        }
        assert!(table.pairs.len() <= MOST_PAIRS);
    }

    #[test]
    fn a_flood_of_names_lifts_no_lock_and_long_names_take_no_room() {
        let mut table = Lockout::default();
        let start = Instant::now();
        for _ in 0..RULES.after {
            table.failed("ann", lan(1), &RULES, start);
        }
        for n in 0..25_000u64 {
            let name = format!("{n}{}", "x".repeat(4000));
            let now = start + Duration::from_millis(n);
            table.failed(&name, lan(1), &RULES, now);
        }
        let now = start + Duration::from_secs(30);
        assert!(table.locked_for("ann", lan(1), now).is_some());
        let longest = table.pairs.keys().map(|(name, _)| name.len()).max();
        assert_eq!(longest, Some(MOST_CHARS));
    }
}
