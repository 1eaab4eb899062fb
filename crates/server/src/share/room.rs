//! Room on the disk: what may be used after the reserve.

use std::{
    collections::HashMap,
    io,
    os::fd::AsFd,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use ftp_config::{ByteSize, Reserve, SharePath};
use rustix::fs::{StatVfsMountFlags, fstat, fstatvfs};

use super::{ShareError, partial};

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

/// Refuses when `needed` bytes do not fit.
pub(super) fn check(
    dir: impl AsFd,
    reserve: Reserve,
    path: &SharePath,
    needed: u64,
) -> Result<(), ShareError> {
    let room = ask(&dir, reserve).map_err(|error| ShareError::from_io(path, error))?;
    // A disk that tells no size (some FUSE mounts) is not asked about room.
    if room.total == 0 || room.free >= needed {
        return Ok(());
    }
    Err(full(dir, path, needed, room.free))
}

/// Nothing is free on a disk that takes nothing. Some say so of each file only (squashfuse).
fn full(dir: impl AsFd, path: &SharePath, needed: u64, free: u64) -> ShareError {
    let is_read_only = fstatvfs(&dir).is_ok_and(|disk| {
        let is_said = disk.f_flag.contains(StatVfsMountFlags::RDONLY);
        is_said || disk.f_bfree == 0 && partial::is_refused(dir.as_fd())
    });
    if is_read_only {
        return ShareError::ReadOnly { path: path.clone() };
    }
    ShareError::Full {
        path: path.clone(),
        needed: ByteSize(needed),
        is_more: false,
        free: ByteSize(free),
    }
}

/// The most that is granted at once: the disk is not asked for every block.
pub(super) const STRIDE: u64 = 16 << 20;
/// The part of what is left that one upload may be granted: the others want room too.
const PART: u64 = 64;

/// What the uploads of a share have been granted and have not written yet, disk by disk: others may be mounted
/// below it. An upload that has begun keeps the tally of its disk. A subvolume (btrfs) counts as a disk.
#[derive(Debug, Default)]
pub(super) struct Promised(Mutex<HashMap<u64, Weak<Tally>>>);

/// What has been granted of one disk.
#[derive(Debug, Default)]
struct Tally(AtomicU64);

/// Bytes that an upload may write before the disk is asked again. What it does not write goes back.
#[derive(Debug)]
pub(super) struct Grant {
    left: AtomicU64,
    /// The file has what is left for its own: the disk does not count it as free, and nobody is promised it.
    is_aside: AtomicBool,
    promised: Arc<Tally>,
}

impl Grant {
    /// Grants room to an upload that needs at least so many bytes.
    pub(super) fn new(
        promised: &Promised,
        dir: impl AsFd,
        reserve: Reserve,
        path: &SharePath,
        needed: u64,
    ) -> Result<Self, ShareError> {
        let stat = fstat(&dir).map_err(|error| ShareError::from_io(path, error.into()))?;
        let promised = promised.of(stat.st_dev);
        Ok(Self {
            left: AtomicU64::new(promised.add(dir, reserve, path, needed)?),
            is_aside: AtomicBool::new(false),
            promised,
        })
    }

    /// Takes bytes that are written now, and asks the disk when they are more than was granted.
    pub(super) fn spend(
        &self,
        bytes: u64,
        dir: impl AsFd,
        reserve: Reserve,
        path: &SharePath,
    ) -> Result<(), ShareError> {
        let mut left = self.left.load(Ordering::Relaxed);
        if left < bytes {
            self.take_back(self.left.swap(0, Ordering::Relaxed));
            self.is_aside.store(false, Ordering::Relaxed);
            left = self.promised.add(dir, reserve, path, bytes)?;
        }
        let spent = bytes.min(left);
        self.left.store(left - spent, Ordering::Relaxed);
        self.take_back(spent);
        Ok(())
    }

    /// Returns how many bytes may be written before the disk is asked again.
    pub(super) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Notes that the disk has given the file what is left: it is no longer only promised.
    pub(super) fn is_set_aside(&self) {
        self.take_back(self.left());
        self.is_aside.store(true, Ordering::Relaxed);
    }

    fn take_back(&self, bytes: u64) {
        if !self.is_aside.load(Ordering::Relaxed) {
            self.promised.take_back(bytes);
        }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.take_back(self.left());
    }
}

impl Promised {
    /// Returns the tally of a disk, by its number.
    fn of(&self, device: u64) -> Arc<Tally> {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tally) = tallies.get(&device).and_then(Weak::upgrade) {
            return tally;
        }
        tallies.retain(|_, tally| tally.strong_count() > 0);
        let tally = Arc::default();
        tallies.insert(device, Arc::downgrade(&tally));
        tally
    }
}

impl Tally {
    /// Promises at least `needed` bytes, up to a stride; returns how many.
    fn add(
        &self,
        dir: impl AsFd,
        reserve: Reserve,
        path: &SharePath,
        needed: u64,
    ) -> Result<u64, ShareError> {
        let room = ask(&dir, reserve).map_err(|error| ShareError::from_io(path, error))?;
        let free = match room.total {
            0 => u64::MAX,
            _ => room.free,
        };
        let mut promised = self.0.load(Ordering::Relaxed);
        loop {
            let Some(bytes) = granted(free, promised, needed) else {
                return Err(full(dir, path, needed, free.saturating_sub(promised)));
            };
            let order = Ordering::Relaxed;
            let swapped = self
                .0
                .compare_exchange(promised, promised + bytes, order, order);
            match swapped {
                Ok(_) => return Ok(bytes),
                Err(now) => promised = now,
            }
        }
    }

    fn take_back(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// However much was announced, no more than a stride is held back: others use the disk meanwhile.
fn granted(free: u64, promised: u64, needed: u64) -> Option<u64> {
    let left = free.saturating_sub(promised);
    let share = (left / PART).min(STRIDE);
    (left >= needed).then(|| share.max(needed.min(STRIDE)))
}

#[cfg(test)]
mod tests;
