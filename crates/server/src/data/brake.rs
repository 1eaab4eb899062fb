//! How a running transfer is stopped from outside: one pull, and every wait in it ends.
//!
//! The session pulls; the transfer's async parts watch [`Brake::pulled`], its blocking thread reads
//! [`Brake::is_pulled`] between blocks, sleeps with [`Brake::sleep`] and lends its socket so that a
//! pull can shut it down.

use std::{
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

/// The brake of one transfer, and its count of bytes.
#[derive(Debug, Default)]
pub struct Brake {
    pulled: AtomicBool,
    token: CancellationToken,
    socket: Mutex<Option<Arc<TcpStream>>>,
    wake: Condvar,
    bytes: AtomicU64,
}

impl Brake {
    /// Stops the transfer: at its next look, its next wait, or its blocked read or write.
    pub fn pull(&self) {
        self.pulled.store(true, Ordering::SeqCst);
        self.token.cancel();
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = &*socket {
            // It may be closed by the client already.
            let _ = socket.shutdown(Shutdown::Both);
        }
        self.wake.notify_all();
    }

    /// Tells whether the brake is pulled.
    #[must_use]
    pub fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::SeqCst)
    }

    /// Returns the flag, for work that looks at one.
    #[must_use]
    pub fn flag(&self) -> &AtomicBool {
        &self.pulled
    }

    /// Waits for the pull.
    pub fn pulled(&self) -> WaitForCancellationFuture<'_> {
        self.token.cancelled()
    }

    /// Gives the brake the socket of a blocking thread; shuts it down at once when already pulled.
    pub fn watch(&self, socket: &Arc<TcpStream>) {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(socket));
        if self.is_pulled() {
            self.pull();
        }
    }

    /// Takes the socket back.
    pub fn release(&self) {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sleeps on this thread, or less when the brake is pulled.
    pub fn sleep(&self, time: Duration) {
        let end = Instant::now() + time;
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_pulled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            socket = self
                .wake
                .wait_timeout(socket, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Counts bytes that moved.
    pub fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the bytes moved so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_pull_ends_a_sleep_and_a_read() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Arc::new(listener.accept().unwrap().0);
        let brake = Arc::new(Brake::default());
        let puller = Arc::clone(&brake);
        let thread = std::thread::spawn(move || puller.pull());
        brake.sleep(Duration::from_secs(3600));
        brake.watch(&socket);
        assert_eq!((&*socket).read(&mut [0; 8]).unwrap(), 0);
        thread.join().unwrap();
    }
}
