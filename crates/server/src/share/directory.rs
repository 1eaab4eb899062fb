//! Directories that the server makes: those of MKD, homes, and the share itself.

use std::{io, path::Path};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, chmodat, fstat, mkdirat, openat},
    io::Errno,
    process::geteuid,
};

use super::{home::proc_path, jail::Holder, upload::default_list};

/// Makes a directory; the process's own umask takes no more than this one says.
///
/// # Errors
/// What the system says; a disk that keeps no modes has made it all the same.
pub(super) fn make(holder: &Holder, umask: u32) -> Result<(), Errno> {
    // An access list that the parent gives to what is made in it comes before the umask (acl(5)).
    let is_given = default_list(&holder.dir).is_some();
    let mode = Mode::from_raw_mode(0o777 & !if is_given { 0 } else { umask });
    // The group of a shared directory is that of all below it.
    let inherited = fstat(&holder.dir).map_or(0, |stat| stat.st_mode & 0o2000);
    mkdirat(&holder.dir, &holder.name, mode)?;
    if is_given {
        return Ok(());
    }
    match set_mode_of_made(holder, mode | Mode::from_raw_mode(inherited)) {
        // So it is too if somebody has taken it away since.
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOENT) => Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(()),
        other => other,
    }
}

/// Makes a directory of the disk, with those above it, if it is not there; tells whether it had to.
pub(super) fn make_all(path: &Path, umask: u32) -> io::Result<bool> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return fs_err::create_dir_all(path).map(|()| false);
    };
    if path.exists() {
        return Ok(false);
    }
    let parent = match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    };
    fs_err::create_dir_all(parent)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = openat(CWD, parent, flags, Mode::empty())?;
    let name = name.to_owned();
    match make(&Holder { dir, name }, umask) {
        Err(Errno::EXIST) => fs_err::create_dir_all(path).map(|()| false),
        Ok(()) => Ok(true),
        Err(error) => {
            let words = format!("make directory `{}`: {error}", path.display());
            Err(io::Error::new(io::Error::from(error).kind(), words))
        }
    }
}

/// Sets the mode of a directory that was just made, and of nothing that has taken its place: others may
/// work in the parent at the same time.
fn set_mode_of_made(holder: &Holder, mode: Mode) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(&holder.dir, &holder.name, flags, Mode::empty())?;
    let stat = fstat(&made)?;
    if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o7777 == mode.bits() {
        return Ok(());
    }
    chmodat(CWD, proc_path(&made), mode, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::share::tests::{Bed, path};
    use ftp_config::Rights;

    #[test]
    fn what_takes_the_place_of_a_new_directory_keeps_its_mode() {
        let bed = Bed::new();
        std::fs::create_dir_all(bed.disk("")).unwrap();
        let outside = bed.disk("").with_file_name("key");
        std::fs::write(&outside, "secret").unwrap();
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
        std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&outside, bed.disk("m")).unwrap();
        let home = bed.home(Rights::READ_WRITE, "/");
        let holder = home.parent_of(&path("m")).unwrap();
        set_mode_of_made(&holder, Mode::from_raw_mode(0o755)).unwrap_err();
        assert_eq!(mode(&outside) & 0o7777, 0o600);
        std::fs::remove_file(bed.disk("m")).unwrap();
        std::fs::create_dir(bed.disk("m")).unwrap();
        set_mode_of_made(&holder, Mode::from_raw_mode(0o711)).unwrap();
        assert_eq!(mode(&bed.disk("m")) & 0o7777, 0o711);
    }
}
