//! Which disks write out at one call all that they hold, and tell what they could not.

use std::fs::File;

/// ext2 to ext4, XFS, Btrfs, F2FS and NFS. The call does not reach the servers of FUSE and 9p, nor tells what
/// the disk below an overlay refused; of the others it is not known.
const KNOWN: [i128; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x6969];

/// Before this version Linux keeps what was refused to itself.
const TELLING: (u32, u32) = (5, 8);

/// Tells whether a `syncfs` is as good as an `fsync` of each file; in doubt it is not.
pub(super) fn is_trusted(file: &File) -> bool {
    let system = rustix::system::uname();
    let disk = rustix::fs::fstatfs(file);
    is_telling(&system.release().to_string_lossy())
        && disk.is_ok_and(|disk| is_known(i128::from(disk.f_type)))
}

/// Some architectures give the number a sign.
fn is_known(disk: i128) -> bool {
    KNOWN.contains(&(disk & 0xffff_ffff))
}

fn is_telling(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= TELLING,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_disks_are_trusted() {
        // ext4, Btrfs where the number has a sign, NFS.
        for disk in [0xef53, i128::from(0x9123_683e_u32.cast_signed()), 0x6969] {
            assert!(is_known(disk), "{disk:x}");
        }
        // FUSE, 9p, overlay, CIFS, FAT.
        for disk in [0x6573_5546, 0x0102_1997, 0x794c_7630, 0xff53_4d42, 0x4d44] {
            assert!(!is_known(disk), "{disk:x}");
        }
        // A file of procfs.
        assert!(!is_trusted(&File::open("/proc/self/status").unwrap()));
    }

    #[test]
    fn an_old_system_is_not_trusted() {
        for (release, telling) in [
            ("5.8.0", true),
            ("6.1-rc3", true),
            ("10.0.1", true),
            ("5.7.19", false),
            ("4.18.0-553.el8.x86_64", false),
            ("strange", false),
            ("6", false),
        ] {
            assert_eq!(is_telling(release), telling, "{release}");
        }
    }
}
