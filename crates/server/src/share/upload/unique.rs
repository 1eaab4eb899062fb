//! Names for uploads that replace nothing (STOU): the wished one, or the first beside it that is free. The client is told it
//! before the data, so until its upload ends no other one is told the same.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ftp_config::SharePath;
use rustix::fs::{FileType, fstat};

use super::{Intent, Look, publish::MOST_TRIES};
use crate::share::{
    Home, ShareError,
    jail::{Holder, file_type},
    meta::FileId,
    names,
};

static PROMISED: Mutex<BTreeSet<(FileId, OsString)>> = Mutex::new(BTreeSet::new());

fn promised() -> MutexGuard<'static, BTreeSet<(FileId, OsString)>> {
    PROMISED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name in a directory that one client has been told.
#[derive(Debug)]
pub(super) struct Promise(FileId, OsString);

impl Promise {
    /// Returns `None` where another one has been told it.
    fn of(holder: &Holder) -> Option<Self> {
        // Where a disk does not tell, the end of the upload does.
        let stat = fstat(&holder.dir).ok();
        let id = stat.map_or(
            FileId {
                device: 0,
                inode: 0,
            },
            |stat| FileId::of(&stat),
        );
        let is_first = promised().insert((id, holder.name.clone()));
        is_first.then(|| Self(id, holder.name.clone()))
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        promised().remove(&(self.0, std::mem::take(&mut self.1)));
    }
}

/// Where an upload goes, and what is there.
pub(super) struct Place {
    pub(super) path: SharePath,
    pub(super) holder: Holder,
    pub(super) stat: Look,
    pub(super) promise: Option<Promise>,
}

impl Home {
    /// Finds the name that an upload to `path` is to have.
    pub(super) fn place_meant(
        &self,
        path: &SharePath,
        intent: Intent,
    ) -> Result<Place, ShareError> {
        if intent == Intent::Unique {
            return self.free_place(path);
        }
        let (path, holder, stat) = self.real_target(path)?;
        let promise = None;
        Ok(Place {
            path,
            holder,
            stat,
            promise,
        })
    }

    fn free_place(&self, wished: &SharePath) -> Result<Place, ShareError> {
        let mut holder = self.place_of(wished)?;
        let first = wished.name().unwrap_or_default();
        for n in 0..MOST_TRIES {
            let name = match n {
                0 => first.to_owned(),
                _ => names::beside(first, n),
            };
            holder.name = names::to_disk(&name);
            let stat = holder.lstat();
            match &stat {
                Ok(stat) if n == 0 && file_type(stat) == FileType::Directory => {
                    let path = wished.clone();
                    return Err(ShareError::IsDirectory { path });
                }
                Ok(_) => continue,
                Err(_) => {}
            }
            let Some(promise) = Promise::of(&holder) else {
                continue;
            };
            let parent = wished.parent().unwrap_or_else(SharePath::root);
            let Ok(path) = parent.join_known(&name) else {
                break;
            };
            return Ok(Place {
                path,
                holder,
                stat,
                promise: Some(promise),
            });
        }
        let path = wished.clone();
        Err(ShareError::Exists { path })
    }
}
