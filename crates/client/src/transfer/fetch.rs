//! One file down: a partial file beside the target, resumed when it is a part of the same file,
//! proved, then given its name.

mod here;
mod part;
mod receive;
mod whole;

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use self::{part::Part, receive::Copied, whole::SYNC_FROM};
use super::{
    Tools,
    flow::Flow,
    local::{Found, LocalRoot},
    resume::Begin,
    tries::begins_anew,
    verify,
};
use crate::{error::Error, event::FileId, plan::Seen, remote::Remote};

/// One download.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) id: FileId,
    pub(super) remote: String,
    pub(super) local: PathBuf,
    pub(super) size: Option<u64>,
    /// The size that other bytes came for than so many: fewer are never all of it, also where the server tells no
    /// size again.
    pub(super) doubted: Option<u64>,
    pub(super) modified: Option<SystemTime>,
    /// What alone it may replace.
    pub(super) seen: Option<Seen>,
    /// The time was asked for by MDTM, and is not that of a listing.
    pub(super) asked_time: bool,
    pub(super) flow: Flow,
}

/// How a file came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) bytes: u64,
    pub(super) verified: Option<&'static str>,
    /// What the server has was seen to be whole, by its size or its hash.
    pub(super) is_proved: bool,
    /// No byte moved: an earlier run has left it.
    pub(super) was_here: bool,
}

impl Fetch {
    /// Fetches the file over one session.
    pub(super) async fn run(
        &mut self,
        tools: &Tools,
        root: &LocalRoot,
        remote: &mut dyn Remote,
    ) -> Result<Done, Error> {
        if let Some(done) = self.meet(tools, root, remote).await? {
            return Ok(done);
        }
        self.ask_facts(tools, remote).await?;
        let part = Part::open(self, tools, root)?;
        let resumed = part.begin != Begin::Fresh;
        let error = match self.run_part(tools, root, remote, part).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let is_another = match &error {
            Error::ChangedMeanwhile { .. } => true,
            // What was kept was not a part of this file after all, or it is another one by now.
            Error::HashMismatch { .. } => resumed || self.ensure_unchanged(remote).await.is_err(),
            _ => false,
        };
        if is_another || is_of_another_size(&error) {
            // Of what is another file by now the size is another too.
            self.doubted = self.size.or(self.doubted).filter(|_| !is_another);
            (self.size, self.modified) = (None, None);
        }
        if !is_another {
            return Err(error);
        }
        tools
            .events
            .message(format!("{}, from the beginning", error.chain()));
        self.ask_facts(tools, remote).await?;
        let part = Part::fresh(self, root)?;
        self.run_part(tools, root, remote, part).await
    }

    /// Looks at what has the local name: the file itself from an earlier run, or something in its way.
    async fn meet(
        &mut self,
        tools: &Tools,
        root: &LocalRoot,
        remote: &mut dyn Remote,
    ) -> Result<Option<Done>, Error> {
        root.ensure_no_link(self.local.parent().unwrap_or(Path::new("")))?;
        let why = match root.look(&self.local) {
            Found::Other if !tools.options.force => {
                let here = self.was_here(tools, root, remote).await?;
                return here.map(Some).ok_or_else(|| Error::Exists {
                    path: root.told_as(&self.local).display().to_string(),
                });
            }
            Found::Other | Found::Nothing => {
                return self.ensure_seen(root).map(|()| None);
            }
            Found::Dir => io::ErrorKind::IsADirectory.into(),
            Found::Special => {
                let words = "not a regular file; `-o -` writes to where output goes";
                io::Error::new(io::ErrorKind::InvalidInput, words)
            }
        };
        Err(Error::local("replace", root.told_as(&self.local), why))
    }

    async fn ask_facts(&mut self, tools: &Tools, remote: &mut dyn Remote) -> Result<(), Error> {
        if self.size.is_none() {
            self.size = remote.size(&self.remote).await?;
        }
        let wants_time = tools.options.keep_times || tools.options.resume;
        if self.modified.is_none() && wants_time {
            self.modified = remote.modified(&self.remote).await?;
            self.asked_time = true;
        }
        Ok(())
    }

    async fn run_part(
        &self,
        tools: &Tools,
        root: &LocalRoot,
        remote: &mut dyn Remote,
        part: Part,
    ) -> Result<Done, Error> {
        let resumed = part.begin != Begin::Fresh;
        let abilities = remote.abilities();
        let hash = verify::choose(tools.options.verify, abilities, self.size, resumed)?;
        let Copied { bytes, digest } = match self.copy(tools, root, remote, &part, hash).await {
            Ok(copied) => copied,
            Err(error) => {
                part.clean_up(tools.options.resume, root, &error);
                return Err(error);
            }
        };
        let verified = match self.prove(tools, root, remote, &part, hash, digest).await {
            // Where it was gone on with, what came first may be of an older state of it.
            Ok(None) if resumed || bytes >= SYNC_FROM => {
                self.ensure_unchanged(remote).await.map(|()| None)
            }
            other => other,
        };
        let verified = verified.inspect_err(|error| {
            if matches!(
                error,
                Error::HashMismatch { .. } | Error::ChangedMeanwhile { .. }
            ) {
                part.discard(root);
            }
        })?;
        self.publish(tools, root, part, bytes).await?;
        Ok(Done {
            bytes,
            verified,
            is_proved: true,
            was_here: false,
        })
    }

    fn changed(&self) -> Error {
        Error::ChangedMeanwhile {
            path: self.remote.clone(),
        }
    }
}

/// Tells whether the next try is to ask for the size again.
fn is_of_another_size(error: &Error) -> bool {
    matches!(error, Error::Truncated { .. }) || begins_anew(error)
}
