//! What all transfers share: blocking threads, and the end of a copy that failed.

use std::io;

use super::copy::CopyError;
use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    remote::{Data, Remote},
};

/// Ends a transfer whose copy failed and finds the best reason: the server's reply, if there is
/// one, before a bare "connection reset".
pub(super) async fn fail(
    remote: &mut dyn Remote,
    data: Box<dyn Data>,
    verb: &'static str,
    shown: &std::path::Path,
    error: CopyError,
    cancel: &Cancel,
) -> Error {
    let source = match error {
        CopyError::Local(what, source) => {
            drop(data);
            let _unusable = remote.settle().await;
            return Error::local(what, shown, source);
        }
        CopyError::Remote(_) if cancel.is_stopped() => {
            drop(data);
            let _unusable = remote.settle().await;
            return Error::Interrupted;
        }
        CopyError::Remote(source) => source,
    };
    match source.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::InvalidData => {
            drop(data);
            let _unusable = remote.settle().await;
            Error::Remote(RemoteError::Io {
                verb: verb.to_owned(),
                source,
            })
        }
        _ => match data.cut().await {
            Err(reason @ (RemoteError::Refused { .. } | RemoteError::SessionReuse { .. })) => {
                Error::Remote(reason)
            }
            _ => Error::Remote(RemoteError::Io {
                verb: verb.to_owned(),
                source,
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::{Dial as _, Start, memory::Memory};

    #[tokio::test]
    async fn an_upload_that_failed_has_no_end() {
        let server = Memory::new(&[]);
        let mut remote = server.dial().await.unwrap();
        for error in [
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::HostUnreachable,
        ] {
            let mut data = remote.open_write("/a", Start::New).await.unwrap();
            data.write_all(b"half").unwrap();
            let shown = std::path::Path::new("a");
            let error = CopyError::Remote(error.into());
            let cancel = Cancel::default();
            let error = fail(&mut *remote, data, "STOR", shown, error, &cancel).await;
            assert!(error.is_transient(), "{error:?}");
            assert!(server.get("/a").is_none(), "half of it was published");
        }
    }
}
