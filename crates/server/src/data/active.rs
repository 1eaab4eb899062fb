//! Active data connections: PORT and EPRT, to the client's own address only (RFC 2577 §3: no bounce).

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream},
};

use thiserror::Error;
use tokio::net::TcpSocket;

/// Ports below this belong to services, never to a client's data connection.
const FIRST_PORT: u16 = 1024;

/// Where to connect, already checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    address: SocketAddr,
    from: IpAddr,
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

/// Checks what PORT or EPRT asked for against the control connection's two ends.
///
/// # Errors
/// [`Refused`], with the reason for the client.
pub fn check(asked: SocketAddr, peer: IpAddr, local: IpAddr) -> Result<Target, Refused> {
    let asked = SocketAddr::new(asked.ip().to_canonical(), asked.port());
    if asked.ip() != peer.to_canonical() {
        return Err(Refused::Stranger(asked.ip()));
    }
    if asked.port() < FIRST_PORT {
        return Err(Refused::LowPort(asked.port()));
    }
    Ok(Target {
        address: asked,
        from: local.to_canonical(),
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
        socket.bind(SocketAddr::new(target.from, 0))?;
    }
    socket.connect(target.address).await?.into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(asked: &str, peer: &str) -> Result<Target, Refused> {
        check(
            asked.parse().unwrap(),
            peer.parse().unwrap(),
            "127.0.0.1".parse().unwrap(),
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

    #[tokio::test]
    async fn a_checked_target_is_reached() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let target = checked(&address.to_string(), "127.0.0.1").unwrap();
        let stream = connect(target).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }
}
