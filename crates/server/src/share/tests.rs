//! The share's promises, on real directories.

mod access;
mod entries;
mod kept;
mod owners;
mod reserved;
mod resuming;
mod rights;
mod stale;
mod takeover;
mod uploads;

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _, path::Path};

use ftp_config::{
    ByteRate, ByteSize, Right, Rights,
    server::{Fsync, OnDuplicate},
};

use super::*;
use crate::skip::skip;

pub(crate) struct Bed {
    dir: tempfile::TempDir,
    share: server::Share,
    uploads: Uploads,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let share = server::Share {
            root: dir.path().join("share"),
            reserve: Reserve::Bytes(ByteSize(0)),
            umask: 0o022,
            show_dotfiles: true,
            show_owner: false,
        };
        let uploads = Uploads {
            on_duplicate: OnDuplicate::Overwrite,
            keep_partial_for: std::time::Duration::from_secs(3600),
            fsync: Fsync::File,
            mode: 0o666,
        };
        Self {
            dir,
            share,
            uploads,
        }
    }

    pub(crate) fn home(&self, rights: Rights, home: &str) -> Home {
        self.enter("ann", false, rights, home)
    }

    pub(super) fn set_fsync(&mut self, fsync: Fsync) {
        self.uploads.fsync = fsync;
    }

    /// Another user who may do everything.
    fn other(&self, name: &str) -> Home {
        self.enter(name, false, Rights::READ_WRITE, "/")
    }

    fn guest(&self) -> Home {
        self.enter("anonymous", true, Rights::READ_WRITE, "/")
    }

    fn enter(&self, name: &str, anonymous: bool, rights: Rights, home: &str) -> Home {
        let share = Share::open(&self.share, &self.uploads).unwrap();
        let account = Account {
            name: name.parse().unwrap(),
            anonymous,
            home: home.parse().unwrap(),
            rights,
            rate_down: ByteRate::UNLIMITED,
            rate_up: ByteRate::UNLIMITED,
            max_sessions: 0,
        };
        share.enter(&Arc::new(account)).unwrap()
    }

    pub(super) fn disk(&self, path: &str) -> PathBuf {
        self.share.root.join(path)
    }

    pub(crate) fn partials(&self) -> usize {
        let names = fs::read_dir(&self.share.root).unwrap();
        names
            .filter(|entry| names::is_partial(&entry.as_ref().unwrap().file_name()))
            .count()
    }
}

pub(crate) fn path(text: &str) -> SharePath {
    SharePath::root().join(text).unwrap()
}

fn store(home: &Home, name: &str, intent: Intent, bytes: &[u8]) -> Result<Committed, ShareError> {
    let mut upload = home.begin_upload(&path(name), intent, None)?;
    upload.start(&|| false)?;
    upload.file().write_all(bytes).unwrap();
    upload.commit(None)
}

pub(crate) const FRESH: Intent = Intent::Store { offset: 0 };

/// Going on at an offset.
fn at(offset: u64) -> Intent {
    Intent::Store { offset }
}

/// Sends these bytes, and breaks off.
fn interrupted(home: &Home, name: &str, bytes: &[u8]) {
    let mut upload = home.begin_upload(&path(name), FRESH, None).unwrap();
    upload.start(&|| false).unwrap();
    upload.file().write_all(bytes).unwrap();
}
