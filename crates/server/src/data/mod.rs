//! The data connection: how it is opened, who may be at its other end, and the bytes through it.
//!
//! `verbs` opens one with a [`Pending`] made by PASV or PORT and moves bytes with [`inline`] (small
//! files, on the session's task) or [`pump`] (everything else, on one blocking thread from the
//! first byte to the last); [`Brake`] is how the session stops it. Nothing here speaks on the
//! control connection.

pub mod active;
pub mod brake;
pub mod inline;
pub mod passive;
pub mod pump;
pub mod secure;
mod stride;
pub mod text;

use std::{io, net::IpAddr, net::TcpStream, time::Duration};

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
