//! Room on the disk: what may be used after the reserve.

use std::{io, os::fd::AsFd};

use ftp_config::{ByteSize, Reserve, SharePath};
use rustix::fs::fstatvfs;

use super::ShareError;

/// Bytes of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What may be used, the reserve taken off.
    pub free: u64,
    /// The whole disk.
    pub total: u64,
}

/// Asks the disk that holds `dir`.
pub(super) fn ask(dir: impl AsFd, reserve: Reserve) -> io::Result<Room> {
    let disk = fstatvfs(dir)?;
    let total = disk.f_blocks.saturating_mul(disk.f_frsize);
    let available = disk.f_bavail.saturating_mul(disk.f_frsize);
    Ok(Room {
        free: available.saturating_sub(reserve.of(total)),
        total,
    })
}

/// Bytes granted at once: the disk is not asked for every block.
const STRIDE: u64 = 16 << 20;

/// Refuses when `needed` bytes do not fit. Returns how many bytes may come before it is asked again.
pub(super) fn check(
    dir: impl AsFd,
    reserve: Reserve,
    path: &SharePath,
    needed: u64,
) -> Result<u64, ShareError> {
    let room = ask(dir, reserve).map_err(|error| ShareError::from_io(path, error))?;
    // A disk that tells no size (some FUSE mounts) is not asked about room.
    if room.total == 0 {
        return Ok(u64::MAX);
    }
    if room.free >= needed {
        // However much was announced: others use the disk meanwhile.
        return Ok(room.free.min(STRIDE));
    }
    Err(ShareError::Full {
        path: path.clone(),
        needed: ByteSize(needed),
        free: ByteSize(room.free),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_not_for_uploads() {
        let dir = std::fs::File::open("/").unwrap();
        let path = SharePath::root();
        let all = ask(&dir, Reserve::Bytes(ByteSize(0))).unwrap();
        assert!(all.free > 0 && all.free <= all.total);
        let granted = check(&dir, Reserve::Bytes(ByteSize(0)), &path, 1).unwrap();
        assert_eq!(granted, all.free.min(STRIDE));
        let announced = check(&dir, Reserve::Bytes(ByteSize(0)), &path, granted).unwrap();
        assert!(announced <= STRIDE, "{announced}");
        let none = ask(&dir, Reserve::Bytes(ByteSize(u64::MAX))).unwrap();
        assert_eq!(none.free, 0);
        let error = check(&dir, Reserve::Bytes(ByteSize(u64::MAX)), &path, 7).unwrap_err();
        assert_eq!(error.code(), 452);
        assert!(error.to_string().contains("7 B needed, 0 free"), "{error}");
    }
}
