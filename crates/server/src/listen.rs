//! Listening sockets and the accept loop: count first, then everything else.
//!
//! A flood buys no handshake, no task and no thread: [`crate::admit`] is asked before a session is
//! made, and who is turned away gets one line. Accept errors of a full system back off and recover.

mod pause;

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tracing::{Instrument, debug, info_span, warn};

use self::pause::Pause;
use crate::{
    admit::{Admission, Refused, Rules},
    auth::{Gate, Guard},
    code,
    data::PassivePorts,
    engine::{self, Visit},
    error::{Error, has_no_family},
    log::shown,
    shutdown::Life,
    snapshot::{Holder, Snapshot},
    status::Registry,
};

const BACKLOG: i32 = 1024;

/// Binds every address; `[::]` serves IPv4 too unless an IPv4 address with its port is also named.
///
/// # Errors
/// [`Error::Listen`] with the address at fault.
pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<StdListener>, Error> {
    addresses
        .iter()
        .map(|address| {
            let alone = !addresses
                .iter()
                .any(|other| other.is_ipv4() && other.port() == address.port());
            bind_one(*address, alone).map_err(|source| Error::Listen {
                address: *address,
                source,
            })
        })
        .collect()
}

fn bind_one(address: SocketAddr, dual_stack: bool) -> io::Result<StdListener> {
    let everywhere = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && dual_stack;
    let domain = Domain::for_address(address);
    let socket = match Socket::new(domain, Type::STREAM, Some(Protocol::TCP)) {
        // A system without IPv6: all of its addresses are IPv4's.
        Err(error) if everywhere && has_no_family(&error) => {
            let all = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
            return bind_one(all, false);
        }
        made => made?,
    };
    if address.is_ipv6() {
        socket.set_only_v6(!everywhere)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What every accept loop shares.
#[derive(Clone, Debug)]
pub struct Porch {
    /// The current configuration.
    pub holder: Holder,
    /// Who is in.
    pub admission: Admission,
    /// The live table.
    pub registry: Registry,
    /// What gates share.
    pub guard: Arc<Guard>,
    /// Tasks and the stop.
    pub life: Life,
    /// Passive ports.
    pub ports: Arc<PassivePorts>,
}

impl Porch {
    /// Accepts until the stop.
    pub async fn accept_all(self, listener: TcpListener) {
        let stop = self.life.stop();
        let mut pause = Pause::default();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    pause.reset();
                    self.receive(stream, peer);
                }
                Err(error) if is_the_peers_fault(&error) => debug!(%error, "connection lost early"),
                Err(error) => {
                    let wait = pause.next(&error);
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(wait) => {}
                    }
                }
            }
        }
    }

    fn receive(&self, stream: TcpStream, peer: SocketAddr) {
        let snapshot = self.holder.current();
        let rules = Rules {
            allow_from: &snapshot.config.server.allow_from,
            max_clients: snapshot.config.limits.max_clients,
            max_per_ip: snapshot.config.limits.max_per_ip,
        };
        match self.admission.admit(peer.ip(), rules) {
            Ok(ticket) => {
                if let Err(error) = self.begin(stream, peer, snapshot, ticket) {
                    debug!(%peer, %error, "connection lost early");
                }
            }
            Err(refused) => {
                self.registry.totals().refused.add(1);
                warn!(%peer, key = refused.key(), reason = %refused, "connection refused");
                turn_away(stream, refused);
            }
        }
    }

    fn begin(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        snapshot: Arc<Snapshot>,
        ticket: crate::admit::Ticket,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive())?;
        let local = stream.local_addr()?;
        let seat = self.registry.seat(peer);
        let span = info_span!("session", id = seat.id(), peer = %seat.peer());
        let gate = Arc::new(Gate::new(self.holder.clone(), Arc::clone(&self.guard)));
        let visit = Visit {
            stream,
            peer: canonical(peer),
            local: canonical(local),
            snapshot,
            gate,
            seat,
            ticket,
            stop: self.life.stop(),
            kill: self.life.kill(),
            ports: Arc::clone(&self.ports),
        };
        let session = async move {
            debug!("session begins");
            engine::serve(visit).await;
            debug!("session ends");
        };
        self.life.spawn(session.instrument(span));
        Ok(())
    }
}

/// A client whose line is gone is noticed within a minute, and its session, its places and the partial
/// it holds are free for it to come back.
fn keepalive() -> socket2::TcpKeepalive {
    socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(20))
        .with_interval(Duration::from_secs(10))
        .with_retries(4)
}

/// An IPv4 peer of a dual-stack socket is an IPv4 peer.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

/// Sends the refusal without waiting: the line fits an empty send buffer, or is lost.
fn turn_away(stream: TcpStream, refused: Refused) {
    let Ok(mut stream) = stream.into_std() else {
        return;
    };
    let line = format!("{} {}\r\n", code::CLOSING, shown(&refused.to_string()));
    let _ = stream.write(line.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
}

fn is_the_peers_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unspecified_ipv6_address_serves_ipv4_too() {
        let listeners = bind(&["[::]:0".parse().unwrap()]).unwrap();
        let port = listeners[0].local_addr().unwrap().port();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    #[test]
    fn a_busy_port_is_named() {
        let held = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = held[0].local_addr().unwrap();
        let error = bind(&[address]).unwrap_err();
        assert!(matches!(error, Error::Listen { address: a, .. } if a == address));
    }
}
