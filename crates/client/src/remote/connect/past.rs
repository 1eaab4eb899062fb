//! How the logins of a dialer went so far, over all its clones.
//!
//! A server that starts anew may know nobody for a moment. Whom it knew is asked for again, but seldom: servers
//! lock out who is refused too often.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ftp_config::Secret;
use tokio::time::Instant;

use crate::{error::RemoteError, remote::Reply};

/// How many seconds no login is tried behind the first refusal in a row, the second, and each that follows.
const PAUSES: [u64; 3] = [2, 15, 45];

#[derive(Clone, Default)]
pub(super) struct Past(Arc<Mutex<Logins>>);

#[derive(Default)]
struct Logins {
    /// Who was let in.
    accepted: Option<(String, Secret)>,
    /// How often they were refused since.
    refusals: usize,
    /// The last refusal, and until when no other is risked.
    last: Option<(Reply, Instant)>,
}

impl Past {
    /// Notes a login that was accepted.
    pub(super) fn accepted(&self, user: &str, password: &Secret) {
        *self.logins() = Logins {
            accepted: Some((user.to_owned(), password.clone())),
            ..Logins::default()
        };
    }

    /// Makes the error of a login that was refused. Logins side by side met one bad time, and count once.
    pub(super) fn refused(&self, user: &str, password: &Secret, reply: Reply) -> RemoteError {
        let mut logins = self.logins();
        let is_same = |(name, word): &(String, Secret)| name == user && word == password;
        let again = logins.accepted.as_ref().is_some_and(is_same) && is_for_good(&reply);
        let user = user.to_owned();
        let now = Instant::now();
        if again && logins.last.as_ref().is_none_or(|(_, until)| *until <= now) {
            let pause = PAUSES[logins.refusals.min(PAUSES.len() - 1)];
            logins.refusals += 1;
            logins.last = Some((reply.clone(), now + Duration::from_secs(pause)));
        }
        RemoteError::Login { user, reply, again }
    }

    /// Refuses by the server's last words to risk another refusal so soon.
    pub(super) fn spare(&self, user: &str) -> Result<(), RemoteError> {
        let logins = self.logins();
        let is_theirs = logins
            .accepted
            .as_ref()
            .is_some_and(|(name, _)| name == user);
        match &logins.last {
            Some((reply, until)) if is_theirs && Instant::now() < *until => {
                Err(RemoteError::Login {
                    user: user.to_owned(),
                    reply: reply.clone(),
                    again: true,
                })
            }
            _ => Ok(()),
        }
    }

    fn logins(&self) -> MutexGuard<'_, Logins> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether the server's words are a refusal of this user, and not of anybody just now.
fn is_for_good(reply: &Reply) -> bool {
    reply.code >= 500 && !reply.is_too_many()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_again(error: &RemoteError) -> bool {
        matches!(error, RemoteError::Login { again: true, .. })
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_let_in_is_asked_for_again_but_seldom() {
        let (past, word) = (Past::default(), Secret::new("x"));
        let no = || Reply::new(530, "Login incorrect.");
        assert!(!is_again(&past.refused("ann", &word, no())));
        assert!(past.spare("ann").is_ok());
        past.accepted("ann", &word);
        assert!(!is_again(&past.refused("ann", &Secret::new("y"), no())));
        assert!(!is_again(&past.refused("bob", &word, no())));
        let (began, mut tried) = (Instant::now(), Vec::new());
        while began.elapsed() < Duration::from_secs(120) {
            match past.spare("ann") {
                Ok(()) => {
                    tried.push(began.elapsed().as_secs());
                    // Two that were on their way.
                    assert!(is_again(&past.refused("ann", &word, no())));
                    assert!(is_again(&past.refused("ann", &word, no())));
                }
                Err(error) => assert!(is_again(&error)),
            }
            assert!(past.spare("bob").is_ok());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(tried, [0, 2, 17, 62, 107]);
        past.accepted("ann", &word);
        for of_the_moment in [421, 450] {
            let reply = Reply::new(of_the_moment, "going down");
            assert!(!is_again(&past.refused("ann", &word, reply)));
        }
        assert!(past.spare("ann").is_ok());
    }
}
