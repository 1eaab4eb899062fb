//! Sessions lent and returned, so that a job does not log in for every file.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{Dial, Remote};
use crate::error::RemoteError;

/// A session that lay idle longer is asked whether the server still knows it.
const FRESH: Duration = Duration::from_secs(20);

/// Idle sessions with one server. It dials like the dialer it holds.
pub struct Pool {
    dial: Arc<dyn Dial>,
    idle: Mutex<Vec<(Instant, Box<dyn Remote>)>>,
}

impl Pool {
    /// Makes an empty pool.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        Self {
            dial,
            idle: Mutex::default(),
        }
    }

    /// Takes a session back; one that may not be used further is closed.
    pub fn give_back(&self, remote: Box<dyn Remote>) {
        if remote.is_usable() {
            self.idle().push((Instant::now(), remote));
        }
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
            if since.elapsed() < FRESH || remote.raw("NOOP").await.is_ok_and(|reply| reply.is_ok())
            {
                return Ok(remote);
            }
        }
        self.dial.dial().await
    }

    fn endpoint(&self) -> String {
        self.dial.endpoint()
    }
}
