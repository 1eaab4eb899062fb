//! What the share tells of a file: kind, size, times, mode, and what the account may do with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ftp_config::{Right, Rights};
use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_NOW};

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link that is shown as one.
    Link,
    /// A device, FIFO or socket: listed, never opened.
    Other,
}

impl Kind {
    pub(super) fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Dir,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

/// Which file it is: the same under all its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    /// The disk.
    pub device: u64,
    /// The file's number on it.
    pub inode: u64,
}

impl FileId {
    /// Of a name of which the system tells nothing.
    const UNKNOWN: Self = Self {
        device: 0,
        inode: 0,
    };

    /// Reads it from a `stat`.
    #[must_use]
    pub fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

/// The facts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Last change of the bytes.
    pub modified: SystemTime,
    /// Permission bits.
    pub mode: u32,
    /// Which file it is.
    pub id: FileId,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// Names of the file.
    pub links: u64,
}

impl Meta {
    /// Reads the facts of a `stat`.
    #[must_use]
    pub fn of(stat: &Stat) -> Self {
        Self {
            kind: Kind::of(FileType::from_raw_mode(stat.st_mode)),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: time(
                stat.st_mtime,
                u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            ),
            mode: stat.st_mode & 0o7777,
            id: FileId::of(stat),
            uid: stat.st_uid,
            gid: stat.st_gid,
            links: u64::from(stat.st_nlink as u32),
        }
    }

    /// What is known of a name of which the system tells nothing.
    pub(super) fn unknown(kind: Kind) -> Self {
        Self {
            kind,
            size: 0,
            modified: UNIX_EPOCH,
            mode: 0,
            id: FileId::UNKNOWN,
            uid: 0,
            gid: 0,
            links: 1,
        }
    }

    /// Tells whether the system told nothing.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.id == FileId::UNKNOWN && self.mode == 0
    }

    /// Returns the `unique` fact (RFC 3659 §7.5.2).
    #[must_use]
    pub fn unique(&self) -> String {
        format!("{:x}g{:x}", self.id.device, self.id.inode)
    }

    /// Returns the `perm` fact (RFC 3659 §7.5.5): what this account may do with this name.
    #[must_use]
    pub fn perm(&self, rights: Rights) -> String {
        let letters: &[(char, &[Right])] = match self.kind {
            Kind::Dir => &[
                ('c', &[Right::Write]),
                ('d', &[Right::Delete]),
                ('e', &[]),
                ('f', &[Right::Rename]),
                ('l', &[Right::List]),
                ('m', &[Right::Mkdir]),
                ('p', &[Right::Delete]),
            ],
            Kind::File => &[
                ('a', &[Right::Write, Right::Overwrite]),
                ('d', &[Right::Delete]),
                ('f', &[Right::Rename]),
                ('r', &[Right::Read]),
                ('w', &[Right::Write, Right::Overwrite]),
            ],
            Kind::Link | Kind::Other => &[('d', &[Right::Delete]), ('f', &[Right::Rename])],
        };
        letters
            .iter()
            .filter(|(_, needed)| needed.iter().all(|right| rights.allows(*right)))
            .map(|(letter, _)| *letter)
            .collect()
    }
}

fn time(secs: i64, nanos: u32) -> SystemTime {
    let whole = Duration::from_secs(secs.unsigned_abs());
    let base = if secs < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    base.unwrap_or(UNIX_EPOCH) + Duration::from_nanos(u64::from(nanos))
}

/// The times of a file that was changed then. It is accessed now: some FUSE disks (libfuse 2) take the
/// one time only together with the other, and say nothing when they do not.
pub(super) fn modified_at(time: SystemTime) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        },
        last_modification: timespec(time),
    }
}

fn timespec(time: SystemTime) -> Timespec {
    let (secs, nanos) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (seconds(since), since.subsec_nanos()),
        // The part of a second counts upwards from the whole one before.
        Err(before) => match before.duration() {
            whole if whole.subsec_nanos() == 0 => (-seconds(whole), 0),
            more => (-seconds(more) - 1, 1_000_000_000 - more.subsec_nanos()),
        },
    };
    Timespec {
        tv_sec: secs,
        tv_nsec: nanos.into(),
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_are_set_and_read_as_they_are() {
        let half = Duration::from_millis(500);
        for (time, want) in [
            (UNIX_EPOCH + half, (0, 500_000_000)),
            (UNIX_EPOCH - half, (-1, 500_000_000)),
            (UNIX_EPOCH - 3 * half, (-2, 500_000_000)),
            (UNIX_EPOCH - 2 * half, (-1, 0)),
        ] {
            let spec = timespec(time);
            assert_eq!((spec.tv_sec, spec.tv_nsec), want);
            let nanos = u32::try_from(spec.tv_nsec).unwrap();
            assert_eq!(super::time(spec.tv_sec, nanos), time);
        }
    }

    #[test]
    fn perm_tells_what_the_account_may_do() {
        let stat = rustix::fs::stat("/").unwrap();
        let dir = Meta::of(&stat);
        let file = Meta {
            kind: Kind::File,
            ..dir
        };
        assert_eq!(dir.perm(Rights::READ_WRITE), "cdeflmp");
        assert_eq!(dir.perm(Rights::READ_ONLY), "el");
        assert_eq!(dir.perm(Rights::DROPBOX), "cem");
        assert_eq!(file.perm(Rights::READ_WRITE), "adfrw");
        assert_eq!(file.perm(Rights::READ_ONLY), "r");
        assert_eq!(file.perm(Rights::DROPBOX), "");
    }
}
