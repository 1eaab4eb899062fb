//! Data connections, and the streams under them and under the control connection.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use crate::tls;

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
        match self.0 {
            Stream::Plain(stream) => drop(stream),
            Stream::Tls(mut tls) => {
                tls.conn.send_close_notify();
                tls.flush().unwrap();
                tls.sock.shutdown(std::net::Shutdown::Write).unwrap();
                let mut rest = Vec::new();
                let _ = tls.read_to_end(&mut rest);
            }
        }
    }

    /// Ends without the TLS goodbye.
    pub fn cut(self) {
        match self.0 {
            Stream::Plain(stream) => drop(stream),
            Stream::Tls(tls) => {
                let _ = tls.sock.shutdown(std::net::Shutdown::Both);
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
