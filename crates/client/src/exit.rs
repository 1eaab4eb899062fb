//! What the program's exit code says: one list, shown by `--help` and tested.

use crate::error::{Error, RemoteError};

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// All was done.
    Done = 0,
    /// Some items failed; the others were done.
    SomeFailed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// No connection, or a lost one.
    Connect = 3,
    /// The login was refused.
    Login = 4,
    /// No TLS where it is wanted, or its certificate is not trusted.
    Certificate = 5,
    /// The server refused.
    Refused = 6,
    /// The local side failed.
    Local = 7,
    /// Interrupted by Ctrl-C.
    Interrupted = 130,
}

/// The table at the end of `--help`.
pub const TABLE: &str = "Exit codes:
  0  done
  1  some items failed
  2  usage or configuration
  3  cannot connect, or the connection was lost
  4  login refused
  5  no TLS where it is wanted, or certificate not trusted
  6  refused by the server
  7  local files
130  interrupted";

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

impl From<&RemoteError> for ExitCode {
    fn from(error: &RemoteError) -> Self {
        match error {
            RemoteError::Resolve { .. }
            | RemoteError::Connect { .. }
            | RemoteError::Timeout { .. }
            | RemoteError::NotFtp { .. }
            | RemoteError::Io { .. }
            | RemoteError::Protocol { .. }
            | RemoteError::TooLarge { .. }
            | RemoteError::Poisoned => Self::Connect,
            RemoteError::Login { .. } => Self::Login,
            RemoteError::Tls { .. }
            | RemoteError::Untrusted { .. }
            | RemoteError::CertificateChanged { .. }
            | RemoteError::TlsRefused { .. }
            | RemoteError::TlsDowngrade { .. } => Self::Certificate,
            RemoteError::SessionReuse { .. }
            | RemoteError::Refused { .. }
            | RemoteError::BadName { .. }
            | RemoteError::Unsupported { .. } => Self::Refused,
        }
    }
}

impl From<&Error> for ExitCode {
    fn from(error: &Error) -> Self {
        match error {
            Error::Remote(error) => error.into(),
            Error::Unpublished { source, .. } | Error::NoPart { source, .. } => {
                source.as_ref().into()
            }
            Error::Aside { source, .. } | Error::Torn { source, .. } => source.as_ref().into(),
            Error::Local { .. }
            | Error::Exists { .. }
            | Error::UnsafeName { .. }
            | Error::BrokeOff
            | Error::ChangedMeanwhile { .. } => Self::Local,
            Error::Kept { .. }
            | Error::NoRoom { .. }
            | Error::Truncated { .. }
            | Error::NotAppended { .. }
            | Error::Untold { .. }
            | Error::HashMismatch { .. } => Self::Refused,
            Error::GivenUp { .. }
            | Error::LeftOut { .. }
            | Error::Stays { .. }
            | Error::Spared { .. } => Self::SomeFailed,
            Error::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Reply;

    #[test]
    fn every_code_of_the_enum_is_in_the_table() {
        use ExitCode as E;
        let codes = [
            E::Done,
            E::SomeFailed,
            E::Usage,
            E::Connect,
            E::Login,
            E::Certificate,
            E::Refused,
            E::Local,
            E::Interrupted,
        ];
        for code in codes {
            let number = format!("{:>3}  ", code as u8);
            assert!(
                TABLE.lines().any(|line| line.starts_with(&number)),
                "{code:?}"
            );
        }
        assert_eq!(TABLE.lines().count(), codes.len() + 1);
    }

    #[test]
    fn causes_have_their_codes() {
        let login = RemoteError::Login {
            again: false,
            user: "a".into(),
            reply: Reply::new(530, "no"),
        };
        assert_eq!(ExitCode::from(&login), ExitCode::Login);
        assert_eq!(ExitCode::from(&RemoteError::Poisoned), ExitCode::Connect);
        assert_eq!(ExitCode::from(&Error::Interrupted), ExitCode::Interrupted);
        let local = Error::local("open", "x", std::io::ErrorKind::NotFound.into());
        assert_eq!(ExitCode::from(&local), ExitCode::Local);
        let (path, want, got) = ("a".to_owned(), 2, 1);
        let truncated = Error::Truncated { path, want, got };
        assert_eq!(ExitCode::from(&truncated), ExitCode::Refused);
    }
}
