//! Renames over what has the new name.

use std::{
    os::{fd::AsFd as _, unix::ffi::OsStrExt as _},
    sync::{Mutex, PoisonError},
};

use ftp_config::{Right, SharePath};
use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, renameat, unlinkat},
    io::Errno,
};

use crate::share::{
    Home,
    jail::{Holder, file_type},
    meta::FileId,
    partial,
    turn::{Taking, end_turn, take_turn, take_turn_in},
};

impl Home {
    /// Renames over what is there. A directory with idle partials alone looks empty, and goes as by RMD: by the same right.
    pub(super) fn replace(
        &self,
        source: &Holder,
        target: &Holder,
        is_taken: bool,
        to: &SharePath,
    ) -> Result<(), Errno> {
        let rename = || rename_over(source, target, is_taken);
        let may_clear = self.account.rights.allows(Right::Delete);
        let refused = match rename() {
            Err(refused @ (Errno::NOTEMPTY | Errno::EXIST)) if may_clear => refused,
            other => return other,
        };
        let dir = (self.jail).get(to, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
        let cleared = dir.and_then(|dir| partial::remove_all_if_alone(dir.as_fd()));
        cleared.map_or(Err(refused), |()| rename())
    }
}

/// Gives a name whatever has it. Where that is a file, uploads that look at it before they take its name are let end.
fn rename_over(source: &Holder, target: &Holder, is_taken: bool) -> Result<(), Errno> {
    let _turn = take_turn(&target.name);
    if is_taken {
        take_turn_in(&target.dir, Taking::Blindly);
    }
    let renamed = renameat(&source.dir, &source.name, &target.dir, &target.name);
    if is_taken {
        end_turn(&target.dir);
    }
    renamed
}

/// A rename onto another name of the same file leaves both (rename(2)): the first one goes then. Not where
/// both are one name, by a link on the way or on a disk that does not tell them apart.
pub(super) fn remove_second_name(source: &Holder, target: &Holder) {
    let is_one = |one: &Stat, other: &Stat| FileId::of(one) == FileId::of(other);
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
