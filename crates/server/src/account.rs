//! What a login yields: who someone is in the share and what they may do there.
//!
//! `auth` makes an [`Account`], `share`, the engines and `status` read it. It holds no password.

use std::fmt;

use ftp_config::{ByteRate, Rights, SharePath, UserName};
use unftp_core::auth::UserDetail;

/// One person (or anybody, when anonymous) who has logged in.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The login name; `anonymous` for guests, whichever of the two names they used.
    pub name: UserName,
    /// Whether this is the guest account, which needs no password.
    pub anonymous: bool,
    /// The account's root inside the share.
    pub home: SharePath,
    /// What the account may do.
    pub rights: Rights,
    /// Limit of all the account's downloads together.
    pub rate_down: ByteRate,
    /// Limit of all the account's uploads together.
    pub rate_up: ByteRate,
    /// Sessions at once; 0: no limit.
    pub max_sessions: u32,
}

impl Account {
    /// Where a path of this account is in the share.
    #[must_use]
    pub fn in_share(&self, path: &SharePath) -> SharePath {
        let joined = self.home.join_known(&path.as_str()[1..]);
        joined.unwrap_or_else(|_| path.clone())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// The home is not given to libunftp: `share` opens it below the share's directory handle.
impl UserDetail for Account {}
