//! Active data connections: PORT and EPRT, to the client's own address only (RFC 2577 §3: no bounce).

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream},
};

use thiserror::Error;
use tokio::net::TcpSocket;

use super::{end, unpace};

/// Ports below this belong to services, never to a client's data connection.
const FIRST_PORT: u16 = 1024;

/// Where to connect, already checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    address: SocketAddr,
    from: SocketAddr,
}

/// Why an address is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// Another machine's address.
    #[error("{0} is not your address; data goes to the address of the control connection only")]
    Stranger(IpAddr),
    /// A service's port.
    #[error("Port {0} is below 1024")]
    LowPort(u16),
}

/// Checks what PORT or EPRT asked for against the control connection's two ends, whose scope is that of
/// link-local addresses.
///
/// # Errors
/// [`Refused`], with the reason for the client.
pub fn check(
    asked: SocketAddr,
    peer: IpAddr,
    local: IpAddr,
    scope: u32,
) -> Result<Target, Refused> {
    let asked = SocketAddr::new(asked.ip().to_canonical(), asked.port());
    if asked.ip() != peer.to_canonical() {
        return Err(Refused::Stranger(asked.ip()));
    }
    if asked.port() < FIRST_PORT {
        return Err(Refused::LowPort(asked.port()));
    }
    Ok(Target {
        address: end(asked.ip(), asked.port(), scope),
        from: end(local, 0, scope),
    })
}

/// Connects from the address that the client dialled.
pub(super) async fn connect(target: Target) -> io::Result<TcpStream> {
    let socket = if target.address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if target.from.is_ipv4() == target.address.is_ipv4() {
        socket.bind(target.from)?;
    }
    unpace(&socket, target.from.ip(), target.address.ip());
    socket.connect(target.address).await?.into_std()
}

#[cfg(test)]
mod tests {
    use rustix::net::sockopt::tcp_congestion;

    use super::*;

    fn checked(asked: &str, peer: &str) -> Result<Target, Refused> {
        check(
            asked.parse().unwrap(),
            peer.parse().unwrap(),
            "127.0.0.1".parse().unwrap(),
            0,
        )
    }

    #[test]
    fn only_the_clients_own_address_and_high_ports() {
        assert!(checked("10.0.0.7:1024", "10.0.0.7").is_ok());
        assert!(checked("10.0.0.7:5000", "::ffff:10.0.0.7").is_ok());
        let other = checked("10.0.0.8:5000", "10.0.0.7");
        assert_eq!(other, Err(Refused::Stranger("10.0.0.8".parse().unwrap())));
        assert_eq!(
            checked("10.0.0.7:22", "10.0.0.7"),
            Err(Refused::LowPort(22))
        );
    }

    #[test]
    fn a_link_local_client_is_reached_on_its_own_network() {
        let (asked, peer, local) = ("[fe80::7]:5000", "fe80::7", "fe80::1");
        let ends = (asked.parse(), peer.parse(), local.parse());
        let target = check(ends.0.unwrap(), ends.1.unwrap(), ends.2.unwrap(), 3).unwrap();
        assert_eq!(target.address, "[fe80::7%3]:5000".parse().unwrap());
        assert_eq!(target.from, "[fe80::1%3]:0".parse().unwrap());
    }

    #[tokio::test]
    async fn a_checked_target_is_reached() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let target = checked(&address.to_string(), "127.0.0.1").unwrap();
        let stream = connect(target).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        assert_eq!(tcp_congestion(&stream).unwrap(), "reno");
    }
}
