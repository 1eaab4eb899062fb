//! A file on the move: counted while it moves, recorded when it ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ftp_config::SharePath;

use super::{Seat, lock};
use crate::{direction::Direction, log::xferlog::Record, status::row::MovingRow};

#[derive(Debug)]
pub(super) struct Transfer {
    id: u64,
    direction: Direction,
    path: String,
    size: Option<u64>,
    began: Instant,
    bytes: AtomicU64,
    complete: AtomicBool,
}

impl Transfer {
    pub(super) fn new(id: u64, direction: Direction, path: &SharePath, size: Option<u64>) -> Self {
        Self {
            id,
            direction,
            path: path.as_str().to_owned(),
            size,
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            complete: AtomicBool::new(false),
        }
    }

    pub(super) fn row(&self, at: Instant) -> MovingRow {
        let elapsed = at.saturating_duration_since(self.began);
        let bytes = self.bytes.load(Ordering::Relaxed);
        let bytes_per_sec = per_second(bytes, elapsed);
        let left = self.size.map(|size| size.saturating_sub(bytes));
        MovingRow {
            direction: self.direction,
            path: self.path.clone(),
            bytes,
            size: self.size,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            bytes_per_sec,
            eta_secs: left.and_then(|left| left.checked_div(bytes_per_sec)),
        }
    }
}

fn per_second(bytes: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 1000 / millis).unwrap_or(u64::MAX)
}

/// A file on the move; dropping it ends the row and counts the transfer.
#[derive(Debug)]
pub struct Moving {
    transfer: Arc<Transfer>,
    seat: Seat,
    /// What a whole file is called, when that is not the name asked for.
    stored: Option<String>,
}

impl Moving {
    pub(super) fn new(transfer: Arc<Transfer>, seat: Seat) -> Self {
        Self {
            transfer,
            seat,
            stored: None,
        }
    }

    /// Counts bytes that have moved.
    pub fn add(&self, bytes: u64) {
        let totals = &self.seat.house().totals;
        self.transfer.bytes.fetch_add(bytes, Ordering::Relaxed);
        totals.transfers(self.transfer.direction).bytes.add(bytes);
    }

    /// Returns the bytes moved so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.transfer.bytes.load(Ordering::Relaxed)
    }

    /// Ends the transfer of the file at `path` as a whole one; a drop without this counts as an
    /// incomplete one.
    pub fn complete(mut self, path: &SharePath) {
        if path.as_str() != self.transfer.path {
            self.stored = Some(path.as_str().to_owned());
        }
        self.transfer.complete.store(true, Ordering::Relaxed);
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        lock(&self.seat.session().now)
            .moving
            .retain(|other| other.id != self.transfer.id);
        let took = self.transfer.began.elapsed();
        let complete = self.transfer.complete.load(Ordering::Relaxed);
        let totals = &self.seat.house().totals;
        totals.ended(self.transfer.direction, complete, took);
        self.record(took, complete);
    }
}

impl Moving {
    fn record(&self, took: Duration, complete: bool) {
        let (session, house) = (self.seat.session(), self.seat.house());
        if !house.xferlog.is_wanted() {
            return;
        }
        let account = lock(&session.now).account.clone();
        let in_home = self.stored.as_ref().unwrap_or(&self.transfer.path);
        let in_home = SharePath::root().join_known(&in_home[1..]);
        let in_home = in_home.unwrap_or_else(|_| SharePath::root());
        let path = match &account {
            Some(account) => account.in_share(&in_home),
            None => SharePath::root(),
        };
        house.xferlog.write(&Record {
            ended: jiff::ZonedDateTime::now(),
            took,
            peer: session.peer.ip(),
            bytes: self.bytes(),
            path: &path,
            direction: self.transfer.direction,
            user: account
                .as_ref()
                .map_or("?", |account| account.name.as_str()),
            anonymous: account.as_ref().is_some_and(|account| account.anonymous),
            complete,
        });
    }
}
