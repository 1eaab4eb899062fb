//! A data connection on a blocking thread.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::ServerConnection;

use crate::data::{
    brake::Brake,
    meter::{Broken, network},
    patience::{self, patiently},
    secure::Tls,
};

/// A data connection on a blocking thread.
#[derive(Debug)]
pub struct Conduit {
    pub(super) socket: Arc<TcpStream>,
    pub(super) tls: Option<Tls>,
}

impl Conduit {
    /// Takes a data connection to this thread; `stalled` limits every read and write on it.
    ///
    /// # Errors
    /// What the socket says.
    pub fn new(
        socket: TcpStream,
        tls: Option<Box<ServerConnection>>,
        stalled: Duration,
        brake: &Brake,
    ) -> io::Result<Self> {
        let limit = (!stalled.is_zero()).then_some(stalled);
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(limit)?;
        socket.set_write_timeout(limit.map(patience::part))?;
        let socket = Arc::new(socket);
        brake.watch(&socket);
        let tls = tls.map(|connection| Tls::new(Arc::clone(&socket), connection));
        Ok(Self { socket, tls })
    }

    /// Tells whether the bytes go through TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn send(&mut self, block: &[u8]) -> Result<(), Broken> {
        let sent = match &mut self.tls {
            Some(tls) => tls.send(block),
            None => write_all(&self.socket, block),
        };
        sent.map_err(network)
    }

    pub(super) fn receive(&mut self, block: &mut [u8]) -> Result<usize, Broken> {
        loop {
            let read = match &mut self.tls {
                Some(tls) => tls.receive(block),
                None => (&*self.socket).read(block),
            };
            match read {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(network),
            }
        }
    }

    /// Says goodbye on the data connection. What the client makes of it is its own affair: the
    /// bytes are moved, so a failure here is not one of the transfer.
    pub fn close(mut self) -> Arc<TcpStream> {
        let _ = match &mut self.tls {
            Some(tls) => tls.finish(),
            None => self.socket.shutdown(Shutdown::Write),
        };
        self.socket
    }
}

fn write_all(mut socket: &TcpStream, mut block: &[u8]) -> io::Result<()> {
    while !block.is_empty() {
        let sent = patiently(|| socket.write(block))?;
        block = &block[sent..];
    }
    Ok(())
}
