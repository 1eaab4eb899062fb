//! How a data connection is asked for, and where it was dialled.

use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::net::sockopt::set_tcp_congestion;
use socket2::SockRef;
use tokio::{net::TcpStream, time::timeout};

use super::FtpRemote;
use crate::{
    error::{Phase, RemoteError},
    remote::Reply,
};

/// How data connections are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passive {
    Extended,
    Plain,
    /// PASV, with a reply that the library cannot read (RFC 1123 §4.1.2.6 allows them all).
    Odd,
}

impl Passive {
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Extended => "EPSV",
            Self::Plain | Self::Odd => "PASV",
        }
    }
}

/// What the attempt at a data connection has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dialled {
    /// Where to; `None`: nowhere yet.
    pub(super) address: Option<SocketAddr>,
    /// It did not come up, or not yet.
    is_down: bool,
}

impl Dialled {
    /// Tells whether the connection came up.
    pub(super) fn is_up(&self) -> bool {
        self.address.is_some() && !self.is_down
    }

    /// Returns the address where no connection came up.
    pub(super) fn failed_at(&self) -> Option<SocketAddr> {
        self.address.filter(|_| self.is_down)
    }
}

/// The last attempt, noted; the library only says "failed".
#[derive(Debug, Default)]
pub(super) struct DialNote(Mutex<Dialled>);

impl DialNote {
    fn held(&self) -> MutexGuard<'_, Dialled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is noted.
    pub(super) fn read(&self) -> Dialled {
        *self.held()
    }

    /// Forgets the attempt before.
    pub(super) fn clear(&self) {
        *self.held() = Dialled::default();
    }

    /// Connects, within the limit. Until that is taken back the connection ends by a reset, however it ends,
    /// this process killed or a reply that never comes: an end in good order is that of a whole file, be it
    /// empty, and the server would give it the name.
    pub(super) async fn connect(
        &self,
        address: SocketAddr,
        limit: Duration,
    ) -> io::Result<TcpStream> {
        *self.held() = Dialled {
            address: Some(address),
            is_down: true,
        };
        let socket = timeout(limit, TcpStream::connect(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        self.held().is_down = false;
        SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
        unpace(&socket, address);
        Ok(socket)
    }
}

/// Takes the pacing from a connection whose two ends are on this machine. There is no network to be spared, and
/// a system that paces by timers (BBR) sends a large file there at a third of its speed. Reno (RFC 5681) has
/// no timers, and every Linux has it.
fn unpace(socket: &TcpStream, peer: SocketAddr) {
    let local = socket.local_addr();
    if peer.ip().is_loopback() || local.is_ok_and(|local| local.ip() == peer.ip()) {
        let _unsupported = set_tcp_congestion(socket, "reno");
    }
}

impl FtpRemote {
    /// Connects to a port of the server that it has just named, within the limit.
    pub(super) async fn dial(&mut self, port: u16) -> Result<TcpStream, RemoteError> {
        let limit = self.deadlines.data_connect;
        // The address is the control connection's, with its scope.
        let peer = SockRef::from(&*self.control).peer_addr();
        let mut address = peer
            .and_then(|peer| {
                peer.as_socket()
                    .ok_or_else(|| io::ErrorKind::Unsupported.into())
            })
            .map_err(|source| RemoteError::Io {
                verb: "EPSV".to_owned(),
                source,
            })?;
        address.set_port(port);
        let connected = self.note.connect(address, limit).await;
        self.facts.data_peer = Some(address);
        connected.map_err(|source| match source.kind() {
            io::ErrorKind::TimedOut => RemoteError::Timeout {
                phase: Phase::DataConnect,
                after: limit,
            },
            _ => RemoteError::Connect {
                address: address.to_string(),
                source,
            },
        })
    }
}

/// Returns the port in `229 Entering Extended Passive Mode (|||6446|)` (RFC 2428 §3).
pub(super) fn extended_port(reply: &Reply) -> Option<u16> {
    let inside = reply.text().rsplit_once('(')?.1;
    let (inside, _) = inside.rsplit_once(')')?;
    let mark = inside.chars().next()?;
    let mut fields = inside.split(mark);
    let port = fields.nth(3)?.parse().ok()?;
    (reply.code == 229 && port > 0).then_some(port)
}

/// Returns the port in `227 Entering Passive Mode (127,0,0,1,25,46)` (RFC 1123 §4.1.2.6: with or without
/// parentheses, and blanks). The address is never believed.
pub(super) fn plain_port(reply: &Reply) -> Option<u16> {
    let parts: Vec<_> = reply.text().split(',').map(str::trim).collect();
    let text = parts.join(",");
    let numbers = text
        .split(|letter: char| !letter.is_ascii_digit() && letter != ',')
        .map(|group| group.trim_matches(','))
        .find(|group| group.split(',').count() == 6)?;
    let mut numbers = numbers.split(',').map(str::parse::<u8>);
    let (high, low) = (numbers.nth(4)?.ok()?, numbers.next()?.ok()?);
    let port = u16::from_be_bytes([high, low]);
    (reply.code == 227 && port > 0).then_some(port)
}

#[cfg(test)]
mod tests {
    use rustix::net::sockopt::tcp_congestion;

    use super::*;

    #[test]
    fn the_port_is_between_whatever_marks() {
        let port = |text: &str| extended_port(&Reply::new(229, text));
        assert_eq!(
            port("Entering Extended Passive Mode (|||6446|)"),
            Some(6446)
        );
        assert_eq!(port("(!!!21!)"), Some(21));
        assert_eq!(port("(|||0|)"), None);
        assert_eq!(port("(|||70000|)"), None);
        assert_eq!(port("nothing"), None);
        assert_eq!(port("()"), None);
        assert_eq!(extended_port(&Reply::new(500, "(|||6446|)")), None);
    }

    #[tokio::test]
    async fn within_one_machine_nothing_is_paced() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let dialled = TcpStream::connect(address).await.unwrap();
        // Not Reno from the start, wherever the system has another.
        let _only_reno = set_tcp_congestion(&dialled, "cubic");
        let own = tcp_congestion(&dialled).unwrap();
        unpace(&dialled, "192.0.2.1:21".parse().unwrap());
        assert_eq!(tcp_congestion(&dialled).unwrap(), own);
        unpace(&dialled, address);
        assert_eq!(tcp_congestion(&dialled).unwrap(), "reno");
        let note = DialNote::default();
        let noted = note.connect(address, Duration::from_secs(5)).await.unwrap();
        assert_eq!(tcp_congestion(&noted).unwrap(), "reno");
    }

    #[test]
    fn the_port_is_in_the_last_two_of_six_numbers() {
        let port = |text: &str| plain_port(&Reply::new(227, text));
        assert_eq!(port("Entering Passive Mode (127,0,0,1,25,46)."), Some(6446));
        assert_eq!(port("Entering Passive Mode 127,0,0,1,0,21"), Some(21));
        assert_eq!(port("=127,0,0,1,4,5"), Some(1029));
        assert_eq!(port("Mode,127,0,0,1,4,5"), Some(1029));
        assert_eq!(port("(127, 0 ,0,1, 4,005 ) 1, 2"), Some(1029));
        for bad in [
            "(127,0,0,1,0,0)",
            "(127,0,0,1,256,1)",
            "(1,2,3,4,5)",
            "nothing",
            "",
        ] {
            assert_eq!(port(bad), None, "{bad}");
        }
        assert_eq!(plain_port(&Reply::new(229, "(127,0,0,1,25,46)")), None);
    }
}
