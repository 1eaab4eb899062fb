//! A port of loopback that is kept for one test: bound, so that no other program is given it, and
//! not listening, so that a connect is refused until the one it is kept for listens there.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::OwnedFd,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with,
        sockopt::set_socket_reuseaddr,
    },
};

/// A kept port; dropping it gives it back. A server that sets `SO_REUSEADDR`, as all do, may listen
/// on it meanwhile, and again after it ended.
#[derive(Debug)]
pub struct Kept {
    /// Where it is.
    pub address: SocketAddr,
    _socket: OwnedFd,
}

impl Kept {
    /// Keeps a port that is free on 127.0.0.1.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn new() -> Self {
        Self::at(0).unwrap()
    }

    /// Keeps this many ports in a row, the lowest first.
    #[must_use]
    pub fn row(count: u16) -> Vec<Self> {
        loop {
            let first = Self::new();
            let next = first.address.port().saturating_add(1);
            let others = (1..count).map_while(|n| Self::at(next.saturating_add(n - 1)).ok());
            let row: Vec<_> = std::iter::once(first).chain(others).collect();
            if row.len() == usize::from(count) {
                return row;
            }
        }
    }

    fn at(port: u16) -> Result<Self, Errno> {
        let socket = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        );
        let socket = socket?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        // Not before: two that keep would share a port.
        set_socket_reuseaddr(&socket, true)?;
        Ok(Self {
            address: getsockname(&socket)?.try_into()?,
            _socket: socket,
        })
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::new()
    }
}
