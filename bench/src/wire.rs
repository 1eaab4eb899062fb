//! The load generator's FTP session: blocking, one thread, no more than the rows need.
//!
//! It must cost less than any server: `bytes` says how.

mod login;

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::FileExt as _,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::SendFlags;
use rustls::ClientConfig;

use crate::{
    bytes::{discard_plain, discard_tls, encrypt, send_plain, unpaced},
    stream::{BLOCK, Stream, tls_stream},
};

/// Up to this size an upload is sent from memory.
const SMALL: u64 = 64 << 10;
/// What a server that has given a session up is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where to log in.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The server's control address.
    pub(crate) addr: SocketAddr,
    /// Login name.
    pub(crate) user: String,
    /// Password.
    pub(crate) password: String,
}

/// One logged-in control connection.
pub(crate) struct Session {
    control: BufReader<Stream>,
    peer: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    /// Where thrown-away bytes would go.
    block: Vec<u8>,
    /// The small file that was sent last.
    small: Vec<u8>,
}

/// An upload of which only the bytes are missing.
pub(crate) enum Upload<'a> {
    Plain(TcpStream, &'a File, u64),
    /// With every byte that the connection will send, its goodbye among them.
    Tls(TcpStream, Vec<u8>),
}

impl Session {
    /// Sends a command and returns the code and last line of its reply.
    pub(crate) fn command(&mut self, line: &str) -> Result<(u16, String)> {
        self.send(line)?;
        self.reply()
    }

    /// Sends a command and requires one of `codes`.
    pub(crate) fn expect(&mut self, line: &str, codes: &[u16]) -> Result<String> {
        let (code, text) = self.command(line)?;
        ensure!(codes.contains(&code), "{line}: {code} {text}");
        Ok(text)
    }

    fn send(&mut self, line: &str) -> Result<()> {
        let stream = self.control.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()?;
        Ok(())
    }

    fn reply(&mut self) -> Result<(u16, String)> {
        let mut first = None;
        for _ in 0..1000 {
            let mut line = String::new();
            ensure!(
                self.control.read_line(&mut line)? > 0,
                "control connection closed"
            );
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let (Some(code), Some(sep)) = (code, line.as_bytes().get(3)) else {
                continue;
            };
            if *sep == b' ' && first.is_none_or(|first| first == code) {
                return Ok((code, line.trim_end().to_owned()));
            }
            first.get_or_insert(code);
        }
        bail!("endless reply")
    }

    fn passive(&mut self) -> Result<TcpStream> {
        let text = self.expect("EPSV", &[229])?;
        let port = text
            .split('|')
            .nth(3)
            .and_then(|port| port.parse::<u16>().ok())
            .with_context(|| format!("EPSV: {text}"))?;
        let mut addr = self.peer;
        addr.set_port(port);
        let data = TcpStream::connect(addr)?;
        unpaced(&data)?;
        data.set_read_timeout(Some(PATIENCE))?;
        Ok(data)
    }

    /// Fetches or lists (`RETR x`, `LIST x`, `MLSD x`) and throws the bytes away; `least` is how many
    /// should come, as far as it is known.
    ///
    /// Returns how many came over the data connection (over TLS: with what TLS adds); the final reply
    /// has been read.
    pub(crate) fn fetch(&mut self, command: &str, least: u64) -> Result<u64> {
        let data = self.passive()?;
        self.expect(command, &[125, 150])?;
        if self.block.is_empty() {
            // Untouched memory: the kernel writes nothing into it.
            self.block = vec![0; BLOCK];
        }
        let bytes = match &self.tls {
            None => {
                let bytes = discard_plain(&data, &mut self.block)?;
                // ProFTPD lingers on its side, up to 10 s, until this one is closed.
                drop(data);
                bytes
            }
            Some(config) => discard_tls(tls_stream(config, data)?, &mut self.block, least)?,
        };
        let (code, text) = self.reply()?;
        ensure!(code == 226 || code == 250, "{command}: {code} {text}");
        Ok(bytes)
    }

    /// Stores `bytes` bytes of `source` under `path`.
    pub(crate) fn store(&mut self, path: &str, source: &File, bytes: u64) -> Result<()> {
        let upload = self.begin_store(path, source, bytes)?;
        self.finish_store(upload)
    }

    /// Begins to store; nothing has been sent when this returns.
    pub(crate) fn begin_store<'a>(
        &mut self,
        path: &str,
        source: &'a File,
        bytes: u64,
    ) -> Result<Upload<'a>> {
        let data = self.passive()?;
        self.expect(&format!("STOR {path}"), &[125, 150])?;
        Ok(match &self.tls {
            None => Upload::Plain(data, source, bytes),
            Some(config) => {
                let tls = tls_stream(config, data)?;
                let (data, encrypted) = encrypt(tls, source, bytes)?;
                Upload::Tls(data, encrypted)
            }
        })
    }

    /// Sends what is to be stored and waits for the server's word that it is.
    pub(crate) fn finish_store(&mut self, upload: Upload<'_>) -> Result<()> {
        match upload {
            Upload::Plain(data, source, bytes) if bytes <= SMALL => {
                self.send_small(&data, source, bytes)?;
            }
            Upload::Plain(data, source, bytes) => send_plain(&data, source, bytes)?,
            Upload::Tls(mut data, encrypted) => {
                data.write_all(&encrypted)?;
                data.shutdown(std::net::Shutdown::Write)?;
                // Wait for the server's end, so that its close_notify is not answered with a reset.
                let _ = data.read(&mut [0; 1024]);
            }
        }
        let (code, text) = self.reply()?;
        ensure!(code == 226 || code == 250, "STOR: {code} {text}");
        Ok(())
    }

    /// Sends a small file from memory, its end in the last byte's segment: the least that a client
    /// can cost.
    fn send_small(&mut self, data: &TcpStream, source: &File, bytes: u64) -> Result<()> {
        if self.small.len() as u64 != bytes {
            self.small = vec![0; usize::try_from(bytes)?];
            source.read_exact_at(&mut self.small, 0)?;
        }
        let mut left = self.small.as_slice();
        while !left.is_empty() {
            let sent = rustix::net::send(data, left, SendFlags::MORE)?;
            left = &left[sent..];
        }
        Ok(())
    }

    /// Leaves politely.
    pub(crate) fn quit(mut self) -> Result<()> {
        self.expect("QUIT", &[221])?;
        Ok(())
    }
}
