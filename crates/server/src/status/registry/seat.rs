//! A session's place in the table: what it tells of itself, and what it may take.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use ftp_config::{SharePath, UserName};
use tokio_util::sync::CancellationToken;

use super::{House, Moving, Person, Session, Table, TooManySessions, lock, moving::Transfer};
use crate::{
    account::Account,
    direction::Direction,
    share::throttle::{Bucket, Throttle},
};

/// A session's place in the table; the last clone to drop gives it back.
#[derive(Clone, Debug)]
pub struct Seat(Arc<Place>);

#[derive(Debug)]
struct Place {
    session: Arc<Session>,
    house: Arc<House>,
}

impl Seat {
    pub(super) fn new(session: Arc<Session>, house: Arc<House>) -> Self {
        Self(Arc::new(Place { session, house }))
    }

    /// The session that sits here.
    pub(super) fn session(&self) -> &Session {
        &self.0.session
    }

    /// What all sessions share.
    pub(super) fn house(&self) -> &House {
        &self.0.house
    }

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

    /// Gives the account's session back: the login came to nothing.
    pub fn leave(&self) {
        self.leave_account(&mut lock(&self.0.house.table));
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
        let id = self.0.house.next_id.fetch_add(1, Ordering::Relaxed);
        let transfer = Arc::new(Transfer::new(id, direction, path, size));
        lock(&self.0.session.now).moving.push(Arc::clone(&transfer));
        Moving::new(transfer, self.clone())
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
