//! Standard input and output, and anything else that is no file: no partial, no resume.

use std::{
    io::{Read, Write},
    path::Path,
};

use super::{
    Cancel,
    copy::{self, Flow},
    publish::publish,
    task,
};
use crate::{
    error::Error,
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

/// Sends all a reader has; returns how much it was and the name that it has. The name appears under a temporary one first,
/// unless the server commits whole files itself.
///
/// # Errors
/// Either side; what arrived until then is removed.
pub async fn send_from(
    remote: &mut dyn Remote,
    mut source: impl Read + Send + 'static,
    path: &str,
    cancel: &Cancel,
) -> Result<(u64, String), Error> {
    let direct = remote.abilities().takes_final_names();
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
    let name = match direct {
        true => part,
        false => publish(remote, &part, path).await?,
    };
    Ok((sent, name))
}
