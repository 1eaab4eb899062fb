//! Partials of one upload alone: no other one finds them.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::fd::BorrowedFd,
};

use rustix::fs::{OFlags, renameat};

use super::{Attempt, Partial, open_locked};

/// Opens a partial of this upload alone.
pub(super) fn open_fresh(dir: BorrowedFd<'_>, kept: &OsStr) -> io::Result<Partial> {
    for _ in 0..16 {
        if let Attempt::Held(partial) = open_locked(dir, &fresh_name(kept)?, OFlags::EXCL)? {
            return Ok(partial);
        }
    }
    Err(io::Error::from(io::ErrorKind::ResourceBusy))
}

fn fresh_name(kept: &OsStr) -> io::Result<OsString> {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mut fresh = kept.to_owned();
    fresh.push(format!("-{:016x}", u64::from_ne_bytes(random)));
    Ok(fresh)
}

impl Partial {
    /// Puts it where no upload goes on with it, and it is still swept in its time. The lock is still held.
    pub(in crate::share) fn set_aside(&mut self, dir: BorrowedFd<'_>) -> io::Result<()> {
        if !self.is_gone(dir) {
            let fresh = fresh_name(&self.name)?;
            renameat(dir, &self.name, dir, &fresh)?;
            self.name = fresh;
        }
        Ok(())
    }
}
