//! Why a login was refused.

use std::{fmt, time::Duration};

use super::REFUSED;
use crate::code;

/// Why a login was refused; for the log, never for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// Neither a `[[user]]` nor a guest name.
    NoSuchUser,
    /// There is an allow-list without this name.
    NotOnAllowList,
    /// The deny-list has this name.
    OnDenyList,
    /// The password is not the user's.
    WrongPassword,
    /// The user has no password yet.
    NoPassword,
    /// A guest name, and guests are not let in.
    AnonymousOff,
    /// Too many failures from this address.
    Locked {
        /// How much longer.
        left: Duration,
    },
    /// The configuration demands TLS before a login.
    PlainText,
    /// The public sample password, from another machine.
    SampleFromAfar,
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchUser => f.write_str("no such user"),
            Self::NotOnAllowList => f.write_str("not on the allow-list"),
            Self::OnDenyList => f.write_str("on the deny-list"),
            Self::WrongPassword => f.write_str("wrong password"),
            Self::NoPassword => f.write_str("no password set; `ftpd user passwd` sets one"),
            Self::AnonymousOff => f.write_str("anonymous logins are off"),
            Self::Locked { left } => write!(
                f,
                "locked after too many failures, {} s left; `ftpd unlock` lifts it",
                left.as_secs().max(1)
            ),
            Self::PlainText => f.write_str("login without TLS, and TLS is required"),
            Self::SampleFromAfar => f.write_str(
                "the sample password opens to this machine only; `ftpd user passwd` sets another",
            ),
        }
    }
}

/// A refused login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the log.
    pub reason: RefusalReason,
    /// The reply's code.
    pub code: u16,
    /// The reply's text, the same for every refusal.
    pub text: &'static str,
}

impl From<RefusalReason> for Refusal {
    fn from(reason: RefusalReason) -> Self {
        Self {
            reason,
            code: code::NOT_LOGGED_IN,
            text: REFUSED,
        }
    }
}
