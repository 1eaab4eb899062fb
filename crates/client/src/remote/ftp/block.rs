//! Block mode (RFC 959 §3.4.2): small files behind each other share one data connection, since each
//! tells its end. It saves a port, a connection and, with TLS, a handshake a file.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use suppaftp::FtpError;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::Handle,
};

use super::{
    Control,
    blocks::{Incoming, Outgoing},
    link::{Link, Slot},
    parting::Parting,
    stall::limited,
};
use crate::{
    cancel::Cancel,
    error::RemoteError,
    remote::{Data, Reply},
};

/// Bytes that must move within the stall limit.
pub(super) const AT_ONCE: usize = 64 << 10;
/// Bytes asked of the socket at once.
const READ: usize = 64 << 10;

/// One transfer over a link: as blocks or, bare, as bytes until the connection ends.
pub(super) struct BlockData {
    pub(super) link: Option<Link>,
    pub(super) slot: Slot,
    pub(super) control: Control,
    pub(super) runtime: Handle,
    pub(super) stalled: Duration,
    pub(super) announced: Option<u64>,
    pub(super) sends: bool,
    /// Bytes go as they come: their producer may be slow, and the server waits for some.
    pub(super) is_eager: bool,
    /// The connection's end is the file's.
    pub(super) is_bare: bool,
    pub(super) parting: Parting,
    incoming: Incoming,
    outgoing: Outgoing,
    /// A block did not go out whole: nothing that follows makes sense.
    pub(super) is_broken: bool,
}

impl BlockData {
    pub(super) fn new(
        link: Link,
        slot: Slot,
        control: Control,
        stalled: Duration,
        parting: Parting,
    ) -> Self {
        Self {
            link: Some(link),
            slot,
            control,
            runtime: Handle::current(),
            stalled,
            announced: None,
            sends: false,
            is_eager: false,
            is_bare: false,
            parting,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            is_broken: false,
        }
    }

    /// Writes the blocks that are ready.
    async fn flush(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_broken, true) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let link = self.link.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let cancel = &self.parting.cancel;
        for part in self.outgoing.blocks.chunks(AT_ONCE) {
            limited(self.stalled, cancel, link.stream.write_all(part)).await?;
        }
        limited(self.stalled, cancel, link.stream.flush()).await?;
        self.outgoing.blocks.clear();
        self.outgoing.last = 0;
        self.is_broken = false;
        Ok(())
    }

    async fn refill(&mut self) -> io::Result<()> {
        let link = self.link.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let incoming = &mut self.incoming;
        incoming.raw.clear();
        incoming.used = 0;
        incoming.raw.reserve(READ);
        let read = link.stream.read_buf(&mut incoming.raw);
        match limited(self.stalled, &self.parting.cancel, read).await {
            Ok(0) => Err(ended_early()),
            // Whole or not is told by that block alone.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ended_early()),
            other => other.map(drop),
        }
    }

    /// Nothing of a file that was given up is to come through.
    fn reset(&mut self) {
        if let Some(link) = self.link.take() {
            let _gone = link.socket.set_linger(Some(Duration::ZERO));
        }
    }

    /// Ends the transfer and returns the reply that says so.
    pub(super) async fn end_with_reply(mut self) -> Result<Reply, RemoteError> {
        if self.parting.cancel.is_stopped() {
            return Err(self.parting.interrupted());
        }
        let ended = self.end().await;
        if let Err(source) = &ended {
            use io::ErrorKind::{Interrupted, TimedOut};
            if matches!(source.kind(), Interrupted | TimedOut) {
                let source = source.kind().into();
                return Err(self.parting.broke(source));
            }
            // A server that breaks a transfer off says why.
            self.reset();
        }
        let link = self.link.take();
        let control = Arc::clone(&self.control);
        let mut control = control.lock().await;
        let reply = self.parting.wait(control.read_response_in(&[])).await;
        let Some(Ok(Err(FtpError::UnexpectedResponse(response)))) = reply else {
            return Err(self.parting.failed(reply));
        };
        let reply = self.parting.end(&response.body)?;
        ended.map_err(|source| self.parting.broke(source))?;
        if self.is_bare {
            self.parting.closed_whole()?;
        }
        if let (Some(link), true) = (link, reply.code == 250 && !self.is_bare) {
            self.slot.put(link);
        }
        Ok(reply)
    }

    /// Says the end of an upload; tells whether a download had one.
    async fn end(&mut self) -> io::Result<()> {
        if self.is_bare {
            return self.end_bare().await;
        }
        if self.sends {
            self.outgoing.end();
            return self.flush().await;
        }
        if self.incoming.is_whole() {
            return Ok(());
        }
        let words = "the server's blocks do not end where the file does";
        Err(io::Error::new(io::ErrorKind::InvalidData, words))
    }
}

fn ended_early() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the data connection was closed before the block that ends the file",
    )
}

#[async_trait]
impl Data for BlockData {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let runtime = self.runtime.clone();
        runtime.block_on(self.receive(buffer))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let runtime = self.runtime.clone();
        runtime.block_on(self.send(bytes))
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_bare {
            return self.take_bare(buffer).await;
        }
        loop {
            let count = self.incoming.take(buffer)?;
            if count > 0 || self.incoming.has_ended || buffer.is_empty() {
                return Ok(count);
            }
            self.refill().await?;
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.is_bare {
            return self.send_bare(bytes).await;
        }
        if !self.outgoing.blocks.is_empty() {
            self.flush().await?;
        }
        self.outgoing.put(bytes);
        match self.is_eager {
            true => self.flush().await,
            // The last block tells the end, which is not known yet.
            false => Ok(()),
        }
    }

    fn obey(&mut self, cancel: &Cancel) {
        self.parting.cancel = cancel.clone();
    }

    fn end_within(&mut self, limit: Duration) {
        self.parting.finish = limit;
    }

    fn announced(&self) -> Option<u64> {
        self.announced
    }

    async fn finish(self: Box<Self>) -> Result<(), RemoteError> {
        self.end_with_reply().await.map(drop)
    }

    async fn cut(mut self: Box<Self>) -> Result<(), RemoteError> {
        let broke = self.parting.broke(io::ErrorKind::ConnectionReset.into());
        self.is_broken = true;
        self.end_with_reply().await.and(Err(broke))
    }
}

impl Drop for BlockData {
    fn drop(&mut self) {
        if self.link.is_some() {
            self.reset();
            self.parting.dropped();
        }
    }
}
