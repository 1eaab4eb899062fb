//! Data connections, and the streams under them and under the control connection.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

use super::{Reply, Wire};
use crate::{tls, wait::LONGEST};

/// What carries the bytes of a connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<tls::Tls>),
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buf),
            Self::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buf),
            Self::Tls(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A data connection.
pub struct Data(pub(super) Stream);

impl Data {
    /// Tells whether its TLS session is one of before, resumed.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        match &self.0 {
            Stream::Plain(_) => false,
            Stream::Tls(tls) => tls.conn.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
        }
    }

    /// Reads so many bytes.
    #[track_caller]
    pub fn read(&mut self, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        self.0.read_exact(&mut buffer).unwrap();
        buffer
    }

    /// Reads to the end; with TLS, to the end that the other side announced.
    #[track_caller]
    pub fn read_all(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Reads until the other side ends, in whatever way, and counts.
    #[must_use]
    pub fn drain(mut self) -> usize {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes);
        bytes.len()
    }

    /// Writes some bytes.
    #[track_caller]
    pub fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }

    /// Writes bytes and ends as one should: close_notify, then FIN; waits for the server's end.
    #[track_caller]
    pub fn write_whole(mut self, bytes: &[u8]) {
        self.write(bytes);
        self.end();
        if let Stream::Tls(mut tls) = self.0 {
            let mut rest = Vec::new();
            let _ = tls.read_to_end(&mut rest);
        }
    }

    /// Writes bytes and ends, where the other side may have refused and closed before it.
    pub fn offer(mut self, bytes: &[u8]) {
        let _refused = self.0.write_all(bytes).and_then(|()| self.0.flush());
    }

    /// Says that nothing more comes, as one should: close_notify, then FIN.
    #[track_caller]
    pub fn end(&mut self) {
        let socket = match &mut self.0 {
            Stream::Plain(stream) => stream,
            Stream::Tls(tls) => {
                tls.conn.send_close_notify();
                tls.flush().unwrap();
                &mut tls.sock
            }
        };
        socket.shutdown(Shutdown::Write).unwrap();
    }

    /// Ends without the TLS goodbye.
    pub fn cut(self) {
        match self.0 {
            Stream::Plain(stream) => drop(stream),
            Stream::Tls(tls) => {
                let _ = tls.sock.shutdown(Shutdown::Both);
            }
        }
    }

    /// Ends with a reset (RST).
    pub fn reset(self) {
        reset(&self.0);
    }
}

/// Makes the end of the connection a reset.
pub(super) fn reset(stream: &Stream) {
    let stream = match stream {
        Stream::Plain(stream) => stream,
        Stream::Tls(tls) => &tls.sock,
    };
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(std::time::Duration::ZERO));
}

impl Wire {
    /// Asks for a passive data connection (EPSV) and opens it; TLS comes with [`Wire::guard`].
    #[track_caller]
    pub fn passive(&mut self) -> TcpStream {
        let port = self.epsv();
        self.dial(port)
    }

    /// Asks for a passive data connection (EPSV) without opening it; returns its port.
    #[track_caller]
    pub fn epsv(&mut self) -> u16 {
        let reply = self.expect("EPSV", 229);
        let port = reply.text().split('|').nth(3).unwrap().parse();
        port.unwrap()
    }

    /// Opens a data connection to a port of the server.
    #[track_caller]
    pub fn dial(&self, port: u16) -> TcpStream {
        let mut address = self.peer;
        address.set_port(port);
        let data = TcpStream::connect_timeout(&address, LONGEST).unwrap();
        data.set_read_timeout(Some(LONGEST)).unwrap();
        data.set_write_timeout(Some(LONGEST)).unwrap();
        data.set_nodelay(true).unwrap();
        data
    }

    /// Listens for an active data connection and says so to the server (PORT).
    #[track_caller]
    pub fn active(&mut self) -> TcpListener {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        self.expect(&format!("PORT 127,0,0,1,{},{}", port >> 8, port & 255), 200);
        listener
    }

    /// Makes a data connection of a socket: with TLS when PROT P was agreed.
    #[track_caller]
    pub fn guard(&self, data: TcpStream) -> Data {
        match &self.tls {
            Some(config) if self.private => {
                Data(Stream::Tls(Box::new(tls::shake(config, data).unwrap())))
            }
            _ => Data(Stream::Plain(data)),
        }
    }

    /// Fetches or lists over a passive connection; the reply at the end is 226.
    #[track_caller]
    pub fn fetch(&mut self, command: &str) -> Vec<u8> {
        let data = self.passive();
        self.expect_any(command, &[125, 150]);
        let bytes = self.guard(data).read_all();
        self.code(226);
        bytes
    }

    /// Lists over a passive connection, as lines.
    #[track_caller]
    pub fn list(&mut self, command: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.fetch(command)).into_owned();
        text.lines().map(str::to_owned).collect()
    }

    /// Stores over a passive connection; the reply at the end is 226.
    #[track_caller]
    pub fn store(&mut self, command: &str, bytes: &[u8]) -> Reply {
        let data = self.passive();
        self.expect_any(command, &[125, 150]);
        self.guard(data).write_whole(bytes);
        self.code(226)
    }
}
