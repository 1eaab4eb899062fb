//! How an upload begins: rights, name, room and offset are checked before a byte moves.

use std::{
    io,
    os::fd::AsFd as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use ftp_config::{Right, SharePath, server::OnDuplicate};
use rustix::fs::FileType;

use super::{Ahead, Intent, Look, Taken, Upload, access};
use crate::share::{
    Home, Meta, ShareError,
    jail::{Holder, file_type},
    names,
    partial::{self, Base, Partial},
    room,
};

impl Home {
    /// Begins an upload: rights, name, room and offset are checked before a byte moves.
    ///
    /// `expected` is the size that the client announced (ALLO), if it did.
    ///
    /// # Errors
    /// Whatever stands in the way; nothing was changed.
    pub fn begin_upload(
        &self,
        path: &SharePath,
        intent: Intent,
        expected: Option<u64>,
    ) -> Result<Upload, ShareError> {
        self.need(Right::Write, path)?;
        names::check_new(path)?;
        names::check(path)?;
        let place = self.place_meant(path, intent)?;
        let (path, holder, stat) = (place.path, place.holder, place.stat);
        access::ensure_renames(&holder.dir, &path)?;
        let base = stat.as_ref().ok().map(Base::of);
        let there = self.what_is_there(stat, &path)?;
        let uploads = &self.shared.uploads;
        let taken = self.when_taken(&path, intent, there.is_some())?;
        match there {
            Some(_) if taken == Taken::Replace => self.ensure_replaceable(&holder, &path)?,
            Some(_) => {}
            None => partial::ensure_held(&holder, &path)?,
        }
        let needed = expected.unwrap_or(1);
        let (promised, reserve) = (&self.shared.promised, self.shared.reserve);
        let room = room::Grant::new(promised, &holder.dir, reserve, &path, needed)
            .map_err(|error| error.of_whole(0, expected))?;
        let partial = self.open_partial(&holder, &path, base, intent, there)?;
        let replaced = there.filter(|_| taken == Taken::Replace);
        let mut upload = Upload {
            home: Arc::clone(&self.shared),
            dir: holder.dir,
            partial: Some(partial),
            path,
            name: holder.name,
            offset: 0,
            announced: expected,
            // Never set-id bits: new bytes must not run with the rights that the old ones were given.
            mode: replaced.map_or(uploads.mode & !self.shared.umask, |meta| meta.mode) & 0o777,
            taken,
            unchanged: intent.resumes().then_some(base),
            room,
            ahead: Ahead::default(),
            started: AtomicBool::new(false),
            to_copy: None,
            has_base: false,
            to_compare: 0,
            copied: AtomicU64::new(0),
            appends: intent == Intent::Append,
            is_second: there.is_some(),
            _promise: place.promise,
            hold: None,
        };
        if let Err(error) = upload.prepare(intent, there) {
            upload.give_back();
            return Err(error);
        }
        Ok(upload)
    }

    fn open_partial(
        &self,
        holder: &Holder,
        path: &SharePath,
        base: Option<Base>,
        intent: Intent,
        there: Option<Meta>,
    ) -> Result<Partial, ShareError> {
        let (dir, goes_on) = (holder.dir.as_fd(), means_kept(intent, there));
        let held = || ShareError::Held { path: path.clone() };
        let opened = partial::open(dir, &self.account, &holder.name, base, goes_on);
        let partial = opened.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => held(),
            _ => self.explain(path, error),
        })?;
        if intent == Intent::Append && there.is_none() && partial.is_beside {
            // Its client means the bytes that were kept.
            partial.remove(dir);
            return Err(held());
        }
        Ok(partial)
    }

    fn what_is_there(&self, stat: Look, path: &SharePath) -> Result<Option<Meta>, ShareError> {
        let stat = match stat {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.explain(path, error)),
        };
        match file_type(&stat) {
            FileType::RegularFile => Ok(Some(Meta::of(&stat))),
            FileType::Directory => Err(ShareError::IsDirectory { path: path.clone() }),
            FileType::Symlink => Err(ShareError::Outside { path: path.clone() }),
            _ => Err(ShareError::Special { path: path.clone() }),
        }
    }

    /// Decides what a taken name means, and refuses at once what could not be finished.
    fn when_taken(
        &self,
        path: &SharePath,
        intent: Intent,
        exists: bool,
    ) -> Result<Taken, ShareError> {
        let may_replace = self.account.rights.allows(Right::Overwrite);
        match self.shared.uploads.on_duplicate {
            _ if intent == Intent::Unique => Ok(Taken::Rename),
            _ if intent.resumes() && exists && !may_replace => {
                self.need(Right::Overwrite, path).map(|()| Taken::Refuse)
            }
            // To append is to change this file, and takes nothing from it.
            _ if intent == Intent::Append && exists => Ok(Taken::Replace),
            // Nor does it end beside one that comes meanwhile.
            OnDuplicate::Rename if intent == Intent::Append => Ok(Taken::Refuse),
            OnDuplicate::Rename => Ok(Taken::Rename),
            OnDuplicate::Refuse if exists => Err(ShareError::Exists { path: path.clone() }),
            OnDuplicate::Refuse => Ok(Taken::Refuse),
            OnDuplicate::Overwrite if may_replace => Ok(Taken::Replace),
            OnDuplicate::Overwrite if exists => {
                self.need(Right::Overwrite, path).map(|()| Taken::Refuse)
            }
            OnDuplicate::Overwrite => Ok(Taken::Refuse),
        }
    }
}

/// Tells whether a client may go on behind bytes that a partial holds.
fn means_kept(intent: Intent, there: Option<Meta>) -> bool {
    match intent {
        Intent::Store { offset } => offset > 0,
        Intent::Append => there.is_none(),
        Intent::Unique => false,
    }
}
