//! What the system says, as a refusal.

use std::io;

use ftp_config::SharePath;
use rustix::{
    fs::{AtFlags, statat},
    io::Errno,
};

use super::ShareError;
use crate::share::names::{LONGEST, TOO_LONG};

impl ShareError {
    /// Makes an error of what the system said about `path`.
    #[must_use]
    pub fn from_io(path: &SharePath, source: io::Error) -> Self {
        let path = path.clone();
        match Errno::from_io_error(&source) {
            Some(Errno::NOENT) => Self::Missing { path },
            Some(Errno::NOTDIR) => Self::NotDirectory { path },
            Some(Errno::ISDIR) => Self::IsDirectory { path },
            Some(Errno::EXIST) => Self::Exists { path },
            Some(Errno::NOTEMPTY) => Self::NotEmpty { path },
            Some(Errno::XDEV) => Self::Outside { path },
            Some(Errno::LOOP) => Self::Outside { path },
            Some(Errno::ROFS) => Self::ReadOnly { path },
            Some(Errno::NXIO) => Self::Special { path },
            Some(Errno::NAMETOOLONG) => {
                let why = match path.components().any(|name| name.len() > LONGEST) {
                    true => TOO_LONG,
                    false => "the whole path is too long for the server's disk",
                };
                Self::Name { path, why }
            }
            Some(Errno::INVAL | Errno::ILSEQ) => Self::Name {
                path,
                why: "the server's disk cannot hold it",
            },
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied {
                path,
                whose: "owner unknown".to_owned(),
            },
            Some(full @ (Errno::NOSPC | Errno::DQUOT)) => Self::DiskFull {
                path,
                quota: full == Errno::DQUOT,
            },
            Some(Errno::OPNOTSUPP | Errno::NOSYS) => Self::Unsupported { path },
            Some(Errno::FBIG) => Self::TooLarge { path },
            _ => Self::Io { path, source },
        }
    }
}

/// Asks the owner and mode of what refused, for the words of [`ShareError::Denied`].
pub(in crate::share) fn whose(dir: impl std::os::fd::AsFd) -> String {
    let Ok(stat) = statat(dir, "", AtFlags::EMPTY_PATH) else {
        return "owner unknown".to_owned();
    };
    format!(
        "owner {}, mode {:o}",
        owner(stat.st_uid),
        stat.st_mode & 0o7777
    )
}

/// Returns a user's name, or the number that has none.
pub(in crate::share) fn owner(uid: u32) -> String {
    let user = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn what_refused_is_told_by_its_owners_name() {
        let root = File::open("/").unwrap();
        assert!(
            whose(&root).starts_with("owner root, mode "),
            "{}",
            whose(&root)
        );
    }
}
