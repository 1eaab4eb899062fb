//! What the system says, as a refusal.

use std::io;

use ftp_config::{ByteSize, SharePath};
use rustix::{
    fs::{AtFlags, statat},
    io::Errno,
};

use super::ShareError;
use crate::share::names::{LONGEST, TOO_LONG};

/// Shorter ones are within every system's limit (`PATH_MAX`) with what stands before them on the disk.
const LONGEST_PATH: usize = 2048;

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
                    false if path.as_str().len() > LONGEST_PATH => {
                        "the whole path is too long for the server's disk"
                    }
                    false => "the server's disk takes no name this long",
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

impl ShareError {
    /// Tells of the whole file where its next part has no room: the `held` bytes that there are of it go, and are free
    /// then. It has `size` bytes, if that was told.
    pub(in crate::share) fn of_whole(self, held: u64, size: Option<u64>) -> Self {
        let Self::Full {
            path, needed, free, ..
        } = self
        else {
            return self;
        };
        let come = held.saturating_add(needed.0);
        let size = size.filter(|size| *size >= come);
        Self::Full {
            path,
            needed: ByteSize(size.unwrap_or(come)),
            is_more: size.is_none(),
            free: ByteSize(free.0.saturating_add(held)),
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

    /// What has come goes when there is no room for the rest.
    #[test]
    fn what_has_come_of_a_file_counts_as_needed_and_as_free() {
        for (size, words) in [
            (
                None,
                "a: not enough room: at least 15 B needed, 13 B free after the reserve",
            ),
            (
                Some(90),
                "a: not enough room: 90 B needed, 13 B free after the reserve",
            ),
            // It has more than it said.
            (
                Some(11),
                "a: not enough room: at least 15 B needed, 13 B free after the reserve",
            ),
        ] {
            let next = ShareError::Full {
                path: SharePath::root().join("a").unwrap(),
                needed: ByteSize(5),
                is_more: false,
                free: ByteSize(3),
            };
            assert_eq!(next.of_whole(10, size).reply(), (452, words.to_owned()));
        }
    }

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
