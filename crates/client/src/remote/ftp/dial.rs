//! Where a data connection was dialled, and how it was asked for.

use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};

/// How data connections are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passive {
    Extended,
    Plain,
}

/// What the data connection attempt came to; the library only says "failed".
#[derive(Debug, Default)]
pub(super) struct DialNote(Mutex<(Option<SocketAddr>, bool)>);

impl DialNote {
    pub(super) fn edit<T>(&self, change: impl FnOnce(&mut (Option<SocketAddr>, bool)) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Connects, within the limit. Until that is taken back the connection ends by a reset, however it ends,
    /// this process killed or a reply that never comes: an end in good order is that of a whole file, be it
    /// empty, and the server would give it the name.
    pub(super) async fn connect(
        &self,
        address: SocketAddr,
        limit: Duration,
    ) -> io::Result<TcpStream> {
        self.edit(|note| *note = (Some(address), true));
        let socket = timeout(limit, TcpStream::connect(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        self.edit(|note| note.1 = false);
        socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
        Ok(socket)
    }
}
