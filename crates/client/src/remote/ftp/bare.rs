//! A transfer in stream mode over a link: its end is the connection's.

use std::{io, time::Duration};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    block::{AT_ONCE, BlockData},
    stall::limited,
};

impl BlockData {
    /// Goes over to stream mode. Until its end is said, an upload ends by a reset, however it ends: an end in good
    /// order is that of a whole file.
    pub(super) fn into_bare(mut self) -> io::Result<Self> {
        self.is_bare = true;
        if let Some(link) = self.link.as_ref().filter(|_| self.sends) {
            link.socket.set_linger(Some(Duration::ZERO))?;
        }
        Ok(self)
    }

    /// Takes what the connection has.
    pub(super) async fn take_bare(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let link = self.link.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let read = link.stream.read(buffer);
        limited(self.stalled, &self.parting.cancel, read).await
    }

    /// Sends bytes as they are.
    pub(super) async fn send_bare(&mut self, bytes: &[u8]) -> io::Result<()> {
        if std::mem::replace(&mut self.is_broken, true) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let link = self.link.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let cancel = &self.parting.cancel;
        for part in bytes.chunks(AT_ONCE) {
            limited(self.stalled, cancel, link.stream.write_all(part)).await?;
        }
        self.is_broken = false;
        Ok(())
    }

    /// Says the end of an upload, or answers that of a download: some servers wait for ours before they say theirs.
    pub(super) async fn end_bare(&mut self) -> io::Result<()> {
        let cancel = &self.parting.cancel;
        if self.sends {
            if self.is_broken {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let link = self.link.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            link.socket.set_linger(None)?;
            return limited(self.stalled, cancel, link.stream.shutdown()).await;
        }
        if let Some(mut link) = self.link.take() {
            let _closed = limited(self.stalled, cancel, link.stream.shutdown()).await;
        }
        Ok(())
    }
}
