//! Why the share refused: the facts, the reply that the client gets, the reason for the log.

mod system;

use std::io;

use ftp_config::{ByteSize, Right, SharePath};

pub(super) use self::system::{owner, whose};
use crate::code;

/// One refusal. The reply to a logged-in user says what is wrong and never names a path on disk.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The account lacks a right.
    #[error("{path}: you do not have the right `{}` here", right.word())]
    Right {
        /// What was asked for.
        path: SharePath,
        /// What is missing.
        right: Right,
    },
    /// There is no such file or directory.
    #[error("{path}: no such file or directory")]
    Missing {
        /// The path.
        path: SharePath,
    },
    /// The directory that should hold the name is not there.
    #[error("{path}: the directory {parent} does not exist")]
    NoParent {
        /// The path.
        path: SharePath,
        /// Its directory.
        parent: SharePath,
    },
    /// A file was meant.
    #[error("{path}: is a directory")]
    IsDirectory {
        /// The path.
        path: SharePath,
    },
    /// A directory was meant.
    #[error("{path}: is not a directory")]
    NotDirectory {
        /// The path.
        path: SharePath,
    },
    /// A FIFO, a socket or a device: listed, never opened.
    #[error("{path}: is not a regular file")]
    Special {
        /// The path.
        path: SharePath,
    },
    /// A link that leads outside the share.
    #[error("{path}: is a link that leads outside the share")]
    Outside {
        /// The path.
        path: SharePath,
    },
    /// The name is taken.
    #[error("{path}: exists already")]
    Exists {
        /// The path.
        path: SharePath,
    },
    /// A directory was to be made where there is something.
    #[error("{path}: exists already")]
    Made {
        /// The path.
        path: SharePath,
    },
    /// The directory holds something.
    #[error("{path}: the directory is not empty")]
    NotEmpty {
        /// The path.
        path: SharePath,
    },
    /// The home directory itself is not for removing or renaming.
    #[error("/: the root directory cannot be removed or renamed")]
    Root,
    /// A directory cannot move into itself.
    #[error("{path}: a directory cannot be moved into itself")]
    IntoItself {
        /// The path.
        path: SharePath,
    },
    /// A rename to another file system.
    #[error("{path}: another disk is mounted there; copy the file and remove the old one")]
    OtherDisk {
        /// The path.
        path: SharePath,
    },
    /// A name that the server keeps for itself or that cannot be on disk.
    #[error("{path}: this name is not allowed: {why}")]
    Name {
        /// The path.
        path: SharePath,
        /// Why.
        why: &'static str,
    },
    /// An offset behind the end. `ftpc` reads the number behind `beyond the`, which no other reply tells.
    #[error("{path}: offset {offset} is beyond the {size} bytes that are here")]
    Offset {
        /// The path.
        path: SharePath,
        /// The offset asked for.
        offset: u64,
        /// What there is.
        size: u64,
    },
    /// Bytes that were kept of an upload are not those of the file that is there: which of them the client
    /// goes on with cannot be told.
    #[error(
        "{path}: the unfinished upload that is kept differs from this file; send it whole, from 0"
    )]
    Differs {
        /// The path.
        path: SharePath,
    },
    /// No room.
    #[error("{path}: not enough room: {}{needed} needed, {free} free after the reserve", if *is_more { "at least " } else { "" })]
    Full {
        /// The path.
        path: SharePath,
        /// Bytes that are wanted.
        needed: ByteSize,
        /// There may be more to come.
        is_more: bool,
        /// Bytes that may be used.
        free: ByteSize,
    },
    /// The disk itself says that it is full: no room, or no more files.
    #[error("{path}: the server's disk is full{}", if *quota { " up to your quota" } else { "" })]
    DiskFull {
        /// The path.
        path: SharePath,
        /// A quota says so.
        quota: bool,
    },
    /// The disk's format does not know the wish, such as modes on FAT.
    #[error("{path}: the server's disk cannot do that")]
    Unsupported {
        /// The path.
        path: SharePath,
    },
    /// The disk's format holds no file of this size (FAT: 4 GiB).
    #[error("{path}: the server's disk cannot hold a file this large")]
    TooLarge {
        /// The path.
        path: SharePath,
    },
    /// The file that an upload was to go on behind has become another one meanwhile.
    #[error(
        "{path}: somebody has changed this file meanwhile; it is as they left it, so try again"
    )]
    Busy {
        /// The path.
        path: SharePath,
    },
    /// An upload of the same account is writing what this one was to go on with.
    #[error("{path}: another session of yours is sending this file; try again when it has ended")]
    Held {
        /// The path.
        path: SharePath,
    },
    /// The system refused by its permissions.
    #[error("{path}: permission denied on the server ({whose})")]
    Denied {
        /// The path.
        path: SharePath,
        /// Owner and mode of what refused.
        whose: String,
    },
    /// The system holds it: a disk is mounted there.
    #[error("{path}: is in use on the server; a disk may be mounted there")]
    InUse {
        /// The path.
        path: SharePath,
    },
    /// The share is on a read-only file system.
    #[error("{path}: the server's disk is read-only")]
    ReadOnly {
        /// The path.
        path: SharePath,
    },
    /// A hash was stopped.
    #[error("{path}: stopped")]
    Stopped {
        /// The path.
        path: SharePath,
    },
    /// Anything else that the system said.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: SharePath,
        /// The system's error.
        source: io::Error,
    },
}

impl ShareError {
    /// Returns the reply code of RFC 959 §4.2 (554 by RFC 3659 §5).
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Full { .. } | Self::DiskFull { .. } => code::NO_ROOM,
            Self::TooLarge { .. } => code::OVER_ALLOCATION,
            Self::Busy { .. } | Self::Held { .. } => code::BUSY,
            Self::Stopped { .. } => code::ABORTED,
            Self::Name { .. } | Self::Exists { .. } => code::BAD_NAME,
            Self::Offset { .. } | Self::Differs { .. } => code::BAD_OFFSET,
            Self::Io { .. } => code::LOCAL_ERROR,
            Self::Right { .. }
            | Self::Missing { .. }
            | Self::NoParent { .. }
            | Self::IsDirectory { .. }
            | Self::NotDirectory { .. }
            | Self::Special { .. }
            | Self::Outside { .. }
            | Self::NotEmpty { .. }
            | Self::Made { .. }
            | Self::Root
            | Self::IntoItself { .. }
            | Self::OtherDisk { .. }
            | Self::Denied { .. }
            | Self::ReadOnly { .. }
            | Self::InUse { .. }
            | Self::Unsupported { .. } => code::UNAVAILABLE,
        }
    }

    /// Returns the reply: its code and its text, paths without the leading `/`.
    #[must_use]
    pub fn reply(&self) -> (u16, String) {
        let text = self.to_string();
        let text = match text.strip_prefix('/') {
            Some(rest) if !rest.starts_with(':') => rest.to_owned(),
            _ => text,
        };
        (self.code(), text)
    }

    /// Returns what the log should say beside the reply, when that is more.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Outside { .. } => {
                Some("a symbolic link leads outside the share; it is never followed")
            }
            Self::Special { .. } => Some("devices, FIFOs and sockets are never opened"),
            _ => None,
        }
    }
}
