//! A raw control connection: what is sent is what the test says, to the byte.

mod data;

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::ClientConfig;

pub use self::data::Data;
use self::data::{Stream, reset};
use crate::{site::PASSWORD, tls, wait::LONGEST};

/// A reply: its code and all its lines, as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// Every line without its end.
    pub lines: Vec<String>,
}

impl Reply {
    /// Returns all lines joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// A control connection.
pub struct Wire {
    stream: Stream,
    peer: SocketAddr,
    buffer: Vec<u8>,
    tls: Option<Arc<ClientConfig>>,
    private: bool,
}

impl Wire {
    /// Connects and reads the greeting.
    #[must_use]
    #[track_caller]
    pub fn open(peer: SocketAddr) -> Self {
        let mut wire = Self::connect(peer);
        let greeting = wire.reply();
        assert_eq!(greeting.code, 220, "{greeting:?}");
        wire
    }

    /// Connects and reads nothing.
    #[must_use]
    #[track_caller]
    pub fn connect(peer: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&peer, LONGEST).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream.set_write_timeout(Some(LONGEST)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: Stream::Plain(stream),
            peer,
            buffer: Vec::new(),
            tls: None,
            private: false,
        }
    }

    /// Logs in with the password of every site's users.
    #[track_caller]
    pub fn login(&mut self, user: &str) {
        self.expect(&format!("USER {user}"), 331);
        self.expect(&format!("PASS {PASSWORD}"), 230);
    }

    /// Goes over to TLS, data connections too.
    #[track_caller]
    pub fn secure(&mut self, config: &Arc<ClientConfig>) {
        self.expect("AUTH TLS", 234);
        self.shake(config).unwrap();
        self.expect("PBSZ 0", 200);
        self.expect("PROT P", 200);
        self.private = true;
    }

    /// Shakes hands on the control connection.
    ///
    /// # Errors
    /// The handshake failed.
    pub fn shake(&mut self, config: &Arc<ClientConfig>) -> io::Result<()> {
        let Stream::Plain(plain) = &self.stream else {
            return Ok(());
        };
        let stream = tls::shake(config, plain.try_clone()?)?;
        self.stream = Stream::Tls(Box::new(stream));
        self.tls = Some(Arc::clone(config));
        Ok(())
    }

    /// Makes data connections plain (`false`) or TLS (`true`), whatever was agreed.
    pub fn protect_data(&mut self, private: bool) {
        self.private = private;
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
        self.stream.flush().unwrap();
    }

    /// Sends a line.
    #[track_caller]
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\r\n").as_bytes());
    }

    /// Sends a line and returns the reply.
    #[track_caller]
    pub fn command(&mut self, line: &str) -> Reply {
        self.send(line);
        self.reply()
    }

    /// Sends a line and requires a code.
    #[track_caller]
    pub fn expect(&mut self, line: &str, code: u16) -> Reply {
        let reply = self.command(line);
        assert_eq!(reply.code, code, "{line}: {}", reply.text());
        reply
    }

    /// Sends a line and requires one of several codes.
    #[track_caller]
    pub fn expect_any(&mut self, line: &str, codes: &[u16]) -> Reply {
        let reply = self.command(line);
        assert!(
            codes.contains(&reply.code),
            "{line}: {} is not in {codes:?}",
            reply.text()
        );
        reply
    }

    /// Reads a reply and requires a code.
    #[track_caller]
    pub fn code(&mut self, code: u16) -> Reply {
        let reply = self.reply();
        assert_eq!(reply.code, code, "{}", reply.text());
        reply
    }

    /// Reads a whole reply (RFC 959 §4.2).
    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        self.try_reply()
            .unwrap_or_else(|error| panic!("no reply: {error}"))
    }

    /// Reads a whole reply; an error when the connection ends.
    ///
    /// # Errors
    /// The end of the connection, or what the system says.
    pub fn try_reply(&mut self) -> io::Result<Reply> {
        let first = self.line()?;
        let code: u16 = first
            .get(..3)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        let mut lines = vec![first.clone()];
        if first.as_bytes().get(3) == Some(&b'-') {
            let end = format!("{code} ");
            while !lines.last().is_some_and(|line| line.starts_with(&end)) {
                let line = self.line()?;
                lines.push(line);
            }
        }
        Ok(Reply { code, lines })
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                let line = line.strip_suffix(b"\r\n").unwrap_or(&line[..at]);
                return Ok(recode(line));
            }
            let mut block = [0; 4096];
            match self.stream.read(&mut block)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.buffer.extend_from_slice(&block[..n]),
            }
        }
    }

    /// Waits for the next bytes of a plain control connection and returns those that came together,
    /// without taking them.
    #[track_caller]
    pub fn next_segment(&self) -> String {
        let Stream::Plain(stream) = &self.stream else {
            panic!("TLS shows no segments");
        };
        assert!(self.buffer.is_empty(), "there is something to read before");
        let mut block = [0; 4096];
        let n = stream.peek(&mut block).unwrap();
        recode(&block[..n])
    }

    /// Tells whether there is something to read now.
    #[track_caller]
    pub fn is_answered(&self) -> bool {
        let Stream::Plain(stream) = &self.stream else {
            panic!("TLS does not tell");
        };
        stream.set_nonblocking(true).unwrap();
        let there = stream.peek(&mut [0]).is_ok_and(|n| n > 0);
        stream.set_nonblocking(false).unwrap();
        there || !self.buffer.is_empty()
    }

    /// Reads what the server still says until it has closed, and expects a 421 in it.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let mut said = Vec::new();
        // A server sends a handful of replies at most.
        while let (Ok(reply), true) = (self.try_reply(), said.len() < 10) {
            said.push(reply.code);
        }
        assert!(said.contains(&421), "no 421 but {said:?}");
    }

    /// Requires that the server has closed the connection.
    #[track_caller]
    pub fn closed(&mut self) {
        for _ in 0..100 {
            match self.try_reply() {
                Ok(_) => {}
                Err(error) => {
                    let timeout = matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    );
                    assert!(!timeout, "the connection stayed open");
                    return;
                }
            }
        }
        panic!("the connection goes on and on");
    }

    /// Closes its side of TLS, and requires that the server does so too.
    #[track_caller]
    pub fn close_tls(self) {
        let Stream::Tls(mut tls) = self.stream else {
            panic!("there is no TLS to close");
        };
        tls.conn.send_close_notify();
        tls.flush().unwrap();
        assert_eq!(tls.read(&mut [0]).unwrap(), 0, "there was more to read");
    }

    /// Ends with a reset (RST).
    pub fn reset(self) {
        reset(&self.stream);
    }
}

/// Bytes that are not UTF-8 are kept readable for the tests that send them.
fn recode(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().map(|byte| char::from(*byte)).collect(),
    }
}
