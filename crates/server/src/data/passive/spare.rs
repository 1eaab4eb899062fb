//! One listener that is opened ahead, for the next PASV or EPSV of a client that is the only busy one.
//!
//! Such a client asks for the next port a moment after its last transfer has ended, and a port takes five
//! system calls. They are made while the client still wakes up. The spare belongs to the station's thread, which
//! closes it 5 ms behind the last event (`vigil`), so that no port stands open for a client that sleeps, and none
//! is missing from a small range.

use std::{
    cell::RefCell,
    net::{IpAddr, SocketAddr},
};

use ftp_config::PortRange;

use super::listener::{Listener, accept_now, turn_away};

/// Whom a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct For {
    /// The session's own address; the port does not count.
    pub local: SocketAddr,
    /// The client's.
    pub peer: IpAddr,
}

thread_local! {
    static SPARE: RefCell<Option<(Listener, For)>> = const { RefCell::new(None) };
}

/// Keeps a listener for whom it was opened, in the place of the one before.
pub fn keep(listener: Listener, whom: For) {
    SPARE.set(Some((listener, whom)));
}

/// Closes the calling thread's spare.
pub fn close() {
    SPARE.set(None);
}

/// Takes the calling thread's spare, if it is for `whom`, in `range`, and nobody has come yet: who connected
/// before the port was told has guessed it.
pub fn take(whom: For, range: PortRange) -> Option<Listener> {
    let (listener, kept_for) = SPARE.take()?;
    if kept_for != whom || !range.ports().contains(&listener.port()) {
        return None;
    }
    match accept_now(&listener.socket) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Some(listener),
        Ok((guesser, _)) => {
            turn_away(&guesser);
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, net::TcpStream, sync::Arc};

    use super::*;
    use crate::{data::PassivePorts, port::Kept};

    const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
    const WHOM: For = For {
        local: LOCAL,
        peer: LOCAL.ip(),
    };

    fn range_of(kept: &[Kept]) -> PortRange {
        let first = kept[0].address.port();
        let last = kept[kept.len() - 1].address.port();
        format!("{first}-{last}").parse().unwrap()
    }

    /// Keeps a spare out of `range`, and returns its port.
    fn kept(ports: &Arc<PassivePorts>, range: PortRange) -> u16 {
        let listener = ports.listen_now(LOCAL, range).unwrap();
        let port = listener.port();
        keep(listener, WHOM);
        port
    }

    #[test]
    fn a_spare_is_for_its_client_and_range_alone_and_only_once() {
        let (one, other) = (Kept::row(2), Kept::row(2));
        let (range, elsewhere) = (range_of(&one), range_of(&other));
        let ports = Arc::new(PassivePorts::default());
        let port = kept(&ports, range);
        assert_eq!(take(WHOM, range).map(|it| it.port()), Some(port));
        assert!(take(WHOM, range).is_none());

        let stranger = For {
            peer: "127.0.0.2".parse().unwrap(),
            ..WHOM
        };
        for (whom, range_now) in [(stranger, range), (WHOM, elsewhere)] {
            kept(&ports, range);
            assert!(take(whom, range_now).is_none(), "{whom:?} {range_now}");
            assert_eq!(ports.lent(), 0, "what is not taken is closed");
        }
    }

    #[test]
    fn a_spare_that_is_closed_gives_its_port_back() {
        let row = Kept::row(2);
        let ports = Arc::new(PassivePorts::default());
        kept(&ports, range_of(&row));
        assert_eq!(ports.lent(), 1);
        close();
        assert_eq!(ports.lent(), 0);
    }

    #[test]
    fn who_connects_before_the_port_is_told_gets_nothing() {
        let row = Kept::row(2);
        let range = range_of(&row);
        let ports = Arc::new(PassivePorts::default());
        let port = kept(&ports, range);
        let mut guesser = TcpStream::connect((LOCAL.ip(), port)).unwrap();
        assert!(take(WHOM, range).is_none());
        let ended = guesser.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(ended, Err(std::io::ErrorKind::ConnectionReset));
    }
}
