//! Counters since the start: sessions, logins by outcome, bytes and transfers by direction.
//!
//! Written by the registry and `auth`; read by `ftpd status` and the metrics endpoint.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::direction::Direction;

/// Upper bounds of the transfer-duration buckets, in seconds.
pub const DURATION_BOUNDS_SECS: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0];

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Returns the count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long transfers took.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [Counter; DURATION_BOUNDS_SECS.len()],
    count: Counter,
    sum_micros: Counter,
}

impl Durations {
    fn record(&self, took: Duration) {
        let secs = took.as_secs_f64();
        for (bound, bucket) in DURATION_BOUNDS_SECS.iter().zip(&self.buckets) {
            if secs <= *bound {
                bucket.add(1);
            }
        }
        self.count.add(1);
        self.sum_micros
            .add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Returns the cumulative buckets: upper bound in seconds, transfers up to it.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        DURATION_BOUNDS_SECS
            .into_iter()
            .zip(self.buckets.iter().map(Counter::get))
    }

    /// Returns how many transfers were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Returns the sum of all durations in seconds.
    #[must_use]
    pub fn sum_secs(&self) -> f64 {
        self.sum_micros.get() as f64 / 1e6
    }
}

/// One direction's transfers.
#[derive(Debug, Default)]
pub struct Transfers {
    /// Bytes moved, of unfinished transfers too.
    pub bytes: Counter,
    /// Transfers that came to their end whole.
    pub complete: Counter,
    /// Transfers that were cut, refused midway or aborted.
    pub incomplete: Counter,
    /// How long they took.
    pub durations: Durations,
}

/// Everything counted since the start.
#[derive(Debug, Default)]
pub struct Totals {
    /// Connections that got a seat.
    pub sessions: Counter,
    /// Connections turned away with 421.
    pub refused: Counter,
    /// Logins that succeeded.
    pub logins: Counter,
    /// Logins that were refused.
    pub failed_logins: Counter,
    down: Transfers,
    up: Transfers,
}

impl Totals {
    /// Returns one direction's transfers.
    #[must_use]
    pub fn transfers(&self, direction: Direction) -> &Transfers {
        match direction {
            Direction::Down => &self.down,
            Direction::Up => &self.up,
        }
    }

    pub(super) fn ended(&self, direction: Direction, complete: bool, took: Duration) {
        let transfers = self.transfers(direction);
        if complete {
            transfers.complete.add(1);
        } else {
            transfers.incomplete.add(1);
        }
        transfers.durations.record(took);
    }
}
