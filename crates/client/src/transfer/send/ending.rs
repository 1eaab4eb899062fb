//! How an upload ends: the part gets its final name, the file its time; or what is left of it goes.

use super::{LARGE, Send, direct::is_of_stor, source::Source};
use crate::{
    digest,
    error::{Error, RemoteError},
    remote::{
        Remote,
        names::{self, display},
    },
    transfer::{Tools, part::is_unwelcome, publish, verify},
};

impl Send {
    /// Tells whether the part has its final name though no answer said so. That one is gone and the
    /// other has this size proves nothing: after a crash it may be the old file.
    pub(super) async fn was_renamed(
        &self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        part: &str,
    ) -> Result<bool, Error> {
        let (path, size) = (&self.remote, source.size);
        if remote.size(part).await?.is_some() || remote.size(path).await? != Some(size) {
            return Ok(false);
        }
        let Some(how) = remote.abilities().hash() else {
            return Ok(size < LARGE && self.overlap_is_equal(remote, source, path, 0, size).await?);
        };
        let local = async || {
            let (file, cancel) = (source.handle(&self.local)?, &self.flow.cancel);
            digest::of_whole(file, self.local.clone(), how, cancel).await
        };
        match verify::compare(tools, remote, (path, Some(size)), how, local).await {
            Ok(algorithm) => Ok(algorithm.is_some()),
            Err(Error::HashMismatch { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Tells whether a part that was stored is gone. Where neither it nor the final name is seen, the
    /// directory may be one that only takes.
    async fn is_taken_away(&self, remote: &mut dyn Remote, part: &str) -> bool {
        if !matches!(remote.size(part).await, Ok(None)) {
            return false;
        }
        if self.is_seen || matches!(remote.size(&self.remote).await, Ok(Some(_))) {
            return true;
        }
        let (dir, name) = names::split(part);
        let Ok(listing) = remote.list(dir).await else {
            return false;
        };
        let mut entries = listing.entries.iter().map(|entry| entry.name.as_str());
        listing.lack.is_none() && !listing.entries.is_empty() && entries.all(|entry| entry != name)
    }

    /// Gives the part its final name, or the name that the server leaves for it; returns that.
    pub(super) async fn rename(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        part: &str,
    ) -> Result<String, Error> {
        self.renaming = true;
        let name = match publish::publish(remote, part, &self.remote, &mut self.aside).await {
            Ok(name) => name,
            Err(error) => return Err(self.unpublished(tools, remote, part, error).await),
        };
        self.tell_old(tools);
        if name != self.remote {
            let (asked, given) = (display(&self.remote), display(&name));
            tools.events.message(format!(
                "`{asked}`: the server keeps what has this name; stored as `{given}`"
            ));
        }
        Ok(name)
    }

    /// Removes what had the name before, now that the file has it.
    pub(super) async fn remove_old(&mut self, tools: &Tools, remote: &mut dyn Remote) {
        publish::remove_aside(remote, &mut self.aside).await;
        self.tell_old(tools);
    }

    fn tell_old(&mut self, tools: &Tools) {
        if let Some(old) = self.aside.take() {
            let (name, old) = (display(&self.remote), display(&old));
            tools.events.message(format!(
                "`{name}`: what was there could not be removed; it is now `{old}`"
            ));
        }
    }

    /// A part that never can be published goes: the file is still here.
    async fn unpublished(
        &self,
        tools: &Tools,
        remote: &mut dyn Remote,
        part: &str,
        source: RemoteError,
    ) -> Error {
        let is_final = !source.is_transient();
        let is_taken = is_final && self.stored.is_some() && self.is_taken_away(remote, part).await;
        let goes = is_taken || (is_final && remote.remove_file(part).await.is_ok());
        match (&self.aside, &self.stored) {
            (Some(aside), _) if goes => return self.without(aside.clone(), source.into()),
            // Somebody else took it, who may send this very file.
            (None, Some(stored)) if is_taken => {
                return Error::Truncated {
                    path: part.to_owned(),
                    want: stored.size,
                    got: 0,
                };
            }
            _ => {}
        }
        let stays = !goes && is_final && !is_unwelcome(part, &source);
        if !goes && is_unwelcome(part, &source) {
            let part = display(part);
            tools.events.message(format!(
                "`{part}`: the server lets it neither be renamed nor removed; it stays"
            ));
        }
        if self.aside.is_none() && !stays {
            return source.into();
        }
        Error::Unpublished {
            path: self.remote.clone(),
            part: part.to_owned(),
            aside: self.aside.clone(),
            source: Box::new(source),
        }
    }

    /// Sets the time of what was sent, where times are kept. Returns the size, if the server tells it with its
    /// answer.
    pub(super) async fn finish_up(
        &self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        name: &str,
    ) -> Result<Option<u64>, Error> {
        let time = self.modified.or(source.modified);
        let Some(time) = time.filter(|_| tools.options.keep_times) else {
            return Ok(None);
        };
        match remote.set_modified(name, time).await {
            Ok(told) => Ok(told),
            Err(error) if error.is_transient() => Err(error.into()),
            Err(error) => {
                tools.events.message(format!("time not kept: {error}"));
                Ok(None)
            }
        }
    }

    /// After a failure: a part that can be resumed stays, anything else goes. Tells whether it is gone.
    pub(super) async fn clean_up(
        &self,
        tools: &Tools,
        remote: &mut dyn Remote,
        path: &str,
        error: &Error,
    ) -> bool {
        let resumable = path != self.remote && tools.options.resume;
        // Under a mark of chance no later run would find it.
        let is_found_again = self.mark.is_none();
        let stopped = matches!(error, Error::Interrupted);
        let keep = resumable && (error.is_transient() || stopped && is_found_again);
        let mine = path != self.remote || matches!(error, Error::Local { .. });
        // What is there is of an earlier try or run, and as good as it was.
        let never_begun = !self.has_begun
            && is_found_again
            && match error {
                Error::NoRoom { .. } => true,
                Error::Remote(error) => self.stays || is_of_stor(error),
                _ => false,
            };
        let commits_whole = remote.abilities().atomic_stor();
        if keep || !mine || never_begun || commits_whole || !remote.is_usable() {
            return false;
        }
        remote.remove_file(path).await.is_ok()
    }
}
