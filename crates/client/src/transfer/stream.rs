//! Standard input and output, and anything else that is no file: no partial, no resume.

use std::{
    io::{Read, Write},
    path::Path,
};

use super::{
    Cancel,
    copy::{self, Flow},
    task,
};
use crate::{
    error::{Error, RemoteError},
    remote::{Remote, Start},
};

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

/// Sends all a reader has; returns how much it was. The name appears under a temporary one first,
/// unless the server commits whole files itself.
///
/// # Errors
/// Either side; what arrived until then is removed.
pub async fn send_from(
    remote: &mut dyn Remote,
    mut source: impl Read + Send + 'static,
    path: &str,
    cancel: &Cancel,
) -> Result<u64, Error> {
    let direct = remote.abilities().atomic_stor();
    let part = if direct {
        path.to_owned()
    } else {
        format!("{path}.ftpc-part")
    };
    let mut data = remote.open_write(&part, Start::New).await?;
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
            let error = task::fail(remote, data, "STOR", Path::new("-"), error, cancel).await;
            if !direct && remote.is_usable() {
                let _gone = remote.remove_file(&part).await;
            }
            return Err(error);
        }
    };
    data.finish().await?;
    if let Some(got) = remote.size(&part).await?
        && got != sent
    {
        let _gone = remote.remove_file(&part).await;
        return Err(Error::Truncated {
            path: path.to_owned(),
            want: sent,
            got,
        });
    }
    if !direct {
        publish(remote, &part, path).await?;
    }
    Ok(sent)
}

async fn publish(remote: &mut dyn Remote, part: &str, path: &str) -> Result<(), RemoteError> {
    match remote.rename(part, path).await {
        Err(error @ RemoteError::Refused { .. }) if !error.is_transient() => {
            if remote.remove_file(path).await.is_err() {
                return Err(error);
            }
            remote.rename(part, path).await
        }
        other => other,
    }
}
