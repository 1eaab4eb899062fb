//! Where a share listens.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use ftp_config::defaults::PORT;

use crate::{error::Error, listen};

/// How many ports are tried before a free one is taken.
const PORTS_TRIED: u16 = 20;

/// Binds the port asked for, or the first free one; both IP families where the system has both.
pub(super) fn listeners(
    address: Option<IpAddr>,
    port: Option<u16>,
) -> Result<Vec<TcpListener>, Error> {
    let everywhere = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
    let hosts: Vec<IpAddr> = address.map_or(everywhere.to_vec(), |address| vec![address]);
    let ports: Vec<u16> = match port {
        Some(port) => vec![port],
        None => (PORT..PORT + PORTS_TRIED).chain([0]).collect(),
    };
    let mut last = Error::Failed("no port is free".to_owned());
    for port in ports {
        for host in &hosts {
            match listen::bind(&[SocketAddr::new(*host, port)]) {
                Ok(listeners) => return Ok(listeners),
                Err(Error::Listen { address, source }) => {
                    let is_busy = source.kind() == io::ErrorKind::AddrInUse;
                    last = Error::Listen { address, source };
                    if is_busy {
                        break;
                    }
                }
                Err(other) => return Err(other),
            }
        }
    }
    Err(last)
}

/// There is no file whose `server.listen` could be changed.
pub(super) fn name_the_flag(error: Error, asked_for: Option<u16>) -> Error {
    match (asked_for, error) {
        (_, Error::Listen { address, source })
            if source.kind() == io::ErrorKind::AddrNotAvailable =>
        {
            Error::Failed(format!(
                "{} is not an address of this machine (`ip address` lists them): name another with \
                 `--address`, or leave it out and all are listened on",
                address.ip()
            ))
        }
        (Some(port), Error::Listen { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
            Error::Failed(format!(
                "another program has port {port}: name another with `--port`, or leave it out and a \
                 free one is taken"
            ))
        }
        (_, error) => error,
    }
}

pub(super) fn local_addresses(listeners: &[TcpListener]) -> Result<Vec<SocketAddr>, Error> {
    listeners
        .iter()
        .map(TcpListener::local_addr)
        .collect::<io::Result<_>>()
        .map_err(Error::system("use the listening sockets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_port_is_taken_unless_one_is_asked_for() {
        let loopback = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let held = listeners(loopback, None).unwrap();
        let port = held[0].local_addr().unwrap().port();
        let next = listeners(loopback, None).unwrap();
        assert_ne!(next[0].local_addr().unwrap().port(), port);
        let error = listeners(loopback, Some(port)).unwrap_err();
        assert!(matches!(error, Error::Listen { .. }), "{error}");
    }

    #[test]
    fn an_address_that_is_not_ours_is_told_with_the_flag() {
        let refused = Error::Listen {
            address: "192.0.2.1:2121".parse().unwrap(),
            source: io::ErrorKind::AddrNotAvailable.into(),
        };
        let error = name_the_flag(refused, None).to_string();
        assert!(
            error.starts_with("192.0.2.1 is not an address of this"),
            "{error}"
        );
        assert!(error.contains("`--address`"), "{error}");
    }
}
