//! One open port: the connection of its session's client is taken, strangers are turned away.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::SockRef;
use tokio::net::TcpListener;
use tracing::warn;

use super::Lease;

/// An open passive listener; good for one connection.
#[derive(Debug)]
pub struct Listener {
    // Declared first: the socket closes before its port is given back.
    pub(super) socket: std::net::TcpListener,
    pub(super) lease: Lease,
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Listener {
    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.lease.port
    }

    /// Waits for a connection from `peer`. Strangers are closed and logged, the listener stays.
    ///
    /// Clients connect before they send the transfer command, so the connection is mostly there
    /// already: the runtime is asked to wait only when it is not.
    ///
    /// # Errors
    /// What accept says.
    pub async fn accept_from(self, peer: IpAddr) -> io::Result<TcpStream> {
        let peer = peer.to_canonical();
        // The last one drops first: the port is free before those who wait for it are told.
        let Self { lease, socket } = self;
        loop {
            match accept_now(&socket) {
                Ok((stream, from)) if is_peer(from, peer, lease.port) => return Ok(stream),
                Ok((stranger, _)) => turn_away(&stranger),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if passes(&e) => {}
                Err(e) => return Err(e),
            }
        }
        let socket = TcpListener::from_std(socket)?;
        loop {
            match socket.accept().await {
                Ok((stream, from)) if is_peer(from, peer, lease.port) => return stream.into_std(),
                Ok((stranger, _)) => turn_away(&stranger.into_std()?),
                Err(e) if passes(&e) => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// Ends it by a reset: to a server that was sent here (FXP) an orderly end would be that of a file.
pub(super) fn turn_away(stranger: &TcpStream) {
    let _closed_anyhow = SockRef::from(stranger).set_linger(Some(Duration::ZERO));
}

/// Accepts a socket that does not block, in one system call.
pub(super) fn accept_now(socket: &std::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (stream, from) = acceptfrom_with(socket, flags)?;
    let from = from
        .and_then(|from| SocketAddr::try_from(from).ok())
        .ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((stream.into(), from))
}

fn is_peer(from: SocketAddr, peer: IpAddr, port: u16) -> bool {
    let is_peer = from.ip().to_canonical() == peer;
    if !is_peer {
        warn!(stranger = %from, %peer, port, "data connection from a stranger closed");
    }
    is_peer
}

/// Tells whether accept can be asked again: a client connected and reset before we came, or a
/// signal came.
fn passes(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}
