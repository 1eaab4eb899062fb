//! What ends a run of `ftpd`, as a sentence, a hint and an exit code.
//!
//! Rooms have their own errors; this one adds what the person at the terminal needs.

use std::{io, net::SocketAddr, path::PathBuf};

use rustix::io::Errno;
use thiserror::Error;

use crate::{auth::password::HashError, tls::TlsError};

/// Why a verb did not do its work.
#[derive(Debug, Error)]
pub enum Error {
    /// The command line asks for something impossible, or the configuration is faulty.
    #[error("{0}")]
    Usage(String),
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ftp_config::ConfigError),
    /// An address cannot be listened on.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The sample password would be reachable from the network.
    #[error("refusing to listen on {address} while user `{user}` has the sample password `demo`")]
    SamplePassword {
        /// The address that is not loopback.
        address: SocketAddr,
        /// The sample user.
        user: String,
    },
    /// The shared directory cannot be opened.
    #[error(transparent)]
    Share(#[from] crate::share::OpenError),
    /// The certificate cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A password cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Something of the system failed.
    #[error("{what}: {source}")]
    System {
        /// What was tried, as a verb phrase.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody answers on the status socket.
    #[error("no running ftpd found for `{}`", config.display())]
    NotRunning {
        /// The configuration file that names the daemon.
        config: PathBuf,
    },
    /// The running daemon refused.
    #[error("{0}")]
    Refused(String),
    /// Checks found faults (already printed).
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// Wraps an I/O error with what was tried.
    pub fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }

    /// Returns the exit code: 2 for usage and configuration, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Config(_)
            | Self::SamplePassword { .. }
            | Self::Tls(
                TlsError::Unreadable { .. }
                | TlsError::Half { .. }
                | TlsError::Pem { .. }
                | TlsError::Mismatch { .. },
            ) => 2,
            _ => 1,
        }
    }

    /// Returns the one thing to try, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { address, source } if has_no_family(source) => {
                let port = address.port();
                Some(format!(
                    "this system has no IPv6: server.listen = [\"0.0.0.0:{port}\"]"
                ))
            }
            Self::Listen { address, source } => listen_hint(*address, source.kind()),
            Self::SamplePassword { user, .. } => Some(format!(
                "`ftpd user passwd {user}` sets a password of your own"
            )),
            Self::Tls(error) => tls_hint(error),
            Self::Share(error)
                if error.source.raw_os_error() == Some(Errno::NOSYS.raw_os_error()) =>
            {
                Some(
                    "Linux 5.6 or newer is needed (openat2), and a sandbox must not take it away: \
                     systemd does for RestrictSUIDSGID= and DynamicUser="
                        .to_owned(),
                )
            }
            Self::NotRunning { .. } => Some(
                "start it with `ftpd --config FILE`, and give the same `--config` here".to_owned(),
            ),
            _ => None,
        }
    }
}

fn listen_hint(address: SocketAddr, kind: io::ErrorKind) -> Option<String> {
    let port = address.port();
    match kind {
        io::ErrorKind::AddrInUse => Some(format!(
            "another program has port {port}: stop it (`ss -ltnp sport = :{port}` names it), or \
             change `server.listen` (for the metrics, `metrics.listen`)"
        )),
        io::ErrorKind::PermissionDenied => Some(format!(
            "port {port} needs privilege: use a port from 1024 up, or \
             `sudo setcap cap_net_bind_service=+ep $(command -v ftpd)`, or the systemd unit"
        )),
        io::ErrorKind::AddrNotAvailable => Some(format!(
            "{} is not an address of this machine (`ip address` lists them); `[::]:{port}` \
             listens on all",
            address.ip()
        )),
        _ => None,
    }
}

fn tls_hint(error: &TlsError) -> Option<String> {
    match error {
        TlsError::Unreadable { key, path, source } => Some(match source.kind() {
            io::ErrorKind::PermissionDenied => format!(
                "the user that ftpd runs as must be able to read it: `chgrp GROUP {0}` and \
                 `chmod 640 {0}`",
                path.display()
            ),
            _ => format!(
                "correct `{key}`, or remove `tls.cert` and `tls.key`: then ftpd makes a certificate"
            ),
        }),
        TlsError::Mismatch { .. } => Some(
            "the server's own certificate comes first in the file of `tls.cert`, those that vouch for it behind it, and \
             `tls.key` is its key; those that ftpd has made are made anew by `ftpd cert --renew`"
                .to_owned(),
        ),
        TlsError::Pem { .. } => Some(
            "correct `tls.cert` and `tls.key`; those that ftpd has made are made anew by \
             `ftpd cert --renew`"
                .to_owned(),
        ),
        TlsError::Half { .. } => Some("`ftpd cert --renew` makes both anew".to_owned()),
        TlsError::Io(source) if source.kind() == io::ErrorKind::PermissionDenied => Some(
            "where the server may not write, root makes its certificate: `ftpd cert --renew`, \
             then `chgrp GROUP` and `chmod 640` the key"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Tells whether the system knows no addresses of this kind.
pub(crate) fn has_no_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_says_how_to_find_the_other_program() {
        let error = Error::Listen {
            address: "127.0.0.1:21".parse().unwrap(),
            source: io::ErrorKind::AddrInUse.into(),
        };
        assert!(error.to_string().starts_with("listen on 127.0.0.1:21: "));
        assert!(error.hint().unwrap().contains("ss -ltnp sport = :21"));
        assert_eq!(error.exit_code(), 1);
        let share = Error::Share(crate::share::OpenError {
            root: "/srv/share".into(),
            source: Errno::NOSYS.into(),
        });
        assert!(share.hint().unwrap().contains("RestrictSUIDSGID"));
        assert_eq!(Error::Usage(String::new()).exit_code(), 2);
    }
}
