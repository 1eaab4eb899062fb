//! Sessions lent and returned, so that a job does not log in for every file.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::{Instant, timeout};

use super::{Dial, Remote};
use crate::error::RemoteError;

/// A session that lay idle longer is asked whether the server still knows it.
const FRESH: Duration = Duration::from_secs(2);
/// How long its answer is waited for: on a line that has died meanwhile there comes none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Idle sessions with one server. It dials like the dialer it holds.
pub struct Pool {
    dial: Arc<dyn Dial>,
    idle: Mutex<Vec<(Instant, Box<dyn Remote>)>>,
    is_held: AtomicBool,
}

impl Pool {
    /// Makes an empty pool.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        Self {
            dial,
            idle: Mutex::default(),
            is_held: AtomicBool::new(false),
        }
    }

    /// Takes a session back; one that may not be used further is closed.
    pub fn give_back(&self, remote: Box<dyn Remote>) {
        if remote.is_usable() {
            self.idle().push((Instant::now(), remote));
        }
    }

    /// Notes whether somebody goes on with the session that was given back last: then it is lent as it is, for not
    /// even the question whether the server still knows it may come between two commands (RFC 959 §4.1.3, RNFR).
    pub fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Relaxed);
    }

    /// Says goodbye on all idle sessions.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for (_, mut remote) in idle {
            remote.quit().await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Box<dyn Remote>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<(Instant, Box<dyn Remote>)> {
        self.idle().pop()
    }
}

#[async_trait]
impl Dial for Pool {
    /// Lends an idle session, or makes one.
    async fn dial(&self) -> Result<Box<dyn Remote>, RemoteError> {
        while let Some((since, mut remote)) = self.take() {
            let is_held = self.is_held.load(Ordering::Relaxed);
            if is_held || since.elapsed() < FRESH || is_known(&mut *remote).await {
                return Ok(remote);
            }
        }
        self.dial.dial().await
    }

    fn endpoint(&self) -> String {
        self.dial.endpoint()
    }
}

/// Asks whether the server still knows the session.
async fn is_known(remote: &mut dyn Remote) -> bool {
    let answer = timeout(PATIENCE, remote.raw("NOOP")).await;
    answer.is_ok_and(|reply| reply.is_ok_and(|reply| reply.is_ok_or_superfluous()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::memory::Memory;

    async fn lent(server: &Memory, idle: Duration) -> Vec<String> {
        let pool = Pool::new(Arc::new(server.clone()));
        lent_of(&pool, server, idle).await
    }

    async fn lent_of(pool: &Pool, server: &Memory, idle: Duration) -> Vec<String> {
        let session = pool.dial().await.unwrap();
        pool.give_back(session);
        tokio::time::advance(idle).await;
        drop(pool.dial().await.unwrap());
        server.calls()
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_session_is_lent_again_while_the_server_knows_it() {
        let moment = Duration::from_millis(100);
        assert_eq!(lent(&Memory::new(&[]), moment).await, ["DIAL "]);
        let asked = lent(&Memory::new(&[]), FRESH).await;
        assert_eq!(asked, ["DIAL ", "NOOP "]);
        let gone = Memory::new(&[]);
        gone.fail("NOOP", RemoteError::Poisoned);
        assert_eq!(lent(&gone, FRESH).await, ["DIAL ", "NOOP ", "DIAL "]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_somebody_goes_on_with_is_asked_nothing() {
        let server = Memory::new(&[]);
        let pool = Pool::new(Arc::new(server.clone()));
        pool.hold(true);
        assert_eq!(lent_of(&pool, &server, FRESH).await, ["DIAL "]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_dialled_again_soon() {
        let silent = Memory::new(&[]);
        silent.hang("NOOP");
        let began = Instant::now();
        assert_eq!(lent(&silent, FRESH).await, ["DIAL ", "NOOP ", "DIAL "]);
        assert_eq!(began.elapsed(), FRESH + PATIENCE);
    }
}
