//! Puts a configuration in the place of the old one, for whoever could read that, and nobody else.

use std::{
    fs::{File, Metadata},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use fs_err as fs;
use nix::unistd::{Gid, Group, Uid, User};
use rustix::{
    buffer::spare_capacity,
    fs::{XattrFlags, fsetxattr, getxattr},
    io::Errno,
};

use crate::{
    acl::{self, ACCESS},
    error::Error,
};

/// Bits of a mode that let others than owner and group in.
const OTHERS: u32 = 0o007;
const GROUP: u32 = 0o070;

/// Writes `text` beside `real`, forces it to the disk, and renames it over `real`. Owner, group and access
/// list stay; others lose their rights, as it holds password hashes.
///
/// # Errors
/// It cannot be written, or not without locking somebody out; the old file is there then.
pub(super) fn replace(real: &Path, text: &str) -> Result<(), Error> {
    let beside = beside(real);
    let result = write(real, &beside, text).and_then(|()| {
        fs::rename(&beside, real).map_err(|error| match error.raw_os_error() {
            // A file that is mounted by itself, as containers do it.
            Some(busy) if busy == Errno::BUSY.raw_os_error() => Error::Usage(format!(
                "`{}` is mounted by itself and cannot be replaced: mount its directory",
                real.display()
            )),
            _ => Error::system("replace the configuration")(error),
        })
    });
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

fn write(real: &Path, beside: &Path, text: &str) -> Result<(), Error> {
    let old = fs::metadata(real).map_err(Error::system("look at the configuration"))?;
    let _ = fs::remove_file(beside);
    let what = format!("write beside `{}`", real.display());
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)
        .map_err(Error::system(what.clone()))?;
    keep_access(&file, real, &old)?;
    let written = file.write_all(text.as_bytes());
    written
        .and_then(|()| file.sync_all())
        .map_err(Error::system(what))
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

/// Gives the new file to whom the old one belongs: the server may run as one of them.
fn keep_access(file: &File, real: &Path, old: &Metadata) -> Result<(), Error> {
    let system = |error: Errno| Error::system("give the configuration its rights")(error.into());
    let new = file
        .metadata()
        .map_err(Error::system("look at the new configuration"))?;
    let mode = old.mode() & 0o777 & !OTHERS;
    let (uid, gid) = (Uid::from_raw(old.uid()), Gid::from_raw(old.gid()));
    if new.uid() != old.uid() && nix::unistd::fchown(file, Some(uid), None).is_err() {
        return Err(cannot_keep(real, "belongs to", &user(uid)));
    }
    let is_same_group = new.gid() == old.gid();
    if !is_same_group && nix::unistd::fchown(file, None, Some(gid)).is_err() && mode & GROUP != 0 {
        return Err(cannot_keep(real, "is of the group", &group(gid)));
    }
    let list = acl::read(|buffer| getxattr(real, ACCESS, spare_capacity(buffer)));
    if let Ok(mut list) = list {
        acl::shut_out_others(&mut list);
        return fsetxattr(file, ACCESS, &list, XattrFlags::empty()).map_err(system);
    }
    file.set_permissions(PermissionsExt::from_mode(mode))
        .map_err(Error::system("give the configuration its rights"))
}

fn cannot_keep(real: &Path, how: &str, whom: &str) -> Error {
    Error::System {
        what: format!(
            "`{}` {how} `{whom}`, which would be shut out; run this as root",
            real.display()
        ),
        source: io::ErrorKind::PermissionDenied.into(),
    }
}

fn user(uid: Uid) -> String {
    let known = User::from_uid(uid).ok().flatten();
    known.map_or_else(|| uid.to_string(), |user| user.name)
}

fn group(gid: Gid) -> String {
    let known = Group::from_gid(gid).ok().flatten();
    known.map_or_else(|| gid.to_string(), |group| group.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_could_read_the_old_file_can_read_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("ftp.toml");
        std::fs::write(&real, "old").unwrap();
        std::fs::set_permissions(&real, PermissionsExt::from_mode(0o644)).unwrap();
        // user::rw-, user:65534:r--, group::---, mask::r--, other::r-- (acl(5)).
        let entry = |tag: u8, may: u8, id: u32| {
            let mut entry = vec![tag, 0, may, 0];
            entry.extend(id.to_le_bytes());
            entry
        };
        let list = |others: u8| {
            let none = u32::MAX;
            let entries = [
                entry(1, 6, none),
                entry(2, 4, 65534),
                entry(4, 0, none),
                entry(16, 4, none),
                entry(32, others, none),
            ];
            [vec![2, 0, 0, 0], entries.concat()].concat()
        };
        let set = rustix::fs::setxattr(&real, ACCESS, &list(4), XattrFlags::empty());
        let has_lists = set.is_ok();
        replace(&real, "new").unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
        let mode = std::fs::metadata(&real).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o640);
        if has_lists {
            let kept = acl::read(|buffer| getxattr(&real, ACCESS, spare_capacity(buffer)));
            assert_eq!(kept.unwrap(), list(0));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_take_its_place_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("ftp.toml");
        std::fs::create_dir(&real).unwrap();
        replace(&real, "new").unwrap_err();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
