//! Why a command ended without doing its work, and what to say of it.

use std::io::Write as _;

use ftp_config::defaults::is_guest;

use crate::{
    credentials::CredentialError,
    error::{Error, RemoteError},
    exit::ExitCode,
    plan::clash::Clash,
    remote::connect::NOT_IMPLICIT,
    trust::store::StoreError,
    ui::{Ui, escape::shown},
};

/// Why a command ended without doing its work.
#[derive(Debug)]
pub enum Failure {
    /// Wrong words; the second is a hint.
    Usage(String, Option<String>),
    /// The configuration cannot be used; the report is ready to print.
    Config(String),
    /// A file of this program's own cannot be used.
    Store(StoreError),
    /// No password.
    Credentials(CredentialError),
    /// The work failed.
    Work(Error),
    /// Everything was said already.
    Said(ExitCode),
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        Self::Work(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

impl From<Clash> for Failure {
    fn from(clash: Clash) -> Self {
        let hint = "move them one after the other, to names or directories of their own";
        Self::Usage(shown(&clash.to_string()), Some(hint.to_owned()))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// Makes a usage error.
    #[must_use]
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into(), None)
    }

    /// Returns the exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(..) | Self::Config(_) | Self::Store(_) => ExitCode::Usage,
            Self::Credentials(CredentialError::Interrupted) => ExitCode::Interrupted,
            Self::Credentials(_) => ExitCode::Login,
            Self::Work(error) => error.into(),
            Self::Said(code) => *code,
        }
    }

    /// Returns it in words, if it was not said before.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Usage(text, _) | Self::Config(text) => Some(text.clone()),
            Self::Store(error) => Some(chain(error)),
            Self::Credentials(error) => Some(error.to_string()),
            Self::Work(error) => Some(error.chain()),
            Self::Said(_) => None,
        }
    }

    /// Says it, with the one thing to try. Names in it are made safe for a terminal here.
    pub fn say(&self, ui: &Ui) {
        match self {
            Self::Usage(text, hint) => {
                ui.error(shown(text));
                if let Some(hint) = hint {
                    ui.hint(shown(hint));
                }
            }
            Self::Config(report) => {
                let _ = std::io::stderr().lock().write_all(report.as_bytes());
            }
            Self::Store(error) => ui.error(shown(&chain(error))),
            Self::Credentials(error) => {
                ui.error(shown(&error.to_string()));
                if let Some(hint) = credential_hint(error) {
                    ui.hint(shown(&hint));
                }
            }
            Self::Work(error) => {
                ui.error(shown(&error.chain()));
                if let Some(hint) = hint(error) {
                    ui.hint(shown(&hint));
                }
            }
            Self::Said(_) => {}
        }
    }
}

pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn credential_hint(error: &CredentialError) -> Option<String> {
    match error {
        CredentialError::NetrcReadable { path, .. } => {
            Some(format!("run `chmod 600 {}`", path.display()))
        }
        CredentialError::NoPrompt { .. } => {
            Some("set FTPC_PASSWORD, or write the password in the site's table".to_owned())
        }
        CredentialError::CommandNotRun { path } => Some(format!(
            "if you trust it, name it: `--config {}`",
            path.display()
        )),
        CredentialError::Command(_) | CredentialError::Interrupted => None,
    }
}

/// The one thing to try, where there is one.
pub(crate) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Exists { .. } => {
            Some("replace it with `--force`, or fetch what is missing with `ftpc sync`".to_owned())
        }
        Error::Remote(RemoteError::CertificateChanged { endpoint, .. }) => Some(format!(
            "ask whoever runs the server; if it is meant, run `ftpc trust remove {endpoint}`"
        )),
        Error::Remote(RemoteError::Untrusted { endpoint, .. }) => Some(format!(
            "compare it with what the server shows, then run `ftpc trust add {endpoint}`"
        )),
        Error::Remote(RemoteError::TlsDowngrade { endpoint, .. }) => Some(format!(
            "somebody may be in between; if TLS was turned off on purpose, run `ftpc trust remove {endpoint}`"
        )),
        Error::Remote(RemoteError::TlsRefused { .. }) => {
            Some("`--tls auto` takes clear text where the server has no TLS".to_owned())
        }
        Error::Remote(RemoteError::Tls { reason, .. }) if reason == NOT_IMPLICIT => Some(
            "that port does not speak TLS from the first byte; `--tls required` asks for it first"
                .to_owned(),
        ),
        Error::Remote(RemoteError::Tls { .. }) => Some(
            "its TLS does not work; where nobody can be in between, `--tls off` speaks clear text"
                .to_owned(),
        ),
        Error::Remote(RemoteError::Login { user, .. }) if is_guest(user) => Some(
            "say who you are: `-u NAME`, `ftp://NAME@HOST`, or `user NAME` at the prompt"
                .to_owned(),
        ),
        Error::Remote(refusal) if is_of_kept_part(refusal) => {
            Some("the part stays there; `--no-resume` begins anew".to_owned())
        }
        _ => None,
    }
}

/// Tells whether a server stores no more in a part that it has, though there is room: to append may be all that it
/// does not allow.
fn is_of_kept_part(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Refused { verb, path: Some(path), reply }
        if matches!(verb.as_str(), "STOR" | "APPE")
            && path.ends_with(".ftpc-part")
            && matches!(reply.code, 550 | 553)
            && !error.is_no_room())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Reply;

    #[test]
    fn what_is_refused_to_a_kept_part_may_be_begun_anew() {
        let refused = |path: &str, words| {
            let (verb, path) = ("APPE".to_owned(), Some(path.to_owned()));
            let reply = Reply::new(550, words);
            hint(&Error::Remote(RemoteError::Refused { verb, path, reply }))
        };
        let hint = refused("/a.1234.ftpc-part", "Permission denied").unwrap();
        assert!(hint.contains("--no-resume"), "{hint}");
        assert_eq!(refused("/a.1234.ftpc-part", "No space left"), None);
        assert_eq!(refused("/a", "Permission denied"), None);
    }
}
