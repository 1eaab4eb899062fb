//! The login: [`Gate`] decides who comes in and tells the log why somebody did not.
//!
//! A gate is one session's; it asks the configuration that is in force at the login, and the
//! process-wide [`Guard`].
//! Every refusal has the same words and takes the same time; only the log knows the reason. Both
//! engines ask here: ours calls [`Gate::login`], libunftp comes through its `Authenticator` trait.

pub mod accounts;
mod guard;
mod libunftp;
pub mod lockout;
pub mod passphrase;
pub mod password;
mod refusal;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use ftp_config::{
    Secret,
    server::{Password, TlsMode},
};
use tracing::{info, warn};

use self::accounts::Known;
pub use self::{
    guard::Guard,
    refusal::{Refusal, RefusalReason},
};
use crate::{
    account::Account,
    backoff::doubled,
    log::shown,
    snapshot::{Holder, Snapshot},
};

/// Wrong passwords on one connection, the last of which ends it.
pub const MOST_FAILURES: u32 = 3;
/// The words of every refused login.
pub const REFUSED: &str = "Login incorrect";
/// The delay after a session's first failure; doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(4);

/// A login that was accepted.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Who it is.
    pub account: Arc<Account>,
    /// The configuration that says so.
    pub by: Arc<Snapshot>,
}

/// One session's way to log in.
#[derive(Debug)]
pub struct Gate {
    holder: Holder,
    guard: Arc<Guard>,
    failures: AtomicU32,
}

impl Gate {
    /// Makes the gate of one session.
    #[must_use]
    pub fn new(holder: Holder, guard: Arc<Guard>) -> Self {
        Self {
            holder,
            guard,
            failures: AtomicU32::new(0),
        }
    }

    /// Returns the configuration that is in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.holder.current()
    }

    /// Logs in, or refuses after a delay that grows with the session's failures.
    ///
    /// Cancel-safe: a dropped call counts as no attempt unless its proof had already failed.
    ///
    /// # Errors
    /// [`Refusal`]: its `code` and `text` are for the client.
    pub async fn login(
        &self,
        name: &str,
        password: &Secret,
        peer: IpAddr,
        tls: bool,
    ) -> Result<Admitted, Refusal> {
        match self.decide(name, password, peer, tls).await {
            Ok(admitted) => Ok(admitted),
            Err(reason) => {
                self.turned_away(name, peer, &reason);
                tokio::time::sleep(self.next_delay()).await;
                Err(reason.into())
            }
        }
    }

    /// Counts and tells a login that is over and well: the password was right, and there were a place and
    /// a home for it.
    pub fn let_in(&self, account: &Account, peer: IpAddr, tls: bool) {
        self.guard.registry.totals().logins.add(1);
        info!(user = %account, %peer, tls, "logged in");
    }

    /// Counts and tells a login that was refused.
    pub fn turned_away(&self, name: &str, peer: IpAddr, reason: &dyn std::fmt::Display) {
        self.guard.registry.totals().failed_logins.add(1);
        warn!(user = %shown(name), %peer, %reason, "login refused");
    }

    /// A proof takes its time: whoever is let in by a configuration that a reload replaced
    /// meanwhile is looked at again by the new one.
    async fn decide(
        &self,
        name: &str,
        password: &Secret,
        peer: IpAddr,
        tls: bool,
    ) -> Result<Admitted, RefusalReason> {
        loop {
            let by = self.current();
            let account = self.decide_by(&by, name, password, peer, tls).await?;
            if Arc::ptr_eq(&by, &self.current()) {
                return Ok(Admitted { account, by });
            }
        }
    }

    async fn decide_by(
        &self,
        snapshot: &Snapshot,
        name: &str,
        password: &Secret,
        peer: IpAddr,
        tls: bool,
    ) -> Result<Arc<Account>, RefusalReason> {
        let found = self.find(snapshot, name, peer, tls);
        let (account, known) = match found {
            Ok(Known::Guest(account)) => return Ok(Arc::clone(account)),
            Ok(Known::User(account, known)) => (Ok(account), Some(known)),
            Err(reason) => (Err(reason), None),
        };
        let proved = self.guard.verifier.proves(name, password, known).await;
        // Guesses that were made side by side are no more than those one behind the other.
        let locked = self.guard.lockout().locked_for(name, peer, Instant::now());
        if let Some(left) = locked {
            return Err(account.err().unwrap_or(RefusalReason::Locked { left }));
        }
        match account {
            Ok(account) if proved => {
                self.guard.lockout().succeeded(name, peer);
                Ok(Arc::clone(account))
            }
            Ok(_) => {
                self.note_failure(snapshot, name, peer);
                Err(RefusalReason::WrongPassword)
            }
            Err(reason) => {
                if !matches!(reason, RefusalReason::Locked { .. }) {
                    self.note_failure(snapshot, name, peer);
                }
                Err(reason)
            }
        }
    }

    fn find<'a>(
        &self,
        snapshot: &'a Snapshot,
        name: &str,
        peer: IpAddr,
        tls: bool,
    ) -> Result<Known<'a>, RefusalReason> {
        if snapshot.config.tls.mode == TlsMode::Required && !tls {
            return Err(RefusalReason::PlainText);
        }
        let locked = self.guard.lockout().locked_for(name, peer, Instant::now());
        if let Some(left) = locked {
            return Err(RefusalReason::Locked { left });
        }
        match snapshot.accounts.find(name)? {
            Known::User(_, Password::Sample) if !peer.is_loopback() => {
                Err(RefusalReason::SampleFromAfar)
            }
            known => Ok(known),
        }
    }

    fn note_failure(&self, snapshot: &Snapshot, name: &str, peer: IpAddr) {
        let rules = &snapshot.config.auth.lockout;
        let locked = self
            .guard
            .lockout()
            .failed(name, peer, rules, Instant::now());
        if let Some(lock) = locked {
            let secs = lock.as_secs();
            warn!(user = %shown(name), %peer, secs, "locked out after too many failures");
        }
    }

    fn next_delay(&self) -> Duration {
        let earlier = self.failures.fetch_add(1, Ordering::Relaxed);
        doubled(FIRST_DELAY, earlier, LONGEST_DELAY)
    }
}

#[cfg(test)]
mod tests;
