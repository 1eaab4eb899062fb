//! The share: one directory, opened once, and what each account may do below it.
//!
//! [`Share::enter`] gives an account its [`Home`]; engines call the home and nothing else of this
//! room. No byte reaches the share's disk except through here. Nothing here knows FTP but the reply
//! codes in [`ShareError`].

mod at;
pub mod backend;
mod changes;
mod directory;
mod early;
mod error;
mod gone;
mod hash;
mod holders;
mod home;
mod jail;
mod listing;
mod meta;
mod mounts;
pub mod names;
mod partial;
mod presence;
mod rename;
mod room;
pub mod throttle;
mod turn;
mod upload;

#[cfg(test)]
pub(crate) mod tests;

pub use at::At;
pub use error::ShareError;
pub use hash::Algorithm;
pub use home::Download;
pub use listing::{Entry, ListOptions, Listing};
pub use meta::{FileId, Kind, Meta};
pub use mounts::Mounts;
pub use room::Room;
pub use upload::{Committed, Intent, Settled, Upload};

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use ftp_config::{
    Reserve, SharePath,
    server::{self, Uploads},
};
use rustix::{
    fs::{StatVfsMountFlags, fstatvfs},
    io::Errno,
};

use self::{gone::Gone, hash::Places, jail::Jail, room::Promised};
use crate::{account::Account, log::whole};

/// Digests that may run at once over all sessions.
const HASHES_AT_ONCE: usize = 2;

/// The shared directory with its policies; clones share it.
#[derive(Clone, Debug)]
pub struct Share {
    jail: Arc<Jail>,
    shared: Arc<Shared>,
    was_made: bool,
}

/// What every home of a share has in common.
#[derive(Debug)]
struct Shared {
    uploads: Uploads,
    reserve: Reserve,
    promised: Arc<Promised>,
    gone: Arc<Gone>,
    umask: u32,
    show_dotfiles: bool,
    hashing: Places,
}

/// One account's window on the share; clones are the same window.
#[derive(Clone, Debug)]
pub struct Home {
    jail: Arc<Jail>,
    shared: Arc<Shared>,
    account: Arc<Account>,
}

/// Why the shared directory cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("share `{}`: {source}", root.display())]
pub struct OpenError {
    /// The directory.
    pub root: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Share {
    /// Opens the shared directory, which is made when it is missing.
    ///
    /// # Errors
    /// It cannot be made or opened, or is not a directory.
    pub fn open(share: &server::Share, uploads: &Uploads) -> Result<Self, OpenError> {
        let failed = |source| OpenError {
            root: share.root.clone(),
            source,
        };
        if share.root.is_file() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        let was_made = directory::make_all(&share.root, share.umask).map_err(failed)?;
        let jail = Jail::open(&share.root).map_err(failed)?;
        Ok(Self {
            jail: Arc::new(jail),
            shared: Shared::new(share, uploads, Arc::default(), Arc::default()),
            was_made,
        })
    }

    /// Tells whether the directory was missing when it was opened.
    #[must_use]
    pub fn was_made(&self) -> bool {
        self.was_made
    }

    /// Tells whether nothing can be written: the disk is mounted so, or this process may not.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        fstatvfs(self.jail.root()).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY))
    }

    /// Tells whether the disk, or one that is mounted below it, is behind a network or a program of the
    /// user (FUSE), which may not answer for minutes.
    #[must_use]
    pub fn is_far(&self) -> bool {
        let table = std::fs::read(mounts::TABLE).unwrap_or_default();
        home::path_of(self.jail.root()).is_ok_and(|root| mounts::are_far(&table, &root))
    }

    /// Tells what `root` names now.
    #[must_use]
    pub fn at(&self, root: &Path) -> At {
        At::of(
            &rustix::fs::stat(root),
            &rustix::fs::fstat(self.jail.root()),
        )
    }

    /// Returns the same directory under changed policies (reload).
    #[must_use]
    pub fn with_policies(&self, share: &server::Share, uploads: &Uploads) -> Self {
        Self {
            jail: Arc::clone(&self.jail),
            shared: Shared::new(
                share,
                uploads,
                Arc::clone(&self.shared.promised),
                Arc::clone(&self.shared.gone),
            ),
            was_made: false,
        }
    }

    /// Opens an account's home, which is made when it is missing.
    ///
    /// # Errors
    /// The home cannot be made or opened.
    pub fn enter(&self, account: &Arc<Account>) -> Result<Home, ShareError> {
        let home = &account.home;
        let io = |error| ShareError::from_io(home, error);
        let jail = if home.is_root() {
            Arc::clone(&self.jail)
        } else {
            self.make_home(home).map_err(io)?;
            Arc::new(self.jail.narrow(home).map_err(io)?)
        };
        Ok(Home {
            jail,
            shared: Arc::clone(&self.shared),
            account: Arc::clone(account),
        })
    }

    fn make_home(&self, home: &SharePath) -> io::Result<()> {
        let mut path = SharePath::root();
        for name in home.components() {
            path = path.join(name).map_err(io::Error::other)?;
            let Some(holder) = self.jail.holder(&path)? else {
                continue;
            };
            match directory::make(&holder, self.shared.umask) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Removes what unfinished uploads left longer ago than `keep_partial_for`; returns how many.
    ///
    /// # Errors
    /// The share's root cannot be read.
    pub fn sweep(&self, now: SystemTime) -> io::Result<usize> {
        partial::sweep(self.jail.root(), self.shared.uploads.keep_partial_for, now)
    }
}

impl Shared {
    fn new(
        share: &server::Share,
        uploads: &Uploads,
        promised: Arc<Promised>,
        gone: Arc<Gone>,
    ) -> Arc<Self> {
        Arc::new(Self {
            uploads: uploads.clone(),
            reserve: share.reserve,
            promised,
            gone,
            umask: share.umask,
            show_dotfiles: share.show_dotfiles,
            hashing: Places::new(HASHES_AT_ONCE),
        })
    }
}

impl Home {
    /// Returns the account whose home this is.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Tells the log what was changed, so that it can be found who it was. Paths are those of the home.
    pub(crate) fn tell_change(&self, verb: &str, path: &SharePath, to: Option<&SharePath>) {
        let account = &self.account;
        let (user, to) = (&account.name, to.map(|to| account.in_share(to)));
        let to = to.map(|to| whole(to.as_str()));
        let path = whole(account.in_share(path).as_str());
        tracing::info!(verb, %user, path, to, "changed");
    }
}
