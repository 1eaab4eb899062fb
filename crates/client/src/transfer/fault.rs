//! A copy that failed: on which side, and how its transfer ends.

use std::{io, path::Path};

use rustix::io::Errno;

use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    remote::{Data, Remote},
};

/// Which side a copy failed on.
#[derive(Debug)]
pub(super) enum CopyError {
    /// The connection.
    Remote(io::Error),
    /// The file, with the verb for the message.
    Local(&'static str, io::Error),
}

impl CopyError {
    /// Finds the side of an error of a call that touches both; `verb` is what it does with the file.
    pub(super) fn of_both(error: io::Error, verb: &'static str) -> Self {
        match is_local(&error) {
            true => Self::Local(verb, error),
            false => Self::Remote(error),
        }
    }
}

/// Tells the disk's errors from the connection's, where one call touches both: what the network does not
/// say comes from the disk, which may be a network disk (ESTALE, ENOTCONN).
fn is_local(error: &io::Error) -> bool {
    const NETWORK: [Errno; 12] = [
        Errno::PIPE,
        Errno::CONNRESET,
        Errno::CONNABORTED,
        Errno::TIMEDOUT,
        Errno::HOSTUNREACH,
        Errno::HOSTDOWN,
        Errno::NETUNREACH,
        Errno::NETDOWN,
        Errno::NETRESET,
        Errno::SHUTDOWN,
        Errno::NOBUFS,
        Errno::PROTO,
    ];
    // Our own, as of a stop, have no number.
    Errno::from_io_error(error).is_some_and(|errno| !NETWORK.contains(&errno))
}

/// Ends a transfer whose copy failed and finds the best reason: the server's reply, if there is
/// one, before a bare "connection reset".
pub(super) async fn fail(
    remote: &mut dyn Remote,
    data: Box<dyn Data>,
    verb: &'static str,
    shown: &Path,
    error: CopyError,
    cancel: &Cancel,
) -> Error {
    let broke = |source| {
        Error::Remote(RemoteError::Io {
            verb: verb.to_owned(),
            source,
        })
    };
    let error = match error {
        CopyError::Local(what, source) => Error::local(what, shown, source),
        CopyError::Remote(_) if cancel.is_stopped() => Error::Interrupted,
        CopyError::Remote(source) if is_ours(&source) => broke(source),
        CopyError::Remote(source) => {
            return match data.cut().await {
                Err(reason @ (RemoteError::Refused { .. } | RemoteError::SessionReuse { .. })) => {
                    Error::Remote(reason)
                }
                _ => broke(source),
            };
        }
    };
    drop(data);
    let _unusable = remote.settle().await;
    error
}

/// Tells whether this side has ended the transfer: the server has nothing to say of it.
fn is_ours(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::InvalidData
    )
}

#[cfg(test)]
mod tests {
    use super::{super::copy::TOO_MUCH, *};
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
            let shown = Path::new("a");
            let error = CopyError::Remote(error.into());
            let cancel = Cancel::default();
            let error = fail(&mut *remote, data, "STOR", shown, error, &cancel).await;
            assert!(error.is_transient(), "{error:?}");
            assert!(server.get("/a").is_none(), "half of it was published");
        }
    }

    #[test]
    fn the_disks_errors_are_not_the_connections() {
        let of = |errno: Errno| is_local(&io::Error::from(errno));
        for disk in [
            Errno::IO,
            Errno::STALE,
            Errno::NOTCONN,
            Errno::UCLEAN,
            Errno::NOSPC,
        ] {
            assert!(of(disk), "{disk:?}");
        }
        for network in [
            Errno::PIPE,
            Errno::CONNRESET,
            Errno::TIMEDOUT,
            Errno::HOSTUNREACH,
        ] {
            assert!(!of(network), "{network:?}");
        }
        assert!(!is_local(&io::ErrorKind::Interrupted.into()));
        assert!(!is_local(&io::Error::new(
            io::ErrorKind::InvalidData,
            TOO_MUCH
        )));
    }
}
