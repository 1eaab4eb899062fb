//! How a session begins.

use std::{
    io::BufReader,
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use anyhow::{Result, bail, ensure};
use rustls::ClientConfig;

use super::{PATIENCE, Session, Target};
use crate::stream::{Stream, tls_stream};

impl Session {
    /// Connects and logs in, with `tls` by AUTH TLS, and makes ready for transfers.
    pub(crate) fn open(target: &Target, tls: Option<Arc<ClientConfig>>) -> Result<Self> {
        let mut session = Self::log_in(target, tls)?;
        if session.tls.is_some() {
            session.expect("PBSZ 0", &[200])?;
            session.expect("PROT P", &[200])?;
        }
        session.expect("TYPE I", &[200])?;
        Ok(session)
    }

    /// Connects and logs in, and does nothing more.
    pub(crate) fn log_in(target: &Target, tls: Option<Arc<ClientConfig>>) -> Result<Self> {
        let mut session = Self::greet(target.addr)?;
        if let Some(config) = tls {
            session.secure(config)?;
        }
        let reply = session.command(&format!("USER {}", target.user))?;
        if reply.0 == 331 {
            session.expect(&format!("PASS {}", target.password), &[230])?;
        } else {
            ensure!(reply.0 == 230, "USER: {} {}", reply.0, reply.1);
        }
        Ok(session)
    }

    /// Connects and reads the greeting.
    pub(crate) fn greet(addr: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut session = Self {
            control: BufReader::with_capacity(1024, Stream::Plain(stream)),
            peer: addr,
            tls: None,
            block: Vec::new(),
            small: Vec::new(),
        };
        let (code, text) = session.reply()?;
        ensure!(code == 220, "greeting: {code} {text}");
        Ok(session)
    }

    fn secure(&mut self, config: Arc<ClientConfig>) -> Result<()> {
        self.expect("AUTH TLS", &[234])?;
        let Stream::Plain(plain) = self.control.get_ref() else {
            bail!("TLS twice")
        };
        let stream = tls_stream(&config, plain.try_clone()?)?;
        self.control = BufReader::with_capacity(1024, Stream::Tls(Box::new(stream)));
        self.tls = Some(config);
        Ok(())
    }
}
