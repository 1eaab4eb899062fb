//! A bare control connection.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
};

use crate::{common::PASSWORD, wait::LONGEST};

/// One connection, read line by line.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Returns the last line of the next reply; empty at the end of the connection.
    pub(crate) fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).unwrap_or(0) == 0 {
                return String::new();
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return line.trim_end().to_owned();
            }
        }
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, code: &str) -> String {
        let reply = self.reply();
        assert!(reply.starts_with(code), "wanted {code}, got `{reply}`");
        reply
    }

    pub(crate) fn send(&mut self, line: &str) {
        let _ = self
            .stream
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes());
    }

    /// Returns the code of the answer to the password.
    pub(crate) fn login(&mut self, user: &str) -> String {
        self.send(&format!("USER {user}"));
        let first = self.reply();
        if !first.starts_with("331") {
            return first.chars().take(3).collect();
        }
        self.send(&format!("PASS {PASSWORD}"));
        self.reply().chars().take(3).collect()
    }

    /// Tells whether the server still answers.
    pub(crate) fn is_open(&mut self) -> bool {
        self.send("NOOP");
        self.reply().starts_with("200")
    }
}
