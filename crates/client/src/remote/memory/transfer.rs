//! A transfer to or from the server in memory.

use std::{io, time::SystemTime};

use async_trait::async_trait;

use super::Memory;
use crate::{cancel::Cancel, error::RemoteError, remote::Data};

/// A transfer; an upload counts once it is finished.
pub(super) struct Transfer {
    pub(super) server: Memory,
    pub(super) upload: Option<String>,
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) cancel: Cancel,
}

impl Transfer {
    fn check(&self) -> io::Result<()> {
        match self.cancel.is_stopped() {
            true => Err(io::ErrorKind::Interrupted.into()),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Data for Transfer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let count = io::Read::read(&mut &self.bytes[self.at..], buffer)?;
        self.at += count;
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn obey(&mut self, cancel: &Cancel) {
        self.cancel = cancel.clone();
    }

    fn announced(&self) -> Option<u64> {
        None
    }

    async fn finish(self: Box<Self>) -> Result<(), RemoteError> {
        self.check().map_err(|source| RemoteError::Io {
            verb: "STOR".to_owned(),
            source,
        })?;
        if let Some(path) = self.upload {
            self.server.put(&path, &self.bytes, SystemTime::UNIX_EPOCH);
        }
        Ok(())
    }

    async fn cut(self: Box<Self>) -> Result<(), RemoteError> {
        Err(RemoteError::Io {
            verb: "STOR".to_owned(),
            source: io::ErrorKind::ConnectionReset.into(),
        })
    }
}
