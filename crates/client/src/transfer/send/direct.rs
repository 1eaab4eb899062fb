//! Uploads under the final name, where the server takes no other: what was there goes aside first.

use super::{Send, source::Source};
use crate::{
    error::{Error, RemoteError},
    remote::{Kind, Remote, names::display},
    transfer::{Tools, fetch::Done, part::is_unwelcome, publish, resume::Begin},
};

impl Send {
    /// Tells whether the server refuses the part for its name. A STOR that had begun ends so for other
    /// causes, as a full disk, and the old file must not be lost to them; nor was it the name of a part that is
    /// there already.
    pub(super) fn dislikes(&self, part: &str, error: &RemoteError) -> bool {
        is_unwelcome(part, error) && !self.stays && !(self.has_begun && is_of_stor(error))
    }

    /// Sends to the final name, since the server takes no part.
    pub(super) async fn send_directly(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        why: RemoteError,
    ) -> Result<Done, Error> {
        if !self.put_aside(remote).await? && is_of_stor(&why) {
            return Err(Error::NoPart {
                path: display(&self.remote),
                source: Box::new(why),
            });
        }
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

    /// Puts what has the final name aside, since what is sent directly empties it first, and may break off. A
    /// server whose disk is full refuses a part in the words that others have for its name (vsftpd: 553), and a
    /// part may be refused its name only for a moment, while a scanner holds it. `false`: it cannot be. Then only
    /// a part that was stored has shown that there is room.
    async fn put_aside(&mut self, remote: &mut dyn Remote) -> Result<bool, Error> {
        let path = self.remote.clone();
        let old = remote.stat(&path).await?;
        if old.is_none_or(|entry| entry.kind != Kind::File) {
            return Ok(true);
        }
        // An answer was lost: that name may be taken by now.
        if let Some(aside) = &self.aside
            && remote.stat(aside).await?.is_some()
        {
            return Ok(false);
        }
        for name in publish::names_aside(&path) {
            let aside = self.aside.insert(name);
            match remote.rename(&path, aside).await {
                Ok(()) => return Ok(true),
                Err(error) if error.is_transient() => return Err(error.into()),
                Err(_) => self.aside = None,
            }
        }
        Ok(false)
    }

    /// Tells whether an upload to `path` that breaks off leaves something under the final name.
    pub(super) fn tears(&self, remote: &dyn Remote, path: &str) -> bool {
        path == self.remote && !remote.abilities().atomic_stor()
    }

    /// Gives what was put aside its name back, in the place of what broke off there, if anything did.
    pub(super) async fn take_back(&mut self, remote: &mut dyn Remote) {
        // Many small servers have no SIZE.
        let Ok(here) = remote.stat(&self.remote).await else {
            return;
        };
        self.is_torn &= here.is_some();
        let Some(aside) = self.aside.clone() else {
            return;
        };
        let is_free = match (here, self.is_torn) {
            (None, _) => true,
            (Some(_), true) => remote.remove_file(&self.remote).await.is_ok(),
            (Some(_), false) => {
                if matches!(remote.stat(&aside).await, Ok(None)) {
                    // It never went.
                    self.aside = None;
                }
                false
            }
        };
        self.is_torn &= !is_free;
        if is_free && remote.rename(&aside, &self.remote).await.is_ok() {
            self.aside = None;
        }
    }
}

/// Tells whether it is the upload itself that was refused.
pub(super) fn is_of_stor(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Refused { verb, .. } if verb == "STOR")
}
