//! Standard input and output, and anything else that is no file: no partial, no resume.

use std::{
    io::{Read, Write},
    path::Path,
    sync::Arc,
    time::Instant,
};

use ftp_config::{ByteRate, client::Verify};

pub use super::input::Input;
use super::{
    Cancel,
    copy::{self, Flow},
    digest::Digest,
    pace::Pace,
    part::{chance_tag, is_unwelcome, part_name},
    publish::{self, publish},
    task, verify,
};
use crate::{
    error::{Error, RemoteError},
    remote::{Data, HashVerb, OnDuplicate, Remote, Start},
};

/// Makes sure that what went to standard output was taken.
///
/// # Errors
/// It was refused, as by a full network disk at the last moment.
pub fn settle_stdout() -> Result<(), Error> {
    let settled = super::local::close_again(std::io::stdout());
    settled.map_err(|error| Error::local("write", "standard output", error))
}

/// How streams move: what stops them, how fast they may, and whether a hash proves them.
#[derive(Clone, Debug)]
pub struct Terms {
    cancel: Cancel,
    pace: Option<Arc<Pace>>,
    verify: Verify,
}

/// A hash of what passes, and how the server is asked for its own.
type Proof = (HashVerb, Digest);

impl Terms {
    /// Makes the terms of one run: streams that share them share the rate.
    #[must_use]
    pub fn new(cancel: Cancel, limit: ByteRate, verify: Verify) -> Self {
        let pace = Pace::new(limit).map(Arc::new);
        Self {
            cancel,
            pace,
            verify,
        }
    }

    /// Takes bytes that have moved, and waits as the rate wants.
    pub async fn pay(&self, bytes: usize) {
        if let Some(pace) = &self.pace {
            tokio::time::sleep(pace.take(bytes as u64, Instant::now())).await;
        }
    }

    fn flow(&self) -> Flow {
        Flow {
            cancel: self.cancel.clone(),
            pace: self.pace.clone(),
            ..Flow::default()
        }
    }

    /// The hash to prove a stream by. It passes once, so it is hashed as it does, and only when wished.
    fn proof(&self, remote: &dyn Remote) -> Result<Option<Proof>, Error> {
        if self.verify != Verify::Always {
            return Ok(None);
        }
        let how = verify::choose(self.verify, remote.abilities(), None, false)?;
        Ok(how.map(|how| (how, Digest::new(how.algorithm()))))
    }
}

/// Compares what passed with what the server has.
async fn prove(remote: &mut dyn Remote, path: &str, proof: Option<Proof>) -> Result<(), Error> {
    let Some((how, digest)) = proof else {
        return Ok(());
    };
    let theirs = verify::digest_of(remote, path, how).await?;
    let local = digest.finish();
    if local == theirs {
        return Ok(());
    }
    Err(Error::HashMismatch {
        path: path.to_owned(),
        algorithm: how.algorithm().name(),
        local,
        remote: theirs,
    })
}

/// Fetches a file into a writer; returns its size. The size is compared with what the server
/// tells.
///
/// # Errors
/// Either side; what was written stays written.
pub async fn fetch_into(
    remote: &mut dyn Remote,
    path: &str,
    mut sink: impl Write + Send + 'static,
    terms: &Terms,
) -> Result<u64, Error> {
    let cancel = &terms.cancel;
    let mut proof = terms.proof(remote)?;
    let size = remote.size(path).await?;
    let mut data = remote.open_read(path, 0).await?;
    let size = size.or(data.announced());
    data.obey(cancel);
    let flow = terms.flow();
    let (data, copied, proof) = task::blocking(move || {
        let digest = proof.as_mut().map(|(_, digest)| digest);
        let copied = copy::receive_stream(&mut *data, &mut sink, digest, size, &flow);
        (data, copied, proof)
    })
    .await?;
    let got = match copied {
        Ok(got) => got,
        Err(error) => {
            let shown = Path::new("-");
            return Err(task::fail(remote, data, "RETR", shown, error, cancel).await);
        }
    };
    data.finish().await?;
    match size {
        Some(want) if want != got => {
            return Err(Error::Truncated {
                path: path.to_owned(),
                want,
                got,
            });
        }
        _ => {}
    }
    prove(remote, path, proof).await?;
    Ok(got)
}

/// What became of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// How many bytes it had.
    pub bytes: u64,
    /// The name that it has now.
    pub name: String,
    /// Where the file is that had this name before, if it could be moved away but not removed.
    pub aside: Option<String>,
}

/// Sends all a reader has. The name appears under a temporary one first, unless the server commits
/// whole files itself, or takes no temporary name while the final one is free.
///
/// # Errors
/// Either side, or a stop; what arrived until then is removed. A stream cannot be sent again: one
/// that is whole and cannot be published is kept, and the error names it.
pub async fn send_from(
    remote: &mut dyn Remote,
    source: impl Read + Send + 'static,
    path: &str,
    terms: &Terms,
) -> Result<Sent, Error> {
    let cancel = &terms.cancel;
    terms.proof(remote)?;
    let (data, name) = begin(remote, path).await?;
    let commits_whole = remote.abilities().takes_final_names();
    let (bytes, proof) = match store(remote, data, source, terms).await {
        Ok(stored) if commits_whole || !cancel.is_stopped() => stored,
        stored => {
            if !commits_whole && remote.is_usable() {
                let _gone = remote.remove_file(&name).await;
            }
            return Err(stored.err().unwrap_or(Error::Interrupted));
        }
    };
    let mut aside = None;
    let published = match prove_whole(remote, (&name, path), bytes, proof).await {
        Ok(()) if name == path => Ok(name.clone()),
        Ok(()) => publish(remote, &name, path, &mut aside).await,
        // All of it is there; that a hash could not be had takes it from nobody.
        Err(Error::Remote(source)) if name != path => Err(source),
        Err(error) => {
            let is_wrong = matches!(error, Error::HashMismatch { .. } | Error::Truncated { .. });
            if is_wrong && !commits_whole && remote.is_usable() {
                let _gone = remote.remove_file(&name).await;
            }
            return Err(error);
        }
    };
    match published {
        Ok(name) => Ok(Sent { bytes, name, aside }),
        Err(source) => Err(Error::Unpublished {
            path: path.to_owned(),
            part: name,
            aside,
            source: Box::new(source),
        }),
    }
}

/// Proves what is stored under `name`, which is to be `path`, by its size and its hash.
async fn prove_whole(
    remote: &mut dyn Remote,
    (name, path): (&str, &str),
    bytes: u64,
    proof: Option<Proof>,
) -> Result<(), Error> {
    match compare_size(remote, name, bytes).await {
        Ok(()) => prove(remote, name, proof).await,
        // It has its name, and the server has said that it has all.
        Err(Error::Remote(_)) if name == path && proof.is_none() => Ok(()),
        other => other,
    }
}

/// Opens the upload; returns the name that it has until it is published.
async fn begin(remote: &mut dyn Remote, path: &str) -> Result<(Box<dyn Data>, String), Error> {
    if remote.abilities().takes_final_names() {
        return Ok((remote.open_write(path, Start::New).await?, path.to_owned()));
    }
    let part = part_name(path, &chance_tag());
    let refusal = match remote.open_write(&part, Start::New).await {
        Ok(data) => return Ok((data, part)),
        Err(refusal) => refusal,
    };
    let replaces = remote.abilities().on_duplicate() == OnDuplicate::Overwrite;
    // What is there must not be lost to a stream that breaks.
    if !replaces || !is_unwelcome(&part, &refusal) || remote.stat(path).await?.is_some() {
        return Err(refusal.into());
    }
    Ok((remote.open_write(path, Start::New).await?, path.to_owned()))
}

/// Sends the stream; returns its size, and what is to prove it.
async fn store(
    remote: &mut dyn Remote,
    mut data: Box<dyn Data>,
    mut source: impl Read + Send + 'static,
    terms: &Terms,
) -> Result<(u64, Option<Proof>), Error> {
    let cancel = &terms.cancel;
    data.obey(cancel);
    let (flow, mut proof) = (terms.flow(), terms.proof(remote)?);
    let (data, copied, proof) = task::blocking(move || {
        let digest = proof.as_mut().map(|(_, digest)| digest);
        let copied = copy::send_stream(&mut *data, &mut source, digest, &flow);
        (data, copied, proof)
    })
    .await?;
    let sent = match copied {
        Ok(sent) => sent,
        Err(error) => {
            return Err(task::fail(remote, data, "STOR", Path::new("-"), error, cancel).await);
        }
    };
    match data.finish().await {
        Err(_) if cancel.is_stopped() => {
            let _unusable = remote.settle().await;
            return Err(Error::Interrupted);
        }
        finished => finished?,
    }
    Ok((sent, proof))
}

/// Compares the size, where the server tells one. It has said already that all is stored.
async fn compare_size(remote: &mut dyn Remote, name: &str, sent: u64) -> Result<(), Error> {
    match remote.size(name).await {
        Ok(Some(got)) if got != sent => Err(Error::Truncated {
            path: name.to_owned(),
            want: sent,
            got,
        }),
        Err(error) if !matches!(error, RemoteError::Refused { .. }) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Gives a whole stream its name on a new session, where the one before was lost.
///
/// # Errors
/// As [`send_from`]; an error that is no [`Error::Unpublished`] comes back as it is.
pub async fn publish_again(remote: &mut dyn Remote, error: Error) -> Result<Sent, Error> {
    let (path, part, mut aside) = match error {
        Error::Unpublished {
            path, part, aside, ..
        } => (path, part, aside),
        other => return Err(other),
    };
    let published = publish(remote, &part, &path, &mut aside).await;
    let name = match published {
        Ok(name) => name,
        // Nobody else knows the part: it was renamed, and the answer was lost.
        Err(_) if is_gone(remote, &part).await && remote.size(&path).await?.is_some() => {
            publish::remove_aside(remote, &mut aside).await;
            path
        }
        Err(source) => {
            return Err(Error::Unpublished {
                path,
                part,
                aside,
                source: Box::new(source),
            });
        }
    };
    let bytes = remote.size(&name).await?.unwrap_or(0);
    Ok(Sent { bytes, name, aside })
}

async fn is_gone(remote: &mut dyn Remote, part: &str) -> bool {
    matches!(remote.size(part).await, Ok(None))
}
