//! Passive data connections: ports out of the configured range, one listener at most per session,
//! and only the control connection's peer may use it.
//!
//! `daemon` makes one [`PassivePorts`] for all sessions; a [`Listener`] gives its port back when it
//! drops.

mod listener;

use std::{
    collections::HashSet,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ftp_config::PortRange;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    sync::Notify,
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
            let freed = self.freed.notified();
            match self.try_listen(address, range) {
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                    let late = Instant::now() >= deadline;
                    if late || timeout_at(deadline, freed).await.is_err() {
                        return self.try_listen(address, range);
                    }
                }
                done => return done,
            }
        }
    }

    /// Returns how many ports are lent.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.state().lent.len()
    }

    fn try_listen(
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
mod tests {
    use super::*;
    use crate::port::Kept;
    use std::net::{IpAddr, Ipv4Addr};

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn here() -> SocketAddr {
        SocketAddr::new(LOOPBACK, 0)
    }

    /// A range of ports that nobody else has while it is kept.
    fn range(count: u16) -> (PortRange, Vec<Kept>) {
        let kept = Kept::row(count);
        let first = kept[0].address.port();
        let range = format!("{first}-{}", first + count - 1);
        (range.parse().unwrap(), kept)
    }

    #[tokio::test]
    async fn ports_come_from_the_range_and_go_back() {
        let (range, _kept) = range(40);
        let ports = Arc::new(PassivePorts::default());
        let first = ports.listen(here(), range).await.unwrap();
        let second = ports.listen(here(), range).await.unwrap();
        assert!(range.ports().contains(&first.port()));
        assert_ne!(first.port(), second.port());
        assert_eq!(ports.lent(), 2);
        drop((first, second));
        assert_eq!(ports.lent(), 0);
    }

    #[tokio::test]
    async fn ports_of_other_programs_are_passed_over() {
        let (range, _kept) = range(40);
        let first = SocketAddr::new(LOOPBACK, range.first());
        let _other = std::net::TcpListener::bind(first).unwrap();
        let ports = Arc::new(PassivePorts::default());
        let listener = ports.listen(here(), range).await.unwrap();
        assert!(listener.port() > range.first());
        assert_eq!(ports.lent(), 1);
        let address = SocketAddr::new(LOOPBACK, listener.port());
        let client = tokio::net::TcpStream::connect(address).await.unwrap();
        let accepted = listener.accept_from(LOOPBACK).await.unwrap();
        assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_full_range_waits_for_a_port_to_come_back() {
        let ports = Arc::new(PassivePorts::default());
        let (range, _kept) = range(3);
        let mut held = Vec::new();
        while let Ok(listener) = ports.try_listen(here(), range) {
            held.push(listener);
        }
        let (waited, ()) = tokio::join!(ports.listen(here(), range), async {
            tokio::task::yield_now().await;
            held.pop();
        });
        assert!(waited.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_range_that_others_have_is_given_up_in_time() {
        let (range, _kept) = range(3);
        let _others: Vec<_> = range
            .ports()
            .map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).unwrap())
            .collect();
        let ports = Arc::new(PassivePorts::default());
        let begun = Instant::now();
        let refused = ports.listen(here(), range).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        assert!(begun.elapsed() >= PATIENCE);
        assert_eq!(ports.lent(), 0);
    }

    #[tokio::test]
    async fn a_stranger_who_comes_while_the_client_is_waited_for_gets_nothing() {
        let ports = Arc::new(PassivePorts::default());
        let (range, _kept) = range(40);
        let listener = ports.listen(here(), range).await.unwrap();
        let address = SocketAddr::new(LOOPBACK, listener.port());
        let mut accepting = std::pin::pin!(listener.accept_from(LOOPBACK));
        tokio::select! {
            biased;
            _ = &mut accepting => panic!("nobody has come"),
            () = std::future::ready(()) => {}
        }
        let stranger = tokio::net::TcpSocket::new_v4().unwrap();
        stranger.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let _stranger = stranger.connect(address).await.unwrap();
        let client = tokio::net::TcpStream::connect(address).await.unwrap();
        let accepted = accepting.await.unwrap();
        assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_stranger_does_not_use_the_listener_up() {
        let ports = Arc::new(PassivePorts::default());
        let (range, _kept) = range(40);
        let listener = ports.listen(here(), range).await.unwrap();
        let address = SocketAddr::new(LOOPBACK, listener.port());
        let stranger = tokio::net::TcpSocket::new_v4().unwrap();
        stranger.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let _stranger = stranger.connect(address).await.unwrap();
        let client = tokio::net::TcpStream::connect(address).await.unwrap();
        let accepted = listener.accept_from(LOOPBACK).await.unwrap();
        assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
    }
}
