//! TLS on data connections: the handshake under its deadline, then the connection as a blocking
//! thread drives it, in large blocks.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::Arc,
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, poll},
    io::retry_on_intr,
};
use rustls::{ServerConfig, ServerConnection};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::patience::patiently;

/// Bytes read from the socket at once: many TLS records a system call.
const PREFETCH: usize = 256 << 10;
/// So many from a client that fills the buffer: each read is acknowledged, and wakes it.
const MOST_PREFETCH: usize = 1 << 20;
/// Encrypted bytes that may wait for the socket.
const SEND_LIMIT: usize = 2 << 20;

/// Shakes hands on a data connection.
///
/// # Errors
/// What rustls says (the client spoke plain, refused the certificate), or `TimedOut`.
pub async fn handshake(
    socket: TcpStream,
    config: Arc<ServerConfig>,
    limit: Duration,
) -> io::Result<TlsStream<tokio::net::TcpStream>> {
    socket.set_nodelay(true)?;
    let socket = tokio::net::TcpStream::from_std(socket)?;
    let stream = timeout(limit, TlsAcceptor::from(config).accept(socket))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    acknowledge(stream.get_ref().0);
    Ok(stream)
}

/// Acknowledges at once what was read. A client that leaves Nagle's algorithm on holds the next
/// small record back until then, and the kernel would wait 40 ms for something to send along.
fn acknowledge(socket: impl AsFd) {
    let _unsupported = rustix::net::sockopt::set_tcp_quickack(socket, true);
}

/// A TLS data connection on a blocking thread.
#[derive(Debug)]
pub struct Tls {
    socket: Arc<TcpStream>,
    connection: Box<ServerConnection>,
    prefetch: Vec<u8>,
    taken: usize,
    /// The client has said that nothing more comes.
    is_over: bool,
}

impl Tls {
    /// Takes over after the handshake; `socket` must block.
    #[must_use]
    pub fn new(socket: Arc<TcpStream>, mut connection: Box<ServerConnection>) -> Self {
        connection.set_buffer_limit(Some(SEND_LIMIT));
        Self {
            socket,
            connection,
            prefetch: Vec::new(),
            taken: 0,
            is_over: false,
        }
    }

    /// Sends a block.
    ///
    /// # Errors
    /// What the socket says; `WouldBlock` when it made no progress for its time limit.
    pub fn send(&mut self, mut block: &[u8]) -> io::Result<()> {
        while !block.is_empty() {
            let taken = self.connection.writer().write(block)?;
            block = &block[taken..];
            self.flush()?;
        }
        Ok(())
    }

    /// Says that nothing more comes (close_notify), which Python's ftplib waits for.
    ///
    /// # Errors
    /// What the socket says.
    pub fn finish(&mut self) -> io::Result<()> {
        self.connection.send_close_notify();
        self.flush()?;
        self.socket.shutdown(Shutdown::Write)
    }

    /// Reads into `block`; 0 is the end that the client announced.
    ///
    /// # Errors
    /// `UnexpectedEof` when the connection ended without close_notify (RFC 4217 §12.4: truncation).
    pub fn receive(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(block) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            self.fetch()?;
            let state = self.connection.process_new_packets();
            let state = state.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
            self.is_over = state.peer_has_closed();
            if self.connection.wants_write() {
                self.flush()?;
            }
        }
    }

    /// Tells whether the next [`Tls::receive`] has something to begin with: the client's end, bytes that were read
    /// ahead, or some that come within `limit`.
    pub fn is_ready(&self, limit: Duration) -> bool {
        if self.is_over || self.taken < self.prefetch.len() {
            return true;
        }
        let wait = Timespec::try_from(limit).unwrap_or_default();
        let mut fds = [PollFd::new(&*self.socket, PollFlags::IN)];
        // What cannot be asked is found out by the read.
        retry_on_intr(|| poll(&mut fds, Some(&wait))) != Ok(0)
    }

    /// Gives rustls bytes that were read ahead. An end of stream is told to rustls too, which then
    /// knows whether it was announced.
    fn fetch(&mut self) -> io::Result<()> {
        if self.taken == self.prefetch.len() {
            let room = self.prefetch.capacity();
            let is_fast = room > 0 && self.prefetch.len() == room;
            let wanted = if is_fast { room * 2 } else { PREFETCH };
            self.taken = 0;
            self.prefetch.clear();
            self.prefetch.reserve(wanted.min(MOST_PREFETCH));
            let prefetch = &mut self.prefetch;
            retry_on_intr(|| rustix::io::read(&*self.socket, spare_capacity(prefetch)))?;
        }
        let mut rest = &self.prefetch[self.taken..];
        self.taken += self.connection.read_tls(&mut rest)?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.connection.wants_write() {
            if patiently(|| self.connection.write_tls(&mut &*self.socket))? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}
