//! A stream that is whole on the server: it is proved and gets its name, on a new session where the one
//! before was lost, since it cannot be sent again.

use std::time::SystemTime;

use super::{
    super::{
        publish::{self, publish},
        verify,
    },
    Sent,
};
use crate::{
    error::{Error, RemoteError},
    remote::{Dial, HashVerb, Remote},
};

/// What the server has said that it has.
pub(super) struct Whole {
    /// The name that it has now.
    pub(super) name: String,
    /// The name that it is to have.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Its hash, where one is wished.
    pub(super) proof: Option<(HashVerb, String)>,
    /// Where the file is that had the name before.
    pub(super) aside: Option<String>,
    /// What is under the final name is the server's, also when it is wrong.
    pub(super) commits_whole: bool,
    /// What had the final name when it was to go there.
    pub(super) old: Old,
}

/// What had the final name before a rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    Unknown,
    /// Nothing, or a file of another size.
    Other,
    /// A file of the same size, of this time.
    Same(SystemTime),
}

impl Whole {
    /// Proves it and gives it its name; `dial` makes the session for another try.
    pub(super) async fn settle(
        mut self,
        remote: &mut dyn Remote,
        dial: Option<&dyn Dial>,
    ) -> Result<Sent, Error> {
        let mut named = self.publish(remote).await;
        // What arrived short is gone, and nothing under the names is a proof of it.
        let is_lost = |error: &Error| matches!(error, Error::Remote(error) if error.is_transient());
        if named.as_ref().is_err_and(is_lost)
            && let Some(dial) = dial
            && let Ok(mut another) = dial.dial().await
        {
            named = self.publish_again(&mut *another).await;
            another.quit().await;
        }
        match named {
            Ok(name) => Ok(Sent {
                bytes: self.bytes,
                name,
                aside: self.aside,
            }),
            // All of it is there: what could not be asked, or done, takes it from nobody.
            Err(Error::Remote(source)) if self.name != self.path => Err(Error::Unpublished {
                path: self.path,
                part: self.name,
                aside: self.aside,
                source: Box::new(source),
            }),
            Err(error) => Err(error),
        }
    }

    async fn publish(&mut self, remote: &mut dyn Remote) -> Result<String, Error> {
        let has_name = self.name == self.path;
        match self.prove(remote, &self.name).await {
            Ok(()) => {}
            // It has its name, and the server has said that it has all.
            Err(Error::Remote(_)) if has_name && self.proof.is_none() => {}
            Err(error) => {
                let is_wrong =
                    matches!(error, Error::HashMismatch { .. } | Error::Truncated { .. });
                if is_wrong && !self.commits_whole && remote.is_usable() {
                    let _gone = remote.remove_file(&self.name).await;
                }
                return Err(self.without_old(error, is_wrong));
            }
        }
        if has_name {
            return Ok(self.path.clone());
        }
        if self.proof.is_none() {
            self.old = self.look(remote).await;
        }
        Ok(publish(remote, &self.name, &self.path, &mut self.aside).await?)
    }

    /// Where what is wrong goes, and the old file had to go aside for it, nothing has the name.
    fn without_old(&self, error: Error, is_wrong: bool) -> Error {
        match self.aside.clone().filter(|_| is_wrong) {
            Some(aside) => Error::Aside {
                path: self.path.clone(),
                aside,
                source: Box::new(error),
            },
            None => error,
        }
    }

    /// Looks what has the final name, so that it is not taken for the stream where only the answer to the rename
    /// comes. Images of disks are all of one size.
    async fn look(&self, remote: &mut dyn Remote) -> Old {
        match remote.size(&self.path).await {
            Ok(Some(size)) if size == self.bytes => {}
            Ok(_) => return Old::Other,
            Err(_) => return Old::Unknown,
        }
        match remote.modified(&self.path).await {
            Ok(Some(time)) => Old::Same(time),
            _ => Old::Unknown,
        }
    }

    /// The rename of before may have been done, and its answer lost: nobody else knows the part.
    async fn publish_again(&mut self, remote: &mut dyn Remote) -> Result<String, Error> {
        if self.name == self.path || !self.was_renamed(remote).await? {
            return self.publish(remote).await;
        }
        self.prove(remote, &self.path).await?;
        publish::remove_aside(remote, &mut self.aside).await;
        Ok(self.path.clone())
    }

    /// Tells whether the part has its final name, or a hash will tell it. That it is gone, and the final name has
    /// its size, proves nothing: after a crash the part may be lost, and that the old file.
    async fn was_renamed(&self, remote: &mut dyn Remote) -> Result<bool, RemoteError> {
        let is_there = remote.size(&self.name).await?.is_some();
        if is_there || remote.size(&self.path).await? != Some(self.bytes) {
            return Ok(false);
        }
        Ok(match self.old {
            _ if self.proof.is_some() => true,
            Old::Unknown => false,
            Old::Other => true,
            Old::Same(before) => {
                let now = remote.modified(&self.path).await?;
                now.is_some_and(|now| now != before)
            }
        })
    }

    /// Compares the size, where the server tells one, and the hash.
    async fn prove(&self, remote: &mut dyn Remote, name: &str) -> Result<(), Error> {
        match verify::size_of(remote, name, false).await {
            Ok(Some(got)) if got != self.bytes => {
                return Err(Error::Truncated {
                    path: name.to_owned(),
                    want: self.bytes,
                    got,
                });
            }
            Err(error) if !matches!(error, RemoteError::Refused { .. }) => {
                return Err(error.into());
            }
            _ => {}
        }
        let Some((how, local)) = &self.proof else {
            return Ok(());
        };
        let theirs = verify::digest_of(remote, (name, Some(self.bytes)), *how).await?;
        verify::ensure_equal(name, *how, local.clone(), theirs)
    }
}
