//! What changes directories, modes and times below an account's home, and removes. Renames are `rename`'s.

use std::{
    os::fd::{AsFd as _, OwnedFd},
    time::SystemTime,
};

use ftp_config::{Right, SharePath};
use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, chmodat, fstat, unlinkat, utimensat},
    io::Errno,
};

use super::{
    Home, Meta, ShareError, directory,
    home::proc_path,
    jail::file_type,
    meta::{FileId, Kind, modified_at},
    names, partial, room,
};

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
    /// there then: a disk may hold no such time. `own`: an upload that has just been made;
    /// setting its time changes nothing of others, unless another file has its name by now.
    ///
    /// # Errors
    /// No right to write or to change, nothing there, or a link that leads outside.
    pub fn set_modified(
        &self,
        path: &SharePath,
        modified: SystemTime,
        own: Option<FileId>,
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
