//! Passive data connections: ports out of the configured range, one listener at most per session,
//! and only the control connection's peer may use it.
//!
//! `daemon` makes one [`PassivePorts`] for all sessions; a [`Listener`] gives its port back when it
//! drops.

mod listener;
pub mod spare;

use std::{
    collections::HashSet,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ftp_config::PortRange;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    sync::{Notify, futures::Notified},
    time::{Instant, timeout_at},
};

pub use self::listener::Listener;

/// Connections that may wait; strangers take places here, so more than one.
const BACKLOG: i32 = 128;
/// How long PASV waits for another session to give a port back.
const PATIENCE: Duration = Duration::from_secs(2);

/// The ports that are lent, over all sessions.
#[derive(Debug, Default)]
pub struct PassivePorts {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    lent: HashSet<u16>,
    /// Where the next search begins.
    next: u16,
}

#[derive(Debug)]
struct Lease {
    port: u16,
    ports: Arc<PassivePorts>,
    /// A port that another program has comes back to nobody's use: those who wait are not told.
    listens: bool,
}

impl PassivePorts {
    /// Opens a listener on `address`, at a free port of `range` in place of its own, waiting up to two
    /// seconds for one.
    ///
    /// # Errors
    /// `AddrInUse` when every port of the range is taken.
    pub async fn listen(
        self: &Arc<Self>,
        address: SocketAddr,
        range: PortRange,
    ) -> io::Result<Listener> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let freed = self.next_free();
            match self.listen_now(address, range) {
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                    let late = Instant::now() >= deadline;
                    if late || timeout_at(deadline, freed).await.is_err() {
                        return self.listen_now(address, range);
                    }
                }
                done => return done,
            }
        }
    }

    /// Waits for the next port to come back, from now on: of two that come back before anybody is asked to
    /// wait, one alone would be remembered.
    fn next_free(&self) -> Pin<Box<Notified<'_>>> {
        let mut freed = Box::pin(self.freed.notified());
        freed.as_mut().enable();
        freed
    }

    /// Returns how many ports are lent.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.state().lent.len()
    }

    /// Opens a listener on `address`, at a free port of `range` in place of its own.
    ///
    /// # Errors
    /// `AddrInUse` when every port of the range is taken.
    pub fn listen_now(
        self: &Arc<Self>,
        mut address: SocketAddr,
        range: PortRange,
    ) -> io::Result<Listener> {
        self.state().next = by_chance(range);
        let mut socket = unbound(address)?;
        for _ in 0..range.count() {
            let Some(mut lease) = self.lend(range) else {
                break;
            };
            address.set_port(lease.port);
            // One socket does for all tries: on a busy machine every second port may be taken.
            let (bound, listens) = match socket.bind(&address.into()) {
                Ok(()) => (true, socket.listen(BACKLOG)),
                refused => (false, refused),
            };
            match listens {
                Ok(()) => {
                    lease.listens = true;
                    let socket = socket.into();
                    return Ok(Listener { socket, lease });
                }
                // Another program was between our two steps: a socket is bound only once.
                Err(e) if e.kind() == io::ErrorKind::AddrInUse && bound => {
                    socket = unbound(address)?;
                }
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Lends the next free port, from where the search began.
    fn lend(self: &Arc<Self>, range: PortRange) -> Option<Lease> {
        let mut state = self.state();
        for _ in 0..range.count() {
            let port = state.next.clamp(range.first(), range.last());
            state.next = if port == range.last() {
                range.first()
            } else {
                port + 1
            };
            if state.lent.insert(port) {
                return Some(Lease {
                    port,
                    ports: Arc::clone(self),
                    listens: false,
                });
            }
        }
        None
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ports.state().lent.remove(&self.port);
        if self.listens {
            self.ports.freed.notify_one();
        }
    }
}

/// Where a search begins: nobody is to know the next port (RFC 2577 §8).
fn by_chance(range: PortRange) -> u16 {
    let mut random = [0; 4];
    // A system without chance has the first one.
    let _begins_at_zero = getrandom::fill(&mut random);
    let at = u32::from_ne_bytes(random) % range.count().max(1);
    range.first() + u16::try_from(at).unwrap_or_default()
}

fn unbound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    // Ports in TIME_WAIT are most of a busy range.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
