//! The live table: one [`Seat`] a session, one [`Moving`] while a file moves.
//!
//! Engines and `auth` write through the seat they were given; `status` and `reload` read rows and
//! kick. Dropping the last clone of a seat removes its row. No socket is touched: a kick is a token
//! that the session watches.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ftp_config::{ByteRate, SharePath, UserName};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::totals::Totals;
use crate::{
    account::Account,
    log::xferlog::{Record, Xferlog},
    share::throttle::{Bucket, Throttle},
};

/// Which way bytes move, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the share to the client.
    Down,
    /// From the client to the share.
    Up,
}

impl Direction {
    /// Returns `down` or `up`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
        }
    }
}

/// A login refused because the account has all its sessions.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("Too many sessions for `{user}`: {limit} at once are allowed")]
pub struct TooManySessions {
    /// The account.
    pub user: UserName,
    /// Its cap.
    pub limit: u32,
}

/// What one session looked like at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The session's number, for `ftpd kick`.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// The login name; `None` before the login.
    pub user: Option<String>,
    /// When the connection came, in seconds since 1970.
    pub since_unix: u64,
    /// Whether the control connection is encrypted.
    pub tls: bool,
    /// The last command's verb.
    pub command: String,
    /// Files on the move now.
    pub moving: Vec<MovingRow>,
}

/// What one transfer looked like at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MovingRow {
    /// Which way.
    pub direction: Direction,
    /// The path inside the share.
    pub path: String,
    /// Bytes moved so far.
    pub bytes: u64,
    /// Bytes to move in all, when known.
    pub size: Option<u64>,
    /// Milliseconds since the transfer began.
    pub elapsed_ms: u64,
    /// Bytes a second since the transfer began.
    pub bytes_per_sec: u64,
    /// Seconds left at that rate, when the size is known.
    pub eta_secs: Option<u64>,
}

#[derive(Debug)]
struct Transfer {
    id: u64,
    direction: Direction,
    path: String,
    size: Option<u64>,
    began: Instant,
    bytes: AtomicU64,
    complete: AtomicBool,
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
        Seat(Arc::new(Place {
            session,
            house: Arc::clone(&self.0),
        }))
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

impl Transfer {
    fn row(&self, at: Instant) -> MovingRow {
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

/// A session's place in the table; the last clone to drop gives it back.
#[derive(Clone, Debug)]
pub struct Seat(Arc<Place>);

#[derive(Debug)]
struct Place {
    session: Arc<Session>,
    house: Arc<House>,
}

impl Seat {
    /// Returns the session's number.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.session.id
    }

    /// Returns the client's address.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.0.session.peer
    }

    /// Notes whether the control connection is encrypted.
    pub fn set_tls(&self, tls: bool) {
        lock(&self.0.session.now).tls = tls;
    }

    /// Tells whether the control connection is encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        lock(&self.0.session.now).tls
    }

    /// Takes one of the account's sessions for this seat; a second login gives the first one back.
    ///
    /// # Errors
    /// [`TooManySessions`] when the account has all it may have.
    pub fn login(&self, account: &Arc<Account>) -> Result<(), TooManySessions> {
        let mut table = lock(&self.0.house.table);
        self.leave_account(&mut table);
        let person = table
            .people
            .entry(account.name.clone())
            .or_insert_with(|| Person {
                sessions: 0,
                down: Bucket::new(account.rate_down),
                up: Bucket::new(account.rate_up),
            });
        if account.max_sessions > 0 && person.sessions >= account.max_sessions {
            return Err(TooManySessions {
                user: account.name.clone(),
                limit: account.max_sessions,
            });
        }
        person.sessions += 1;
        person.down.set_rate(account.rate_down);
        person.up.set_rate(account.rate_up);
        lock(&self.0.session.now).account = Some(Arc::clone(account));
        Ok(())
    }

    fn leave_account(&self, table: &mut Table) {
        let Some(account) = lock(&self.0.session.now).account.take() else {
            return;
        };
        release(table, &account.name);
    }

    /// Notes the command that runs now.
    pub fn command(&self, verb: &str) {
        let mut now = lock(&self.0.session.now);
        now.command.clear();
        now.command.push_str(verb);
    }

    /// Notes that a file begins to move; `size` is what is still to move, when known.
    #[must_use]
    pub fn begin(&self, direction: Direction, path: &SharePath, size: Option<u64>) -> Moving {
        let transfer = Arc::new(Transfer {
            id: self.0.house.next_id.fetch_add(1, Ordering::Relaxed),
            direction,
            path: path.as_str().to_owned(),
            size,
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            complete: AtomicBool::new(false),
        });
        lock(&self.0.session.now).moving.push(Arc::clone(&transfer));
        Moving {
            transfer,
            seat: self.clone(),
        }
    }

    /// Tells whether a file of this session is on the move.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        !lock(&self.0.session.now).moving.is_empty()
    }

    /// Returns the token that is cancelled when the session is told to leave.
    #[must_use]
    pub fn kicked(&self) -> CancellationToken {
        self.0.session.kicked.clone()
    }

    /// Returns why the session was told to leave; for the client, after `421`.
    #[must_use]
    pub fn kick_reason(&self) -> String {
        lock(&self.0.session.now)
            .kick_reason
            .clone()
            .unwrap_or_else(|| "The session was ended by the operator".to_owned())
    }

    /// Returns the limits on this session's transfers in one direction: session, user, server.
    #[must_use]
    pub fn throttle(&self, direction: Direction) -> Throttle {
        let (session, house) = (&self.0.session, &self.0.house);
        let table = lock(&house.table);
        let person = lock(&session.now)
            .account
            .as_ref()
            .and_then(|account| table.people.get(&account.name));
        let of = |down: &Arc<Bucket>, up: &Arc<Bucket>| match direction {
            Direction::Down => Arc::clone(down),
            Direction::Up => Arc::clone(up),
        };
        let mut chain = vec![of(&session.down, &session.up), of(&house.down, &house.up)];
        chain.extend(person.map(|person| of(&person.down, &person.up)));
        Throttle::new(chain)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let house = Arc::clone(&self.house);
        let mut table = lock(&house.table);
        table.sessions.remove(&self.session.id);
        let account = lock(&self.session.now).account.take();
        if let Some(account) = account {
            release(&mut table, &account.name);
        }
    }
}

fn release(table: &mut Table, name: &UserName) {
    if let Some(person) = table.people.get_mut(name) {
        person.sessions = person.sessions.saturating_sub(1);
        if person.sessions == 0 {
            table.people.remove(name);
        }
    }
}

/// A file on the move; dropping it ends the row and counts the transfer.
#[derive(Debug)]
pub struct Moving {
    transfer: Arc<Transfer>,
    seat: Seat,
}

impl Moving {
    /// Counts bytes that have moved.
    pub fn add(&self, bytes: u64) {
        let totals = &self.seat.0.house.totals;
        self.transfer.bytes.fetch_add(bytes, Ordering::Relaxed);
        totals.transfers(self.transfer.direction).bytes.add(bytes);
    }

    /// Returns the bytes moved so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.transfer.bytes.load(Ordering::Relaxed)
    }

    /// Ends the transfer as a whole one; a drop without this counts as an incomplete one.
    pub fn complete(self) {
        self.transfer.complete.store(true, Ordering::Relaxed);
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        let place = &self.seat.0;
        lock(&place.session.now)
            .moving
            .retain(|other| other.id != self.transfer.id);
        let took = self.transfer.began.elapsed();
        let complete = self.transfer.complete.load(Ordering::Relaxed);
        place
            .house
            .totals
            .ended(self.transfer.direction, complete, took);
        self.record(took, complete);
    }
}

impl Moving {
    fn record(&self, took: Duration, complete: bool) {
        let place = &self.seat.0;
        if !place.house.xferlog.is_wanted() {
            return;
        }
        let account = lock(&place.session.now).account.clone();
        let home = account.as_ref().map(|account| &account.home);
        let in_share = home.and_then(|home| home.join(&self.transfer.path[1..]).ok());
        let path = in_share.unwrap_or_else(SharePath::root);
        place.house.xferlog.write(&Record {
            ended: jiff::ZonedDateTime::now(),
            took,
            peer: place.session.peer.ip(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use ftp_config::Rights;

    fn account(name: &str, max_sessions: u32) -> Arc<Account> {
        Arc::new(Account {
            name: name.parse().unwrap(),
            anonymous: false,
            home: SharePath::root(),
            rights: Rights::READ_WRITE,
            rate_down: ByteRate(2 << 20),
            rate_up: ByteRate::UNLIMITED,
            max_sessions,
        })
    }

    fn peer() -> SocketAddr {
        "192.168.1.7:4000".parse().unwrap()
    }

    #[test]
    fn a_row_lives_as_long_as_the_last_clone_of_its_seat() {
        let registry = Registry::default();
        let seat = registry.seat(peer());
        let transfer_holds = seat.clone();
        drop(seat);
        assert_eq!(registry.rows().len(), 1);
        drop(transfer_holds);
        assert!(registry.is_empty());
        assert_eq!(registry.totals().sessions.get(), 1);
    }

    #[test]
    fn an_account_has_no_more_sessions_than_it_may() {
        let registry = Registry::default();
        let (first, second) = (registry.seat(peer()), registry.seat(peer()));
        let ann = account("ann", 1);
        first.login(&ann).unwrap();
        let refused = second.login(&ann).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Too many sessions for `ann`: 1 at once are allowed"
        );
        first.login(&ann).unwrap();
        drop(first);
        second.login(&ann).unwrap();
        drop(second);
        assert!(lock(&registry.0.table).people.is_empty());
    }

    #[test]
    fn what_moves_is_seen_and_counted() {
        let registry = Registry::default();
        let seat = registry.seat(peer());
        let path: SharePath = SharePath::root().join("a.iso").unwrap();
        let moving = seat.begin(Direction::Up, &path, Some(10));
        moving.add(4);
        let row = &registry.rows()[0].moving[0];
        assert_eq!(
            (row.bytes, row.size, row.path.as_str()),
            (4, Some(10), "/a.iso")
        );
        drop(moving);
        assert!(registry.rows()[0].moving.is_empty());
        seat.begin(Direction::Up, &path, None).complete();
        let up = registry.totals().transfers(Direction::Up);
        assert_eq!(
            (up.bytes.get(), up.complete.get(), up.incomplete.get()),
            (4, 1, 1)
        );
        assert_eq!(up.durations.count(), 2);
    }

    #[test]
    fn kicks_reach_the_session_by_number_and_by_name() {
        let registry = Registry::default();
        let (ann, bob) = (registry.seat(peer()), registry.seat(peer()));
        ann.login(&account("ann", 0)).unwrap();
        bob.login(&account("bob", 0)).unwrap();
        assert_eq!(registry.kick_user("ann", "Bye"), 1);
        assert!(ann.kicked().is_cancelled() && !bob.kicked().is_cancelled());
        assert_eq!(ann.kick_reason(), "Bye");
        assert!(registry.kick(bob.id(), "Bye too"));
        assert!(!registry.kick(999, "nobody"));
    }

    #[test]
    fn sessions_of_one_user_pay_into_one_bucket() {
        let registry = Registry::default();
        let (one, two) = (registry.seat(peer()), registry.seat(peer()));
        assert!(one.throttle(Direction::Down).is_unlimited());
        one.login(&account("ann", 0)).unwrap();
        two.login(&account("ann", 0)).unwrap();
        let now = Instant::now();
        let _ = one.throttle(Direction::Down).take(2 << 20, now);
        let wait = two.throttle(Direction::Down).take(2 << 20, now);
        assert!(wait >= Duration::from_millis(1800), "{wait:?}");
        assert!(one.throttle(Direction::Up).is_unlimited());
    }
}
