//! One file up: under a temporary name that tells of which file it is a part, resumed when it is
//! there, proved, then renamed. A server that commits whole files itself gets the final name at
//! once, unless the file is so large that going on with a part of it is worth two more commands.

mod attempt;
mod begin;
mod claim;
mod direct;
mod ending;
mod remains;
mod source;
mod transmit;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::SystemTime,
};

use ftp_config::server::OnDuplicate;

use self::{claim::Claim, direct::is_of_stor, source::Source};
use super::{Tools, fetch::Done, flow::Flow, part::named, resume::Begin};
use crate::{
    error::{Error, Phase, RemoteError},
    event::FileId,
    remote::{
        Remote,
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
    /// The server praised a part that was gone on with, and its size was wrong: some put what APPE brings in the
    /// place of the file (rclone, copyparty).
    pub(super) no_going_on: bool,
    /// Parts that the server did not begin to write: a session that it holds for alive does (vsftpd
    /// locks what it receives).
    pub(super) left: u32,
    /// The server has begun to take what this try sends.
    has_begun: bool,
    /// What has the final name now is of a try that broke off there.
    is_torn: bool,
    /// What has the final name now is of a try whose size or hash was wrong.
    is_wrong: bool,
    /// The server stores no more in a part, for a reason that is not that it is one: what it has stays.
    stays: bool,
    /// The server has told the size of what this try has stored.
    pub(super) is_seen: bool,
    /// The directory below which it was found.
    pub(super) top: Option<Arc<Path>>,
    /// A rename was sent whose answer may have been lost.
    pub(super) renaming: bool,
    /// What the server has confirmed.
    stored: Option<Stored>,
    /// Where the file is that had the final name, while the part has it not yet.
    pub(super) aside: Option<String>,
    /// Keeps other runs off the part.
    claim: Option<Arc<Claim>>,
    /// Another run has the part of this file: a mark for one of its own.
    mark: Option<String>,
    /// Parts under that mark, which no later run would find.
    orphans: Vec<String>,
    /// Parts whose STOR was never answered: they may be there, and hold nothing.
    unbegun: Vec<String>,
}

/// A file that the server has confirmed.
#[derive(Clone, Debug)]
struct Stored {
    /// The name that it has there.
    name: String,
    size: u64,
    /// The time of the local file that was sent.
    modified: Option<SystemTime>,
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
            no_going_on: false,
            left: 0,
            has_begun: false,
            is_torn: false,
            is_wrong: false,
            stays: false,
            is_seen: false,
            renaming: false,
            stored: None,
            aside: None,
            claim: None,
            mark: None,
            orphans: Vec::new(),
            unbegun: Vec::new(),
        }
    }

    /// Sends the file over one session.
    pub(super) async fn run(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
    ) -> Result<Done, Error> {
        let sent = self.send(tools, remote).await.map_err(|error| match error {
            Error::Remote(error) => named(&self.remote, error).into(),
            other => other,
        });
        let moved = self.flow.done.load(Ordering::Relaxed) > 0;
        self.was_cut |= sent.as_ref().is_err_and(Error::is_transient) && moved;
        self.left += u32::from(sent.as_ref().is_err_and(never_began));
        sent
    }

    /// Tells whether the file is to have a temporary name. For much, or on a line that breaks, a part to go on
    /// with is worth more commands also where the server commits whole files; not where nothing is shown (a drop
    /// box), since there it could not be renamed or removed, and not over a link, which a rename would replace:
    /// what is sent to its name goes to where it leads.
    async fn wants_part(&self, remote: &mut dyn Remote, size: u64) -> Result<bool, RemoteError> {
        if !remote.abilities().takes_final_names() {
            return Ok(true);
        }
        if size < LARGE && !self.was_cut {
            return Ok(false);
        }
        let (path, dir) = (&self.remote, names::split(&self.remote).0);
        Ok(remote.stat(dir).await?.is_some()
            && (remote.size(path).await?.is_none() || !remote.is_link(path).await?))
    }

    async fn send(&mut self, tools: &Tools, remote: &mut dyn Remote) -> Result<Done, Error> {
        let source = Source::open(&self.local, self.top.as_deref())?;
        let part = if !self.direct && self.wants_part(remote, source.size).await? {
            self.take_part(tools, &source)
        } else {
            self.remote.clone()
        };
        // Where the server chooses names, what has the final one may be another file: it is not taken
        // for this one, and nothing is sent to it. Better stored twice than not at all.
        let keeps_name = remote.abilities().on_duplicate() != OnDuplicate::Rename;
        if self.renaming && keeps_name && self.was_renamed(tools, remote, &source, &part).await? {
            return self.close_renamed(tools, remote, &source).await;
        }
        if part != self.remote {
            self.ensure_free(remote).await?;
        }
        let begin = self.begin(tools, remote, &source, &part).await?;
        if self.direct && self.is_torn && self.aside.is_some() {
            // A session that the server holds for alive may have it locked: another file of this name is not. One that
            // holds anything may be another client's.
            remains::remove_empty(remote, &self.remote).await;
        }
        let may_go_directly = keeps_name && part != self.remote;
        let mut sent = self.attempt(tools, remote, &source, &part, begin).await;
        self.no_going_on |= begin != Begin::Fresh && matches!(&sent, Err(Error::Truncated { .. }));
        if may_go_directly
            && matches!(&sent, Err(Error::Remote(error)) if is_of_stor(error) && self.dislikes(&part, error))
            && remote.remove_file(&part).await.is_ok()
        {
            // One that an earlier try left stood in the way.
            let begin = Begin::Fresh;
            sent = self.attempt(tools, remote, &source, &part, begin).await;
        }
        match sent {
            Err(Error::Remote(error)) if may_go_directly && self.dislikes(&part, &error) => {
                self.send_directly(tools, remote, &source, error).await
            }
            other => other,
        }
    }

    /// Does what follows a rename whose answer was lost.
    async fn close_renamed(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
    ) -> Result<Done, Error> {
        self.remove_old(tools, remote).await;
        let name = self.remote.clone();
        self.finish_up(tools, remote, source, &name).await?;
        Ok(Done {
            bytes: source.size,
            verified: None,
            is_proved: true,
            was_here: false,
        })
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
}

/// Tells whether the data connection stood and the server began nothing.
fn never_began(error: &Error) -> bool {
    let Error::Remote(RemoteError::Timeout { phase, .. }) = error else {
        return false;
    };
    matches!(phase, Phase::Begin)
}
