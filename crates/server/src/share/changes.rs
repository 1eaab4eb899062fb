//! What changes names, modes and times below an account's home.

use std::{
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use ftp_config::{Right, SharePath};
use rustix::{
    fs::{
        AtFlags, Dir, FileType, Mode, OFlags, Stat, chmodat, fstat, openat, renameat, unlinkat,
        utimensat,
    },
    io::Errno,
};

use super::{
    Home, Meta, ShareError, directory,
    home::proc_path,
    jail::{Holder, file_type},
    meta::{Kind, modified_at},
    names,
    partial::{self, Base},
    rename::rename_to_free,
    room,
};

/// A rename onto another name of the same file leaves both (rename(2)): the first one goes then. Not where
/// both are one name, by a link on the way or on a disk that does not tell them apart.
fn remove_second_name(source: &Holder, target: &Holder) {
    let id = |stat: &Stat| (stat.st_dev, stat.st_ino);
    let is_one = |one: &Stat, other: &Stat| id(one) == id(other);
    if source.lstat().is_err() {
        // The usual end of a rename.
        return;
    }
    // One at a time: two that go each to the other's name would lose both.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Ok(old), Ok(new)) = (source.lstat(), target.lstat())
        && is_one(&old, &new)
        && new.st_nlink > 1
        && file_type(&new) == FileType::RegularFile
        && let (Ok(here), Ok(there)) = (fstat(&source.dir), fstat(&target.dir))
        && !(is_one(&here, &there) && source.name == target.name)
        && lists(source)
        && lists(target)
    {
        let _stays = unlinkat(&source.dir, &source.name, AtFlags::empty());
    }
}

/// Tells whether the directory has an entry of exactly this name.
fn lists(holder: &Holder) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(dir) = openat(&holder.dir, ".", flags, Mode::empty()) else {
        return false;
    };
    let mut entries = Dir::read_from(dir).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_bytes() == holder.name.as_bytes())
}

impl Home {
    /// Removes a file, a link, or another thing that is not a directory.
    ///
    /// # Errors
    /// No right to delete, nothing there, or a directory.
    pub fn remove_file(&self, path: &SharePath) -> Result<(), ShareError> {
        self.need(Right::Delete, path)?;
        names::check(path)?;
        let holder = self.parent_of(path)?;
        unlinkat(&holder.dir, &holder.name, AtFlags::empty())
            .map_err(|error| self.explain(path, error.into()))?;
        partial::forget(holder.dir.as_fd(), &self.account, &holder.name, None);
        Ok(())
    }

    /// Removes an empty directory; kept partials of unfinished uploads do not make it full.
    ///
    /// # Errors
    /// No right to delete, nothing there, not a directory, or one that holds something.
    pub fn remove_dir(&self, path: &SharePath) -> Result<(), ShareError> {
        self.need(Right::Delete, path)?;
        names::check(path)?;
        let holder = self.parent_of(path)?;
        match unlinkat(&holder.dir, &holder.name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            other => return other.map_err(|error| self.explain(path, error.into())),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let io = |error| self.explain(path, error);
        let dir = self.jail.get(path, flags, Mode::empty()).map_err(io)?;
        partial::remove_all_if_alone(dir.as_fd()).map_err(io)?;
        unlinkat(&holder.dir, &holder.name, AtFlags::REMOVEDIR).map_err(|error| io(error.into()))
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// No right to make directories, a name that is taken or not allowed, no parent, no room.
    pub fn make_dir(&self, path: &SharePath) -> Result<(), ShareError> {
        self.need(Right::Mkdir, path)?;
        names::check_new(path)?;
        names::check(path)?;
        if path.is_root() {
            return Err(ShareError::Made { path: path.clone() });
        }
        let holder = self.place_of(path)?;
        room::check(&holder.dir, self.shared.reserve, path, 1)?;
        directory::make(&holder, self.shared.umask).map_err(|error| match error {
            // RFC 959 §5.4: MKD answers 550; 553 is for names of files.
            Errno::EXIST => ShareError::Made { path: path.clone() },
            error => self.explain(path, error.into()),
        })
    }

    /// Checks that `path` may be renamed (RNFR).
    ///
    /// # Errors
    /// No right to rename, nothing there, or the root.
    pub fn check_rename_from(&self, path: &SharePath) -> Result<(), ShareError> {
        self.need(Right::Rename, path)?;
        names::check(path)?;
        let holder = self.parent_of(path)?;
        holder
            .lstat()
            .map(|_| ())
            .map_err(|error| self.explain(path, error))
    }

    /// Gives `from` the name `to` (RNTO); onto a file that exists only with the right to overwrite.
    ///
    /// # Errors
    /// A missing right, a name that is taken or not allowed, a directory into itself.
    pub fn rename(&self, from: &SharePath, to: &SharePath) -> Result<(), ShareError> {
        self.check_rename_from(from)?;
        names::check_new(to)?;
        names::check(to)?;
        if from == to {
            return Ok(());
        }
        let below = format!("{from}/");
        if to.as_str().starts_with(&below) {
            return Err(ShareError::IntoItself { path: from.clone() });
        }
        let (source, target) = (self.parent_of(from)?, self.place_of(to)?);
        let replace = self.account.rights.allows(Right::Overwrite)
            && self.shared.uploads.on_duplicate == ftp_config::server::OnDuplicate::Overwrite;
        let base = target.lstat().ok().as_ref().map(Base::of);
        let renamed = if replace {
            let _turn = super::Shared::take_turn(&target.name);
            renameat(&source.dir, &source.name, &target.dir, &target.name)
        } else {
            rename_to_free(&source.dir, &source.name, &target.dir, &target.name)
        };
        match renamed {
            Ok(()) => {
                remove_second_name(&source, &target);
                partial::forget(target.dir.as_fd(), &self.account, &target.name, base);
                Ok(())
            }
            Err(Errno::EXIST) if !self.account.rights.allows(Right::Overwrite) => {
                self.need(Right::Overwrite, to)
            }
            Err(Errno::INVAL) => {
                partial::ensure_held(&target, to)?;
                Err(ShareError::IntoItself { path: from.clone() })
            }
            Err(Errno::XDEV) => Err(ShareError::OtherDisk { path: to.clone() }),
            Err(error) => Err(self.explain(to, error.into())),
        }
    }

    /// Sets the permission bits of a file or directory (SITE CHMOD); never set-id bits, but a directory keeps
    /// the group and the sticky one that its owner gave it. Returns the mode that it has then.
    ///
    /// # Errors
    /// No right to change modes, nothing there, or a link that leads outside.
    pub fn set_mode(&self, path: &SharePath, mode: u32) -> Result<u32, ShareError> {
        self.need(Right::Chmod, path)?;
        let (fd, meta) = self.settable(path)?;
        let kept = match meta.kind {
            Kind::Dir => meta.mode & 0o3000,
            _ => 0,
        };
        let mode = mode & 0o777 | kept;
        let io = |error: Errno| self.explain(path, error.into());
        chmodat(
            rustix::fs::CWD,
            proc_path(&fd),
            Mode::from_raw_mode(mode),
            AtFlags::empty(),
        )
        .map(|()| mode)
        .map_err(io)
    }

    /// Sets the time of last change (MFMT, `MDTM time file`, SITE UTIME). Returns the facts that are
    /// there then: a disk may hold no such time. `own`: device and inode of an upload that has just been made;
    /// setting its time changes nothing of others, unless another file has its name by now.
    ///
    /// # Errors
    /// No right to write or to change, nothing there, or a link that leads outside.
    pub fn set_modified(
        &self,
        path: &SharePath,
        modified: SystemTime,
        own: Option<(u64, u64)>,
    ) -> Result<Meta, ShareError> {
        self.need(Right::Write, path)?;
        if own.is_none() {
            self.need(Right::Overwrite, path)?;
        }
        let (fd, meta) = self.settable(path)?;
        if own.is_some_and(|id| id != meta.id) {
            self.need(Right::Overwrite, path)?;
        }
        let times = modified_at(modified);
        let set = match utimensat(&fd, "", &times, AtFlags::EMPTY_PATH) {
            // Linux before 5.8 takes no empty path here.
            Err(Errno::INVAL) => {
                utimensat(rustix::fs::CWD, proc_path(&fd), &times, AtFlags::empty())
            }
            set => set,
        };
        let stat = set.and_then(|()| fstat(&fd));
        let stat = stat.map_err(|error| self.explain(path, error.into()))?;
        Ok(Meta::of(&stat))
    }

    /// A handle on a file or directory that has been checked, without opening what it holds.
    fn settable(&self, path: &SharePath) -> Result<(OwnedFd, Meta), ShareError> {
        names::check(path)?;
        let io = |error| self.explain(path, error);
        let fd = self
            .jail
            .get(path, OFlags::PATH, Mode::empty())
            .map_err(io)?;
        let stat = fstat(&fd).map_err(|error| io(error.into()))?;
        match file_type(&stat) {
            FileType::RegularFile | FileType::Directory => Ok((fd, Meta::of(&stat))),
            _ => Err(ShareError::Special { path: path.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use crate::share::tests::{Bed, path};
    use ftp_config::Rights;

    #[test]
    fn a_rename_onto_another_name_of_the_file_leaves_one() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        std::fs::write(bed.disk("a"), "1").unwrap();
        std::fs::hard_link(bed.disk("a"), bed.disk("b")).unwrap();
        home.rename(&path("a"), &path("b")).unwrap();
        assert!(!bed.disk("a").exists());
        assert_eq!(std::fs::read(bed.disk("b")).unwrap(), b"1");
        // By way of a link to its directory it is the same name.
        std::fs::create_dir(bed.disk("d")).unwrap();
        std::fs::write(bed.disk("d/x"), "2").unwrap();
        std::fs::hard_link(bed.disk("d/x"), bed.disk("y")).unwrap();
        symlink("d", bed.disk("l")).unwrap();
        home.rename(&path("d/x"), &path("l/x")).unwrap();
        assert!(bed.disk("d/x").exists());
    }
}
