//! Who may log in, and what they may do: `[auth]`, `[[user]]`, `[anonymous]`.

use std::{path::PathBuf, time::Duration};

use crate::{ByteRate, Rights, Secret, SharePath, UserName};

/// `[auth]`
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// The allow-list (`allow_users` and `allow_users_file` together); `None`: every `[[user]]`.
    pub allow_users: Option<Vec<UserName>>,
    /// The deny-list; deny beats allow.
    pub deny_users: Vec<UserName>,
    /// The file the allow-list was also read from, watched for changes.
    pub allow_users_file: Option<PathBuf>,
    /// `[auth.lockout]`
    pub lockout: Lockout,
}

/// `[auth.lockout]`: per (user, address); success clears; loopback is never locked.
#[derive(Clone, Debug, PartialEq)]
pub struct Lockout {
    /// Failures in a row before the first lock; 0 turns the lock-out off.
    pub after: u32,
    /// How long the first lock lasts; doubles with each further failure.
    pub first: Duration,
    /// The longest lock.
    pub max: Duration,
}

/// One `[[user]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The login name.
    pub name: UserName,
    /// How the password is proved.
    pub password: Password,
    /// The user's root inside the share, `{user}` already filled in.
    pub home: SharePath,
    /// What the user may do.
    pub can: Rights,
    /// Limit of all the user's downloads together.
    pub rate_down: ByteRate,
    /// Limit of all the user's uploads together.
    pub rate_up: ByteRate,
    /// Sessions at once; 0: no limit.
    pub max_sessions: u32,
}

/// What the file says of a password.
#[derive(Clone, Debug, PartialEq)]
pub enum Password {
    /// An argon2id PHC string.
    Hash(Secret),
    /// Clear text, accepted only for the shipped sample user `demo` (password `demo`).
    Sample,
    /// No password in the file: this user cannot log in until `ftpd user passwd` sets one.
    Unset,
}

/// `[anonymous]`: logins as `anonymous` or `ftp` with any password.
#[derive(Clone, Debug, PartialEq)]
pub struct Anonymous {
    /// Whether anonymous logins are accepted.
    pub enabled: bool,
    /// The root of anonymous users inside the share.
    pub home: SharePath,
    /// What they may do.
    pub can: Rights,
    /// Limit of all anonymous downloads together.
    pub rate_down: ByteRate,
    /// Limit of all anonymous uploads together.
    pub rate_up: ByteRate,
    /// Sessions at once; 0: no limit.
    pub max_sessions: u32,
}
