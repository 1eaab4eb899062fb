//! Checks of the share: whether it is there and can be written, the room on its disk, the homes in it.

use std::{os::unix::fs::MetadataExt, path::Path};

use ftp_config::{
    ByteSize, ServerConfig,
    server::{Share, User},
};
use rustix::{
    fs::{Access, Mode, OFlags, ResolveFlags, access, open, openat2, statvfs, unlink},
    io::Errno,
};

use super::Finding;
use crate::{auth::accounts::Accounts, share::names::PARTIAL};

/// Whether the share is there and can be written, and the room on its disk.
///
/// `by_root`: root starts the server, and makes what is missing for its user. `is_served`: a server runs.
pub(super) fn share(share: &Share, by_root: bool, is_served: bool) -> Vec<Finding> {
    const CHECK: &str = "share";
    let root = &share.root;
    let shown = root.display();
    let Ok(meta) = root.metadata() else {
        return vec![missing_share(root, by_root, is_served)];
    };
    if !meta.is_dir() {
        let fix = "share.root = \"DIRECTORY\"";
        return vec![Finding::fault(
            CHECK,
            format!("`{shown}` is not a directory"),
            fix,
        )];
    }
    let reads = access(root, Access::READ_OK | Access::EXEC_OK).is_ok();
    let written = access(root, Access::WRITE_OK).and_then(|()| try_writing(root));
    if reads && written == Err(Errno::ROFS) {
        let text = format!("`{shown}` is on a read-only disk: nothing can be uploaded");
        return vec![Finding::warning(CHECK, text, "mount it for writing")];
    }
    let writes = written.is_ok();
    let (mode, owner) = (meta.mode() & 0o777, meta.uid());
    let first = match (reads, writes) {
        (true, true) => Finding::good(CHECK, format!("`{shown}` can be read and written")),
        (true, false) => Finding::warning(
            CHECK,
            format!("`{shown}` cannot be written by this user (owner {owner}, mode {mode:o})"),
            format!("sudo chown {} {shown}", own_name()),
        ),
        (false, _) => Finding::fault(
            CHECK,
            format!("`{shown}` cannot be read by this user (owner {owner}, mode {mode:o})"),
            format!("sudo chown {} {shown}", own_name()),
        ),
    };
    [Some(first), room(share)].into_iter().flatten().collect()
}

/// What mends a disk that gives no answer.
pub(super) const SEE_DISK: &str = "see what is mounted there, and what serves it";

/// What is told where the disk gives no answer.
pub(super) fn silent(root: &Path) -> Finding {
    let text = format!("the disk of `{}` does not answer", root.display());
    Finding::fault("share", text, SEE_DISK)
}

fn missing_share(root: &Path, by_root: bool, is_served: bool) -> Finding {
    const CHECK: &str = "share";
    let shown = root.display();
    if is_served {
        let text = format!("`{shown}` is gone; the running server serves what it named on");
        return Finding::fault(CHECK, text, "mount its disk, then ftpd reload");
    }
    let made = root.ancestors().skip(1).find(|dir| dir.is_dir());
    let may_make =
        by_root || made.is_some_and(|dir| access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok());
    match may_make {
        true => Finding::good(
            CHECK,
            format!("`{shown}` is not there, and is made on start"),
        ),
        false => Finding::fault(
            CHECK,
            format!("`{shown}` is not there and cannot be made by this user"),
            format!("sudo install -d -o {} {shown}", own_name()),
        ),
    }
}

/// The name of whom we look as, who need not be whom the reader is.
fn own_name() -> String {
    let uid = nix::unistd::Uid::effective();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

/// Makes a file and removes it, as an upload would: some disks say only then that they are read-only.
/// What is full is another check's.
fn try_writing(root: &Path) -> Result<(), Errno> {
    let name = root.join(format!("{PARTIAL}doctor-{}", std::process::id()));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    match open(&name, flags, Mode::RUSR | Mode::WUSR) {
        Ok(_) => unlink(&name),
        Err(Errno::NOSPC | Errno::DQUOT | Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

fn room(share: &Share) -> Option<Finding> {
    let disk = statvfs(&share.root).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let total = disk.f_blocks.saturating_mul(disk.f_frsize);
    if total == 0 {
        let text = "the disk does not tell its room: uploads are not held against share.reserve";
        return Some(Finding::good("room", text));
    }
    let reserve = share.reserve.of(total);
    // Some disks count no files at all.
    if disk.f_files > 0 && disk.f_favail == 0 {
        let text = "every upload is refused: the disk can hold no more files (inodes)";
        return Some(Finding::fault("room", text, "remove some files"));
    }
    Some(room_of(free, reserve))
}

fn room_of(free: u64, reserve: u64) -> Finding {
    const CHECK: &str = "room";
    let mib = |bytes: u64| ByteSize(bytes >> 20 << 20);
    match free.checked_sub(reserve) {
        Some(left) if left > 0 => {
            let text = format!("{} free for uploads, {} kept", mib(left), mib(reserve));
            Finding::good(CHECK, text)
        }
        _ => Finding::fault(
            CHECK,
            format!(
                "every upload is refused: {} free, {} must be kept",
                mib(free),
                mib(reserve)
            ),
            "free some room, or lower share.reserve",
        ),
    }
}

/// Whether everybody's home can be opened, where there is one: a missing one is made at the first login.
pub(super) fn homes(config: &ServerConfig) -> Option<Finding> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(&config.share.root, flags, Mode::empty()).ok()?;
    let able = Accounts::new(config).names();
    // As at a login: no link leads out, and what can only be written to can be entered.
    let is_shut = |user: &&User| {
        let home = match user.home.relative() {
            "" => ".",
            home => home,
        };
        let opened = openat2(&root, home, flags, Mode::empty(), ResolveFlags::BENEATH);
        let is_able = able.iter().any(|name| name == user.name.as_str());
        is_able && opened.is_err_and(|error| error != Errno::NOENT)
    };
    let shut: Vec<_> = config.users.iter().filter(is_shut).collect();
    let first = shut.first()?;
    let names: Vec<_> = shut.iter().map(|user| user.name.as_str()).collect();
    let home = config.share.root.join(first.home.relative());
    Some(Finding::warning(
        "homes",
        format!("{} get 530: their home cannot be opened", names.join(", ")),
        format!(
            "make `{}` a directory that the server may read",
            home.display()
        ),
    ))
}

#[cfg(test)]
mod tests;
