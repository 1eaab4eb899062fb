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
mod patience;
pub mod pump;
pub mod secure;
mod stride;
pub mod text;

use std::{
    io,
    net::{IpAddr, SocketAddr, SocketAddrV6, TcpStream},
    os::fd::AsFd,
    time::Duration,
};

use rustix::net::sockopt::{set_tcp_congestion, set_tcp_cork};
use tokio::time::timeout;

pub use brake::Brake;
pub use passive::{Listener, PassivePorts, spare};

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

/// Takes the pacing from a data connection, or from those that a listener will accept, where both ends are on
/// this machine. There is no network to be spared, and a system that paces by timers (BBR) sends a large
/// file there at a third of its speed. Reno (RFC 5681) has no timers, and every Linux has it.
pub fn unpace(socket: impl AsFd, local: IpAddr, peer: IpAddr) {
    let (local, peer) = (local.to_canonical(), peer.to_canonical());
    if peer.is_loopback() || peer == local {
        let _unsupported = set_tcp_congestion(socket, "reno");
    }
}

/// Lets bytes wait until they fill a segment or the connection ends (200 ms at most): a file goes in a third
/// fewer segments, and its last byte travels with the end.
fn fill_segments(socket: impl AsFd) {
    let _unsupported = set_tcp_cork(socket, true);
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

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        sync::Arc,
        thread,
    };

    use rustix::net::sockopt::{tcp_congestion, tcp_cork};

    use super::{inline::Sent, meter::Meter, *};
    use crate::share::throttle::Throttle;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How both ends of a connection send, whose listener lies between `local` and `peer`.
    fn sends_by(local: &str, peer: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Not Reno from the start, wherever the system has another.
        let _only_reno = set_tcp_congestion(&listener, "cubic");
        unpace(&listener, ip(local), ip(peer));
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        tcp_congestion(listener.accept().unwrap().0).unwrap()
    }

    #[test]
    fn only_within_one_machine_nothing_is_paced() {
        assert_eq!(sends_by("127.0.0.1", "127.0.0.2"), "reno");
        assert_eq!(sends_by("::1", "::1"), "reno");
        assert_eq!(sends_by("192.0.2.1", "::ffff:192.0.2.1"), "reno");
        let own = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let _only_reno = set_tcp_congestion(&listener, "cubic");
            tcp_congestion(&listener).unwrap()
        };
        assert_eq!(sends_by("192.0.2.1", "192.0.2.2"), own);
    }

    #[test]
    fn what_a_thread_goes_on_with_leaves_in_full_segments() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let size = 2 * inline::SMALL;
        file.write_all(&vec![b'x'; size as usize]).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let meter = Meter {
            brake: Arc::new(Brake::default()),
            moving: None,
            throttle: Throttle::default(),
        };
        let Sent::Part(sent, socket) = inline::send_file(socket, &file, size, &meter).unwrap()
        else {
            panic!("the file is not small");
        };
        assert!(tcp_cork(&socket).unwrap());
        set_tcp_cork(&socket, false).unwrap();
        let reader = thread::spawn(move || client.read_to_end(&mut Vec::new()).unwrap() as u64);
        let mut conduit = pump::Conduit::new(socket, None, Duration::ZERO, &meter.brake).unwrap();
        let rest = pump::send_file(&mut conduit, &file, &meter).unwrap();
        assert_eq!(sent + rest, size);
        let socket = conduit.close();
        assert!(tcp_cork(&*socket).unwrap());
        // Its end, and with it the last bytes, has left all the same.
        assert_eq!(reader.join().unwrap(), size);
    }
}
