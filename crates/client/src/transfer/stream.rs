//! Standard input and output, and anything else that is no file: no partial, no resume.

use std::{
    io::{Read, Write},
    path::Path,
};

pub use super::input::Input;
use super::{
    Cancel,
    copy::{self, Flow},
    part::{chance_tag, is_unwelcome, part_name},
    publish::publish,
    task,
};
use crate::{
    error::Error,
    remote::{Data, OnDuplicate, Remote, Start},
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
    cancel: &Cancel,
) -> Result<u64, Error> {
    let size = remote.size(path).await?;
    let mut data = remote.open_read(path, 0).await?;
    data.obey(cancel);
    let flow = Flow {
        cancel: cancel.clone(),
        ..Flow::default()
    };
    let (data, copied) = task::blocking(move || {
        let copied = copy::receive_stream(&mut *data, &mut sink, &flow);
        (data, copied)
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
        Some(want) if want != got => Err(Error::Truncated {
            path: path.to_owned(),
            want,
            got,
        }),
        _ => Ok(got),
    }
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
    cancel: &Cancel,
) -> Result<Sent, Error> {
    let (data, name) = begin(remote, path).await?;
    let commits_whole = remote.abilities().takes_final_names();
    let bytes = match store(remote, data, source, &name, cancel).await {
        Ok(bytes) if commits_whole || !cancel.is_stopped() => bytes,
        stored => {
            if !commits_whole && remote.is_usable() {
                let _gone = remote.remove_file(&name).await;
            }
            return Err(stored.err().unwrap_or(Error::Interrupted));
        }
    };
    let mut aside = None;
    if name == path {
        return Ok(Sent { bytes, name, aside });
    }
    match publish(remote, &name, path, &mut aside).await {
        Ok(name) => Ok(Sent { bytes, name, aside }),
        Err(source) => Err(Error::Unpublished {
            path: path.to_owned(),
            part: name,
            aside,
            source: Box::new(source),
        }),
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

/// Sends the stream to this name and proves its size.
async fn store(
    remote: &mut dyn Remote,
    mut data: Box<dyn Data>,
    mut source: impl Read + Send + 'static,
    name: &str,
    cancel: &Cancel,
) -> Result<u64, Error> {
    data.obey(cancel);
    let flow = Flow {
        cancel: cancel.clone(),
        ..Flow::default()
    };
    let (data, copied) = task::blocking(move || {
        let copied = copy::send_stream(&mut *data, &mut source, &flow);
        (data, copied)
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
    match remote.size(name).await? {
        Some(got) if got != sent => Err(Error::Truncated {
            path: name.to_owned(),
            want: sent,
            got,
        }),
        _ => Ok(sent),
    }
}
