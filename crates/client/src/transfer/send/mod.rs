//! One file up: under a temporary name that tells of which file it is a part, resumed when it is
//! there, proved, then renamed. A server that commits whole files itself gets the final name at
//! once, unless the file is so large that going on with a part of it is worth two more commands.

mod begin;
mod claim;
mod ending;
mod source;

use std::{
    io::{Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::SystemTime,
};

use ftp_config::{ByteSize, server::OnDuplicate};

use self::{
    begin::{open, part_of},
    claim::Claim,
    source::Source,
};
use super::{
    Tools,
    copy::{self, CopyError, Flow},
    digest::Digest,
    fetch::Done,
    part::{chance_tag, is_unwelcome},
    publish,
    resume::Begin,
    task, verify,
};
use crate::{
    error::{Error, Phase, RemoteError},
    event::{Event, FileId},
    remote::{
        Data, HashVerb, Remote,
        names::{self, display},
    },
};

/// From this size on a file has a temporary name even where the server commits whole files.
const LARGE: u64 = 16 << 20;

/// One upload, with what must be known from one try to the next.
#[derive(Clone, Debug)]
pub(super) struct Send {
    pub(super) id: FileId,
    pub(super) local: PathBuf,
    pub(super) remote: String,
    pub(super) modified: Option<SystemTime>,
    pub(super) flow: Flow,
    /// The server takes no temporary names here.
    pub(super) direct: bool,
    /// A try ended after some of its bytes were over.
    pub(super) was_cut: bool,
    /// Parts that the server did not begin to write: a session that it holds for alive does (vsftpd
    /// locks what it receives).
    pub(super) left: u32,
    /// The server has told the size of what this try has stored.
    pub(super) is_seen: bool,
    /// The directory below which it was found.
    pub(super) top: Option<Arc<Path>>,
    /// A rename was sent whose answer may have been lost.
    pub(super) renaming: bool,
    /// What the server has confirmed: under which name, of which size and time.
    pub(super) stored: Option<(String, u64, Option<SystemTime>)>,
    /// Where the file is that had the final name, while the part has it not yet.
    pub(super) aside: Option<String>,
    /// Keeps other runs off the part.
    claim: Option<Arc<Claim>>,
    /// Another run has the part of this file: a mark for one of its own.
    mark: Option<String>,
}

/// What an upload is proved by.
struct Proof {
    /// The size that the server has told already.
    told: Option<u64>,
    hash: Option<HashVerb>,
    digest: Option<Digest>,
}

impl Send {
    pub(super) fn new(
        id: FileId,
        local: PathBuf,
        remote: String,
        modified: Option<SystemTime>,
        flow: Flow,
    ) -> Self {
        Self {
            id,
            local,
            remote,
            modified,
            flow,
            top: None,
            direct: false,
            was_cut: false,
            left: 0,
            is_seen: false,
            renaming: false,
            stored: None,
            aside: None,
            claim: None,
            mark: None,
        }
    }

    /// Sends the file over one session.
    pub(super) async fn run(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
    ) -> Result<Done, Error> {
        let sent = self.send(tools, remote).await;
        let moved = self.flow.done.load(Ordering::Relaxed) > 0;
        self.was_cut |= sent.as_ref().is_err_and(Error::is_transient) && moved;
        self.left += u32::from(sent.as_ref().is_err_and(never_began));
        sent
    }

    /// For much, or on a line that breaks, a part to go on with is worth two more commands; not where
    /// nothing is shown (a drop box), since there it could not be renamed or removed.
    async fn sees_directory(&self, remote: &mut dyn Remote) -> Result<bool, Error> {
        let dir = names::split(&self.remote).0;
        Ok(remote.stat(dir).await?.is_some())
    }

    fn part(&self, source: &Source, left: u32) -> String {
        match &self.mark {
            None => part_of(&self.remote, &source.identity, left),
            Some(mark) => part_of(&self.remote, &format!("{} {mark}", source.identity), left),
        }
    }

    /// Makes sure that no other run of this machine writes to the parts of this file: the one that was sent
    /// last would cut the other's short, and both would take what is there for their own.
    fn claim_part(&mut self, tools: &Tools, source: &Source) {
        let (server, remote, identity) = (&tools.endpoint, &self.remote, &source.identity);
        let what = format!("{server} {remote} {identity}");
        if self.mark.is_some() || self.claim.as_ref().is_some_and(|held| held.is_to(&what)) {
            return;
        }
        self.claim = Claim::take(what).map(Arc::new);
        if self.claim.is_none() {
            self.mark = Some(chance_tag());
        }
    }

    async fn send(&mut self, tools: &Tools, remote: &mut dyn Remote) -> Result<Done, Error> {
        let source = Source::open(&self.local, self.top.as_deref())?;
        let pays = source.size >= LARGE || self.was_cut;
        let whole = remote.abilities().takes_final_names()
            && !(pays && self.sees_directory(remote).await?);
        let part = if self.direct || whole {
            self.remote.clone()
        } else {
            self.claim_part(tools, &source);
            self.part(&source, self.left)
        };
        // Where the server chooses names, what has the final one may be another file: it is not taken
        // for this one, and nothing is sent to it. Better stored twice than not at all.
        let keeps_name = remote.abilities().on_duplicate() != OnDuplicate::Rename;
        if self.renaming && keeps_name && self.was_renamed(tools, remote, &source, &part).await? {
            publish::remove_aside(remote, &mut self.aside).await;
            let name = self.remote.clone();
            self.finish_up(tools, remote, &source, &name).await?;
            return Ok(Done {
                bytes: source.size,
                verified: None,
                is_proved: true,
                was_here: false,
            });
        }
        if part != self.remote {
            self.ensure_free(remote).await?;
        }
        let begin = self.begin(tools, remote, &source, &part).await?;
        let may_go_directly = keeps_name && part != self.remote;
        let mut sent = self.attempt(tools, remote, &source, &part, begin).await;
        if may_go_directly
            && matches!(&sent, Err(Error::Remote(error)) if is_refused_to_begin(&part, error))
            && remote.remove_file(&part).await.is_ok()
        {
            // One that an earlier try left stood in the way.
            let begin = Begin::Fresh;
            sent = self.attempt(tools, remote, &source, &part, begin).await;
        }
        match sent {
            Err(Error::Remote(error)) if may_go_directly && is_unwelcome(&part, &error) => {
                self.send_directly(tools, remote, &source, &error).await
            }
            other => other,
        }
    }

    /// Sends to the final name, since the server takes no part.
    async fn send_directly(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        why: &RemoteError,
    ) -> Result<Done, Error> {
        self.direct = true;
        let path = self.remote.clone();
        let begin = Begin::Fresh;
        let sent = self.attempt(tools, remote, source, &path, begin).await;
        // Where the file itself is refused, its name was not the reason.
        if !matches!(&sent, Err(Error::Remote(RemoteError::Refused { .. }))) {
            tools.events.message(format!(
                "`{path}`: the server takes no temporary name here ({why}); sent directly"
            ));
        }
        sent
    }

    /// Looks before a byte moves whether a server that refuses taken names would refuse this one at
    /// the end.
    async fn ensure_free(&self, remote: &mut dyn Remote) -> Result<(), Error> {
        let refuses = remote.abilities().on_duplicate() == OnDuplicate::Refuse;
        if refuses && remote.size(&self.remote).await?.is_some() {
            let path = display(&self.remote);
            return Err(Error::Kept { path });
        }
        Ok(())
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

    async fn attempt(
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
        let verified = match self.prove(tools, remote, source, path, proof).await {
            Ok(verified) => verified,
            Err(error) => {
                // What is there is not the file: it must not be gone on with. Under the final name it
                // may be somebody else's by now.
                if !error.is_transient() && path != self.remote && remote.is_usable() {
                    let _gone = remote.remove_file(path).await;
                }
                return Err(error);
            }
        };
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
            remote.foresee_small();
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
                return Err(task::fail(remote, data, "STOR", &self.local, error, cancel).await);
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
        task::blocking(move || {
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
                verify::hash_file(file, self.local.clone(), how, &self.flow.cancel).await
            }
        };
        let verdict = verify::compare(tools, self.id, remote, path, how, local).await?;
        Ok(match verdict {
            verify::Verdict::Same(algorithm) => Some(algorithm),
            verify::Verdict::Untold => None,
        })
    }
}

/// Tells whether the data connection stood and the server began nothing.
fn never_began(error: &Error) -> bool {
    matches!(
        error,
        Error::Remote(RemoteError::Timeout {
            phase: Phase::Begin,
            ..
        })
    )
}

/// Tells whether the part was refused before a byte moved.
fn is_refused_to_begin(part: &str, error: &RemoteError) -> bool {
    let stores = matches!(error, RemoteError::Refused { verb, .. } if verb == "STOR");
    stores && is_unwelcome(part, error)
}
