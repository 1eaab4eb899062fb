//! The data connection: how it is opened, who may be at its other end, and the bytes through it.
//!
//! `verbs` opens one with a [`Pending`] made by PASV or PORT and moves bytes with [`inline`] (small
//! files, on the session's task) or [`pump`] (everything else, on one blocking thread from the
//! first byte to the last), or through a [`link`] that stays open between files (MODE B);
//! [`Brake`] is how the session stops it. Nothing here speaks on the control connection.

pub mod active;
pub mod block;
pub mod brake;
pub mod inline;
pub mod link;
pub mod meter;
pub mod passive;
pub mod pump;
pub mod secure;
mod stride;
pub mod text;

use std::{
    io,
    net::{IpAddr, SocketAddr, SocketAddrV6, TcpStream},
    time::Duration,
};

use tokio::time::timeout;

pub use brake::Brake;
pub use passive::{Listener, PassivePorts};

/// Where the next data connection comes from.
#[derive(Debug)]
pub enum Pending {
    /// The client connects to this listener.
    Passive(Listener),
    /// We connect to the client.
    Active(active::Target),
}

/// Opens the data connection: from or to `peer` only, in `limit`. The socket does not block.
///
/// # Errors
/// What the socket says, or `TimedOut`.
pub async fn open(pending: Pending, peer: IpAddr, limit: Duration) -> io::Result<TcpStream> {
    let opened = match pending {
        Pending::Passive(listener) => timeout(limit, listener.accept_from(peer)).await,
        Pending::Active(target) => timeout(limit, active::connect(target)).await,
    };
    opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Returns an end of a data connection on the network of the control connection: a link-local address
/// (`fe80::`) means nothing without its `scope` (RFC 4007 §6).
#[must_use]
pub fn end(ip: IpAddr, port: u16, scope: u32) -> SocketAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, scope).into(),
        ip => SocketAddr::new(ip, port),
    }
}
