//! One try: the bytes that are missing, what proves them, and the name.

use std::{
    io::{Seek as _, SeekFrom},
    sync::atomic::Ordering,
};

use ftp_config::ByteSize;

use super::{
    super::{
        Tools, copy,
        fault::{self, CopyError},
        fetch::Done,
        resume::Begin,
        verify,
    },
    LARGE, Send,
    begin::open,
    source::Source,
};
use crate::{
    digest::{self, Digest},
    error::Error,
    event::Event,
    remote::{
        Data, HashVerb, Next, Remote,
        names::{self, display},
    },
    work::blocking,
};

/// What an upload is proved by.
struct Proof {
    /// The size that the server has told already.
    told: Option<u64>,
    hash: Option<HashVerb>,
    digest: Option<Digest>,
}

impl Send {
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

    pub(super) async fn attempt(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        begin: Begin,
    ) -> Result<Done, Error> {
        let resumed = begin != Begin::Fresh;
        let size = Some(source.size);
        let hash = verify::choose(tools.options.verify, remote.abilities(), size, resumed)?;
        self.stored = None;
        self.is_seen = false;
        let digest = match self.copy(tools, remote, source, path, begin, hash).await {
            Ok(digest) => {
                self.stored = Some((path.to_owned(), source.size, source.modified));
                digest
            }
            Err(error) => {
                self.clean_up(tools, remote, path, &error).await;
                return Err(error);
            }
        };
        // Where the file has its final name already, the answer to its time may tell its size too.
        // A hash comes before the time: equal times mean equal files to whoever syncs later.
        let timed_first = path == self.remote && hash.is_none();
        let told = match timed_first {
            true => self.finish_up(tools, remote, source, path).await?,
            false => None,
        };
        let proof = Proof { told, hash, digest };
        let verified = self
            .prove_or_remove(tools, remote, source, path, proof)
            .await?;
        if path != self.remote {
            let name = self.rename(tools, remote, path).await?;
            self.finish_up(tools, remote, source, &name).await?;
            self.clear_left(remote, source).await;
        } else if !timed_first {
            self.finish_up(tools, remote, source, path).await?;
        }
        Ok(Done {
            bytes: source.size,
            verified,
            is_proved: self.is_seen || verified.is_some(),
            was_here: false,
        })
    }

    async fn prove_or_remove(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        proof: Proof,
    ) -> Result<Option<&'static str>, Error> {
        let proved = self.prove(tools, remote, source, path, proof).await;
        if let Err(error) = &proved
            && !error.is_transient()
            && path != self.remote
            && remote.is_usable()
        {
            // What is there is not the file: it must not be gone on with. Under the final name it may be
            // somebody else's by now.
            let _gone = remote.remove_file(path).await;
        }
        proved
    }

    /// Copies what is missing. Returns the digest if all went through memory.
    async fn copy(
        &self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        begin: Begin,
        hash: Option<HashVerb>,
    ) -> Result<Option<Digest>, Error> {
        let have = match begin {
            // All is there; a server that commits whole files still waits for an end.
            Begin::Resume { have, .. }
                if have == source.size && !remote.abilities().atomic_stor() =>
            {
                return Ok(None);
            }
            Begin::Resume { have, .. } => have,
            Begin::Fresh => 0,
        };
        if have == 0 && self.flow.is_small(source.size) {
            remote.foresee(Next::Small);
        }
        self.ensure_room(remote, path, source.size - have).await?;
        let (data, have) = open(tools, remote, path, have).await?;
        tools.events.send(Event::Begun {
            id: self.id,
            at: have,
        });
        self.flow.begun.store(have, Ordering::Relaxed);
        self.flow.done.store(have, Ordering::Relaxed);
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
        if have + sent != source.size || !source.is_unchanged() {
            drop(data);
            let _unusable = remote.settle().await;
            return Err(Error::ChangedMeanwhile {
                path: self.local.display().to_string(),
            });
        }
        match data.finish().await {
            Err(_) if self.flow.cancel.is_stopped() => Err(Error::Interrupted),
            other => Ok(other.map(|()| digest)?),
        }
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

    /// Size always, hash when wished.
    async fn prove(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        proof: Proof,
    ) -> Result<Option<&'static str>, Error> {
        let Proof { told, hash, digest } = proof;
        let mut size = match told {
            None => remote.size(path).await?,
            told => told,
        };
        if size.is_none() && tools.options.move_files {
            // The only copy is to go: a server without SIZE may still list it.
            size = remote.stat(path).await?.and_then(|entry| entry.size);
        }
        self.is_seen = size.is_some();
        match size {
            Some(got) if got != source.size => {
                return Err(Error::Truncated {
                    path: self.remote.clone(),
                    want: source.size,
                    got,
                });
            }
            _ => {}
        }
        let Some(how) = hash else { return Ok(None) };
        let local = async || match digest {
            Some(digest) => Ok(digest.finish()),
            None => {
                let file = source.handle(&self.local)?;
                digest::of_whole(file, self.local.clone(), how, &self.flow.cancel).await
            }
        };
        verify::compare(tools, remote, path, how, local).await
    }
}
