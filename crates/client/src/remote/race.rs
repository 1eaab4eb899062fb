//! From a host name to a connected socket: all addresses, staggered, the first one wins
//! (RFC 8305).

use std::{io, net::SocketAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::error::{Phase, RemoteError};

/// How long one address is waited for before the next is tried as well.
const STAGGER: Duration = Duration::from_millis(250);

/// Connects within the limit, name lookup included.
pub(super) async fn connect(
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, RemoteError> {
    let socket =
        timeout(limit, try_all(host, port))
            .await
            .unwrap_or(Err(RemoteError::Timeout {
                phase: Phase::Connect,
                after: limit,
            }))?;
    tune(&socket);
    Ok(socket)
}

/// A dead peer is noticed within two minutes, and no command waits for an acknowledgement.
pub(super) fn tune(socket: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(15))
        .with_retries(5);
    let _unsupported = SockRef::from(socket).set_tcp_keepalive(&keepalive);
    let _unsupported = socket.set_nodelay(true);
}

async fn try_all(host: &str, port: u16) -> Result<TcpStream, RemoteError> {
    let resolve = |source| RemoteError::Resolve {
        host: host.to_owned(),
        source,
    };
    let addresses = lookup_host((host, port)).await.map_err(resolve)?;
    let mut waiting = interleave(addresses.collect()).into_iter();
    let Some(first) = waiting.next() else {
        return Err(resolve(io::ErrorKind::NotFound.into()));
    };
    let mut running = JoinSet::new();
    let mut last = (first, io::Error::from(io::ErrorKind::NotConnected));
    spawn(&mut running, first);
    loop {
        let more = waiting.len() > 0;
        tokio::select! {
            Some(done) = running.join_next() => match done {
                Ok((_, Ok(socket))) => return Ok(socket),
                Ok((address, Err(error))) => {
                    last = (address, error);
                    if let Some(next) = waiting.next() {
                        spawn(&mut running, next);
                    }
                }
                Err(_) => {}
            },
            () = sleep(STAGGER), if more => {
                if let Some(next) = waiting.next() {
                    spawn(&mut running, next);
                }
            }
            else => {
                return Err(RemoteError::Connect {
                    address: last.0.to_string(),
                    source: last.1,
                });
            }
        }
    }
}

fn spawn(running: &mut JoinSet<(SocketAddr, io::Result<TcpStream>)>, address: SocketAddr) {
    running.spawn(async move { (address, TcpStream::connect(address).await) });
}

/// Puts the families in turns, the resolver's favourite first.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (favourite, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut other = other.into_iter();
    let mut mixed = Vec::new();
    for address in favourite {
        mixed.push(address);
        mixed.extend(other.next());
    }
    mixed.extend(other);
    mixed
}

#[cfg(test)]
mod tests {
    use socket2::{Domain, Socket, Type};

    use super::*;

    #[test]
    fn the_families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        let given = parse(&["[::1]:21", "[::2]:21", "[::3]:21", "1.1.1.1:21"]);
        let wanted = parse(&["[::1]:21", "1.1.1.1:21", "[::2]:21", "[::3]:21"]);
        assert_eq!(interleave(given), wanted);
        assert_eq!(interleave(Vec::new()), Vec::new());
    }

    #[tokio::test]
    async fn a_refused_port_is_told_with_its_address() {
        // Bound and not listening: nobody else is given the port meanwhile.
        let kept = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        kept.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        let port = kept.local_addr().unwrap().as_socket().unwrap().port();
        let error = connect("127.0.0.1", port, Duration::from_secs(5))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert_eq!(text, format!("connect to 127.0.0.1:{port}"));
    }
}
