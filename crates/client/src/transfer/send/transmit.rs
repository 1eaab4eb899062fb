//! The bytes of an upload, from the file to the data connection: those that the server has not yet.

use std::{
    io::{Seek as _, SeekFrom},
    sync::atomic::Ordering,
};

use ftp_config::ByteSize;

use super::{
    super::{
        Tools, copy,
        fault::{self, CopyError},
        resume::Begin,
    },
    LARGE, Send,
    source::Source,
};
use crate::{
    digest::Digest,
    error::Error,
    event::Event,
    remote::{
        Data, HashVerb, Next, Remote, Start,
        names::{self, display},
    },
    work::blocking,
};

impl Send {
    /// Copies what is missing. Returns the digest if all went through memory.
    pub(super) async fn copy(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        begin: Begin,
        hash: Option<HashVerb>,
    ) -> Result<Option<Digest>, Error> {
        let have = begin.have();
        let has_all = begin != Begin::Fresh && have == source.size;
        // A server that commits whole files still waits for an end.
        if has_all && !remote.abilities().atomic_stor() {
            return source.check_whole(&self.local, have).map(|()| None);
        }
        let (data, have) = self.start(tools, remote, source, path, have).await?;
        let digest = hash
            .filter(|_| have == 0)
            .map(|how| Digest::new(how.algorithm()));
        let (data, sent, digest) = self.transmit(data, source, have, digest).await?;
        let sent = match sent {
            Ok(sent) => sent,
            Err(error) => {
                let cancel = &self.flow.cancel;
                return Err(fault::fail(remote, data, "STOR", &self.local, error, cancel).await);
            }
        };
        if let Err(error) = source.check_whole(&self.local, have + sent) {
            drop(data);
            let _unusable = remote.settle().await;
            return Err(error);
        }
        match data.finish().await {
            Err(_) if self.flow.cancel.is_stopped() => Err(Error::Interrupted),
            other => Ok(other.map(|()| digest)?),
        }
    }

    /// Opens the transfer behind what the server has, and tells where it begins: a server that refuses the
    /// offset gets all.
    async fn start(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        have: u64,
    ) -> Result<(Box<dyn Data>, u64), Error> {
        if have == 0 && self.flow.is_small(source.size) {
            remote.foresee(Next::Small);
        }
        self.ensure_room(remote, path, source.size - have).await?;
        let (data, have) = self.open(tools, remote, path, have).await?;
        self.has_begun = true;
        tools.events.send(Event::Begun {
            id: self.id,
            at: have,
        });
        self.flow.begun.store(have, Ordering::Relaxed);
        self.flow.done.store(have, Ordering::Relaxed);
        Ok((data, have))
    }

    /// Asks before much is sent whether the server's disk can hold it.
    async fn ensure_room(
        &self,
        remote: &mut dyn Remote,
        path: &str,
        missing: u64,
    ) -> Result<(), Error> {
        if missing < LARGE {
            return Ok(());
        }
        match remote.free_space(names::split(path).0).await? {
            Some(free) if free < missing => Err(Error::NoRoom {
                path: display(&self.remote),
                needed: ByteSize(missing),
                free: ByteSize(free),
            }),
            _ => Ok(()),
        }
    }

    /// Opens the transfer at `have`; REST, or APPE where REST is refused, or from the beginning.
    ///
    /// A server may take REST for downloads alone and answer 350 all the same: ftp-srv empties the file before
    /// it writes at the offset, and the size is right then. So REST is for those that promise it (RFC 3659 §5.1).
    async fn open(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        path: &str,
        have: u64,
    ) -> Result<(Box<dyn Data>, u64), Error> {
        if have > 0 {
            let ways = [Start::At(have), Start::Append];
            let abilities = remote.abilities();
            let promised = abilities.rest_stream() || abilities.atomic_stor();
            for start in ways.into_iter().skip(usize::from(!promised)) {
                match remote.open_write(path, start).await {
                    Ok(data) => return Ok((data, have)),
                    Err(error) if !error.is_of_going_on() => {
                        self.stays = true;
                        return Err(error.into());
                    }
                    Err(error) => tools.events.message(format!("resume: {error}")),
                }
            }
            // A server that lets no file be replaced (ProFTPD's `AllowOverwrite off`) wants it gone.
            if !remote.abilities().atomic_stor() {
                let _gone = remote.remove_file(path).await;
            }
        }
        Ok((remote.open_write(path, Start::New).await?, 0))
    }

    async fn transmit(
        &self,
        mut data: Box<dyn Data>,
        source: &Source,
        have: u64,
        mut digest: Option<Digest>,
    ) -> Result<(Box<dyn Data>, Result<u64, CopyError>, Option<Digest>), Error> {
        let (flow, length) = (self.flow.clone(), source.size - have);
        data.obey(&flow.cancel);
        if have == 0 && flow.is_small(length) {
            let mut file = &source.file;
            let sent = match file.rewind() {
                Ok(()) => copy::send_small(&mut *data, file, digest.as_mut(), length, &flow).await,
                Err(error) => Err(CopyError::Local("seek", error)),
            };
            return Ok((data, sent, digest));
        }
        let file = source.handle(&self.local)?;
        blocking(move || {
            let mut reader = &file;
            let sent = reader
                .seek(SeekFrom::Start(have))
                .map_err(|error| CopyError::Local("seek", error))
                .and_then(|_| copy::send(&mut *data, &file, digest.as_mut(), length, &flow));
            (data, sent, digest)
        })
        .await
    }
}
