//! The live table: one [`Seat`] a session, one [`Moving`] while a file moves.
//!
//! Engines and `auth` write through the seat they were given; `status` and `reload` read rows and
//! kick. Dropping the last clone of a seat removes its row. No socket is touched: a kick is a token
//! that the session watches.

mod moving;
mod seat;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use ftp_config::{ByteRate, UserName};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use self::moving::Transfer;
pub use self::{moving::Moving, seat::Seat};
use super::{row::Row, totals::Totals};
use crate::{account::Account, log::xferlog::Xferlog, share::throttle::Bucket};

/// A login refused because the account has all its sessions.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("Too many sessions for `{user}`: {limit} at once are allowed")]
pub struct TooManySessions {
    /// The account.
    pub user: UserName,
    /// Its cap.
    pub limit: u32,
}

#[derive(Debug, Default)]
struct Now {
    account: Option<Arc<Account>>,
    tls: bool,
    command: String,
    moving: Vec<Arc<Transfer>>,
    kick_reason: Option<String>,
}

#[derive(Debug)]
struct Session {
    id: u64,
    peer: SocketAddr,
    since: SystemTime,
    now: Mutex<Now>,
    kicked: CancellationToken,
    down: Arc<Bucket>,
    up: Arc<Bucket>,
}

#[derive(Debug)]
struct Person {
    sessions: u32,
    down: Arc<Bucket>,
    up: Arc<Bucket>,
}

#[derive(Debug, Default)]
struct Table {
    sessions: BTreeMap<u64, Arc<Session>>,
    people: HashMap<UserName, Person>,
    session_rates: (ByteRate, ByteRate),
}

#[derive(Debug)]
struct House {
    next_id: AtomicU64,
    table: Mutex<Table>,
    down: Arc<Bucket>,
    up: Arc<Bucket>,
    totals: Totals,
    xferlog: Xferlog,
}

/// The table of all sessions.
#[derive(Clone, Debug)]
pub struct Registry(Arc<House>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Registry {
    fn default() -> Self {
        Self(Arc::new(House {
            next_id: AtomicU64::new(1),
            table: Mutex::default(),
            down: Bucket::new(ByteRate::UNLIMITED),
            up: Bucket::new(ByteRate::UNLIMITED),
            totals: Totals::default(),
            xferlog: Xferlog::default(),
        }))
    }
}

impl Registry {
    /// Sets the rates of the whole server (at once) and of each session (of new ones).
    pub fn set_rates(&self, limits: &ftp_config::server::Limits) {
        self.0.down.set_rate(limits.rate_down);
        self.0.up.set_rate(limits.rate_up);
        lock(&self.0.table).session_rates = (limits.session_rate_down, limits.session_rate_up);
    }

    /// Seats a new session.
    #[must_use]
    pub fn seat(&self, peer: SocketAddr) -> Seat {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let mut table = lock(&self.0.table);
        let (down, up) = table.session_rates;
        let session = Arc::new(Session {
            id,
            peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
            since: SystemTime::now(),
            now: Mutex::default(),
            kicked: CancellationToken::new(),
            down: Bucket::new(down),
            up: Bucket::new(up),
        });
        table.sessions.insert(id, Arc::clone(&session));
        self.0.totals.sessions.add(1);
        Seat::new(session, Arc::clone(&self.0))
    }

    /// Returns one row a session, in the order of arrival.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let now = Instant::now();
        let sessions: Vec<_> = lock(&self.0.table).sessions.values().cloned().collect();
        sessions.iter().map(|session| session.row(now)).collect()
    }

    /// Returns how many sessions are seated.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.0.table).sessions.len()
    }

    /// Tells whether nobody is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many files are on the move.
    #[must_use]
    pub fn moving(&self) -> usize {
        let table = lock(&self.0.table);
        table
            .sessions
            .values()
            .map(|session| lock(&session.now).moving.len())
            .sum()
    }

    /// Tells one session to leave; returns whether it was there.
    pub fn kick(&self, id: u64, reason: &str) -> bool {
        let session = lock(&self.0.table).sessions.get(&id).cloned();
        session.is_some_and(|session| {
            session.kick(reason);
            true
        })
    }

    /// Tells all sessions of a user to leave; returns how many there were.
    pub fn kick_user(&self, user: &str, reason: &str) -> usize {
        let sessions: Vec<_> = lock(&self.0.table).sessions.values().cloned().collect();
        let theirs = sessions.iter().filter(|session| {
            let now = lock(&session.now);
            now.account
                .as_ref()
                .is_some_and(|a| a.name.as_str() == user)
        });
        theirs.map(|session| session.kick(reason)).count()
    }

    /// Returns how many sessions were told to leave and are still here.
    #[must_use]
    pub fn leaving(&self) -> usize {
        let table = lock(&self.0.table);
        let sessions = table.sessions.values();
        sessions
            .filter(|session| session.kicked.is_cancelled())
            .count()
    }

    /// Returns the transfer record.
    #[must_use]
    pub fn xferlog(&self) -> &Xferlog {
        &self.0.xferlog
    }

    /// Returns the counters.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.0.totals
    }
}

impl Session {
    fn kick(&self, reason: &str) {
        lock(&self.now).kick_reason = Some(reason.to_owned());
        self.kicked.cancel();
    }

    fn row(&self, at: Instant) -> Row {
        let now = lock(&self.now);
        Row {
            id: self.id,
            peer: self.peer,
            user: now.account.as_ref().map(|a| a.name.to_string()),
            since_unix: self
                .since
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| d.as_secs()),
            tls: now.tls,
            command: now.command.clone(),
            moving: now.moving.iter().map(|t| t.row(at)).collect(),
        }
    }
}
