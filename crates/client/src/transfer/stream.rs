//! Standard input and output, and anything else that is no file: no partial, no resume.

use std::{
    io::{Read, Write},
    path::Path,
};

mod terms;
mod whole;

pub use self::terms::Terms;
use self::{
    terms::{Proof, prove},
    whole::{Old, Whole},
};
pub use super::input::Input;
use super::{
    copy, fault,
    part::{is_unanswered, is_unwelcome, named, part_name},
};
use crate::{
    error::Error,
    remote::{Data, Next, OnDuplicate, Remote, Start},
    work::{blocking, chance_tag},
};

/// Makes sure that what went to standard output was taken.
///
/// # Errors
/// It was refused, as by a full network disk at the last moment.
pub fn settle_stdout() -> Result<(), Error> {
    let settled = super::local::close_again(std::io::stdout());
    settled.map_err(|error| Error::local("write", "standard output", error))
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
    let (data, copied, proof) = blocking(move || {
        let digest = proof.as_mut().map(|(_, digest)| digest);
        let copied = copy::receive_stream(&mut *data, &mut sink, digest, size, &flow);
        (data, copied, proof)
    })
    .await?;
    let got = match copied {
        Ok(got) => got,
        Err(error) => {
            let shown = Path::new("-");
            return Err(fault::fail(remote, data, "RETR", shown, error, cancel).await);
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
    prove(remote, (path, got), proof).await?;
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
    let (data, name) = begin(remote, path, terms).await?;
    let commits_whole = remote.abilities().takes_final_names();
    let (bytes, proof) = match store(remote, data, source, terms).await {
        Ok(stored) if commits_whole || !cancel.is_stopped() => stored,
        stored => {
            if !commits_whole {
                remove(remote, &name, terms).await;
            }
            return Err(stored.err().unwrap_or(Error::Interrupted));
        }
    };
    let whole = Whole {
        name,
        path: path.to_owned(),
        bytes,
        proof: proof.map(|(how, digest)| (how, digest.finish())),
        aside: None,
        commits_whole,
        old: Old::Unknown,
    };
    whole.settle(remote, terms.dial.as_deref()).await
}

/// Removes what came of a stream, on a new session if need be; who has stopped it waits for none.
async fn remove(remote: &mut dyn Remote, name: &str, terms: &Terms) {
    if remote.is_usable() {
        let _gone = remote.remove_file(name).await;
    } else if let Some(dial) = terms.dial.as_deref().filter(|_| !terms.cancel.is_stopped())
        && let Ok(mut another) = dial.dial().await
    {
        let _gone = another.remove_file(name).await;
        another.quit().await;
    }
}

/// Opens the upload; returns the name that it has until it is published.
async fn begin(
    remote: &mut dyn Remote,
    path: &str,
    terms: &Terms,
) -> Result<(Box<dyn Data>, String), Error> {
    if remote.abilities().takes_final_names() {
        remote.foresee(Next::Stream);
        return Ok((remote.open_write(path, Start::New).await?, path.to_owned()));
    }
    let part = part_name(path, &chance_tag());
    let refusal = match remote.open_write(&part, Start::New).await {
        Ok(data) => return Ok((data, part)),
        Err(refusal) => refusal,
    };
    if is_unanswered(&refusal) {
        // It may be there, and nobody else knows its name.
        remove(remote, &part, terms).await;
    }
    let replaces = remote.abilities().on_duplicate() == OnDuplicate::Overwrite;
    // What is there must not be lost to a stream that breaks.
    if !replaces || !is_unwelcome(&part, &refusal) || remote.stat(path).await?.is_some() {
        return Err(named(path, refusal).into());
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
    let (data, copied, proof) = blocking(move || {
        let digest = proof.as_mut().map(|(_, digest)| digest);
        let copied = copy::send_stream(&mut *data, &mut source, digest, &flow);
        (data, copied, proof)
    })
    .await?;
    let sent = match copied {
        Ok(sent) => sent,
        Err(error) => {
            return Err(fault::fail(remote, data, "STOR", Path::new("-"), error, cancel).await);
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
