//! What is mounted at the share and below it: some disks may not answer for minutes, or never.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::{fd::AsFd, unix::ffi::OsStringExt as _},
    path::Path,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

/// Where the kernel tells this process's mounts.
pub(super) const TABLE: &str = "/proc/self/mountinfo";

/// Kinds of file systems behind a network or a program of the user, as `/proc/self/mountinfo` says.
const FAR: [&str; 15] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse",
    "fuseblk",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// The table of mounts, watched.
#[derive(Debug)]
pub struct Mounts(File);

impl Mounts {
    /// Begins to watch.
    ///
    /// # Errors
    /// The kernel shows no table.
    pub fn watch() -> io::Result<Self> {
        File::open(TABLE).map(Self)
    }

    /// Waits for a mount to come or go; `false`: the other end of `ended` was closed. Blocks.
    #[must_use]
    pub fn wait_for_change(&self, ended: impl AsFd) -> bool {
        loop {
            // A change of the table is told as something urgent (proc(5)).
            let mut ready = [
                PollFd::new(&self.0, PollFlags::PRI),
                PollFd::new(&ended, PollFlags::IN),
            ];
            match poll(&mut ready, None) {
                Err(Errno::INTR) => {}
                Ok(_) if ready[1].revents().is_empty() => return true,
                _ => return false,
            }
        }
    }
}

/// Tells whether the share's own disk, or one that is mounted below it, is far.
pub(super) fn are_far(mountinfo: &[u8], root: &Path) -> bool {
    let mut own = ("", 0);
    for mount in mountinfo.split(|byte| *byte == b'\n').filter_map(read) {
        let (at, kind) = mount;
        let at = Path::new(&at);
        if at != root && at.starts_with(root) && is_far(kind) {
            return true;
        }
        // Of several at one place the last one hides the others.
        let length = at.as_os_str().len();
        if root.starts_with(at) && length >= own.1 {
            own = (kind, length);
        }
    }
    is_far(own.0)
}

fn is_far(kind: &str) -> bool {
    let kind = kind.split('.').next().unwrap_or(kind);
    FAR.contains(&kind)
}

/// Reads the mount point and the kind of a line (proc(5)): `36 35 98:0 / /mnt rw - ext4 /dev/sda rw`.
fn read(line: &[u8]) -> Option<(OsString, &str)> {
    let mut words = line.split(|byte| *byte == b' ');
    let at = plain(words.nth(4)?);
    let kind = words.skip_while(|word| *word != b"-").nth(1)?;
    Some((at, std::str::from_utf8(kind).ok()?))
}

/// Blanks, line ends and backslashes of a path stand as `\040` and so on.
fn plain(escaped: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &behind[3..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watch_ends_with_whoever_it_is_for() {
        let (ended, running) = rustix::pipe::pipe().unwrap();
        let mounts = Mounts::watch().unwrap();
        let watching = std::thread::spawn(move || while mounts.wait_for_change(&ended) {});
        drop(running);
        watching.join().unwrap();
    }

    #[test]
    fn the_disk_of_the_share_and_those_below_it_count() {
        let table = b"22 1 254:1 / / rw,relatime - ext4 /dev/vda rw\n\
            30 22 0:40 / /mnt/nas rw shared:5 master:1 - nfs4 nas:/ rw\n\
            31 22 0:41 / /srv/share/my\\040usb rw - fuse.exfat /dev/sdb rw\n\
            32 22 8:1 / /srv/share/inner rw - xfs /dev/sdc rw\n\
            33 22 0:42 / /srv/hidden rw - fuse.sshfs h: rw\n\
            34 22 8:2 / /srv/hidden rw - ext4 /dev/sdd rw\n\
            odd line\n";
        let far = |root: &str| are_far(table, Path::new(root));
        for near in [
            "/srv/share/inner",
            "/srv/other",
            "/srv/hidden",
            "/srv/share/my",
        ] {
            assert!(!far(near), "{near}");
        }
        for root in [
            "/",
            "/srv",
            "/srv/share",
            "/srv/share/my usb",
            "/mnt/nas/deep/dir",
        ] {
            assert!(far(root), "{root}");
        }
        assert!(!are_far(b"", Path::new("/srv")));
    }
}
