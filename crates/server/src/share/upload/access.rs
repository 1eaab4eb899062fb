//! Who may use a finished file: whoever might use the one it replaces, or what its directory says. And
//! what the system's owner has protected from being replaced.

use std::{ffi::OsStr, io, os::fd::OwnedFd, path::Path};

use ftp_config::SharePath;
use rustix::{
    buffer::spare_capacity,
    fs::{
        Access, AtFlags, FileType, Mode, Stat, StatxAttributes, StatxFlags, XattrFlags, accessat,
        fchmod, fchown, fgetxattr, fsetxattr, fstat, getxattr, lgetxattr, statat, statx,
    },
    io::Errno,
    process::{Gid, Uid, geteuid},
    thread::{CapabilitySet, capabilities},
};

use super::Upload;
use crate::{
    acl::{self, ACCESS, DEFAULT, limit_group, mode_of},
    share::{
        Home, ShareError,
        error::owner,
        home::proc_path,
        jail::{Holder, file_type},
    },
};

/// Refuses a directory that only takes: a partial could neither get its name there nor go (chattr(1) +a).
pub(super) fn ensure_renames(dir: &OwnedFd, path: &SharePath) -> Result<(), ShareError> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    match statx(dir, "", flags, StatxFlags::empty()) {
        Ok(facts) if facts.stx_attributes.contains(StatxAttributes::APPEND) => {
            Err(denied(path, "the directory is append-only".to_owned()))
        }
        _ => Ok(()),
    }
}

impl Home {
    /// Refuses to replace by a rename what the system's owner has protected.
    pub(in crate::share) fn ensure_replaceable(
        &self,
        holder: &Holder,
        path: &SharePath,
    ) -> Result<(), ShareError> {
        ensure_writable(&holder.dir, &holder.name).map_err(|error| self.explain(path, error))?;
        let look = AtFlags::SYMLINK_NOFOLLOW;
        match statx(&holder.dir, &holder.name, look, StatxFlags::UID) {
            Ok(file) if file.stx_attributes.contains(StatxAttributes::APPEND) => {
                Err(denied(path, "the file is append-only".to_owned()))
            }
            Ok(file) if is_kept(&holder.dir, file.stx_uid) => {
                let whose = format!("owner {}, in a sticky directory", owner(file.stx_uid));
                Err(denied(path, whose))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a file that the system does not let this process write: it would let it rename over it.
fn ensure_writable(dir: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
    match accessat(dir, name, Access::WRITE_OK, flags) {
        Err(refused @ (Errno::ACCESS | Errno::PERM)) => Err(refused.into()),
        // Kernels before 5.8 know no flags here: there the rename decides.
        _ => Ok(()),
    }
}

/// Tells whether a directory lets nobody but owners rename and replace its files (the sticky bit), and the
/// server is none.
fn is_kept(dir: &OwnedFd, owner: u32) -> bool {
    let us = geteuid().as_raw();
    let sticky = statat(dir, "", AtFlags::EMPTY_PATH)
        .is_ok_and(|dir| Mode::from_raw_mode(dir.st_mode).contains(Mode::SVTX) && dir.st_uid != us);
    sticky && owner != us && !overrides_owners()
}

fn overrides_owners() -> bool {
    capabilities(None).is_ok_and(|own| own.effective.contains(CapabilitySet::FOWNER))
}

fn denied(path: &SharePath, whose: String) -> ShareError {
    let path = path.clone();
    ShareError::Denied { path, whose }
}

impl Upload {
    /// Gives the file its group, mode and access list.
    ///
    /// # Errors
    /// What the disk says; the file that it replaces has been protected since the upload began.
    pub(super) fn set_access(&self) -> io::Result<()> {
        if self.replaces() {
            ensure_writable(&self.dir, &self.name)?;
        }
        let old = self.replaces().then(|| self.replaced());
        let mode = match old {
            None => Some(self.first_mode()),
            Some(Some(old)) => self.keep_access(&old)?,
            // It went meanwhile: nobody may more than with the one that was there.
            Some(None) => Some(Mode::from_raw_mode(self.mode)),
        };
        self.give_mode(mode)
    }

    /// As [`Upload::set_access`], where the file that is replaced now is another one than was looked at, or has
    /// another mode since. Returns its owner, if it is another.
    pub(super) fn follow_access(&self, old: &Stat) -> io::Result<Option<u32>> {
        let new = fstat(self.file())?;
        let mode = |stat: &Stat| stat.st_mode & 0o777;
        if !self.is_second || mode(old) != mode(&new) {
            self.give_mode(self.keep_access(old)?)?;
        }
        Ok((old.st_uid != new.st_uid).then_some(old.st_uid))
    }

    fn give_mode(&self, mode: Option<Mode>) -> io::Result<()> {
        match mode.map_or(Ok(()), |mode| fchmod(self.file(), mode)) {
            // FAT, exFAT and some network disks keep no modes: their files are whole without one.
            Ok(()) | Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the file to that owner, where the system lets the server; tells whether it did. Before it has its name: a
    /// server that is killed in between must not leave the owner without it.
    pub(super) fn give_to(&self, owner: u32) -> bool {
        fchown(self.file(), Some(Uid::from_raw(owner)), None).is_ok()
    }

    /// Takes a file back that did not get its name: nobody goes on with a partial that is another's.
    pub(super) fn take_back(&self) {
        self.give_to(geteuid().as_raw());
    }

    /// The mode of a file that replaces none: the list that its directory gives comes before the umask.
    fn first_mode(&self) -> Mode {
        let mode = Mode::from_raw_mode(self.mode);
        match default_list(&self.dir) {
            Some(list) => mode_of(&list) & Mode::from_raw_mode(self.home.uploads.mode),
            None => mode,
        }
    }

    /// Gives the file the group and the access list, and so the mode, of the one it replaces; without a
    /// list it returns the mode to give. Where the group stays another it may only what others might.
    fn keep_access(&self, old: &Stat) -> io::Result<Option<Mode>> {
        // Never set-id bits: new bytes must not run with the rights that the old ones were given.
        let mut mode = Mode::from_raw_mode(old.st_mode & 0o777);
        let keeps_group = self.keep_group(old)?;
        if !keeps_group {
            mode -= Mode::RWXG - of_others(mode);
        }
        let path = Path::new(&proc_path(&self.dir)).join(&self.name);
        let mut list = match acl::read(|buffer| lgetxattr(&path, ACCESS, spare_capacity(buffer))) {
            Ok(list) => list,
            Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOENT) => {
                return Ok(Some(mode));
            }
            Err(_) => return Ok(Some(mode - Mode::RWXG)),
        };
        if !keeps_group {
            limit_group(&mut list);
        }
        match fsetxattr(self.file(), ACCESS, &list, XattrFlags::empty()) {
            Ok(()) => Ok(None),
            // Beside a list the group's bits are the most that it allows, and not what the group may.
            Err(_) => Ok(Some(mode - Mode::RWXG)),
        }
    }

    fn keep_group(&self, old: &Stat) -> io::Result<bool> {
        let same = fstat(self.file())?.st_gid == old.st_gid;
        Ok(same || fchown(self.file(), None, Some(Gid::from_raw(old.st_gid))).is_ok())
    }

    /// Looks at the file that has the name now.
    pub(super) fn replaced(&self) -> Option<Stat> {
        let found = statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW).ok();
        found.filter(|stat| file_type(stat) == FileType::RegularFile)
    }
}

/// Returns the access list that a directory gives to what is made in it.
pub(in crate::share) fn default_list(dir: &OwnedFd) -> Option<Vec<u8>> {
    match acl::read(|buffer| fgetxattr(dir, DEFAULT, spare_capacity(buffer))) {
        // A handle of a directory that may not be listed does not read; its path is the long way.
        Err(Errno::BADF) => {
            let path = proc_path(dir);
            acl::read(|buffer| getxattr(&path, DEFAULT, spare_capacity(buffer))).ok()
        }
        list => list.ok(),
    }
}

/// What others may, as bits of the group.
fn of_others(mode: Mode) -> Mode {
    Mode::from_raw_mode((mode & Mode::RWXO).bits() << 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_is_told_as_the_groups_bits() {
        assert_eq!(of_others(Mode::from_raw_mode(0o664)).bits(), 0o040);
    }
}
