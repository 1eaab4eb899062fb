//! The names of a directory as the system gives them, but for those that nobody lists.

use std::{
    ffi::OsStr,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
};

use rustix::{
    fs::{Mode, OFlags, RawDir, openat},
    io::Errno,
};

use super::ListOptions;
use crate::share::{meta::Kind, names};

/// How much of a directory the system is asked for at once.
const NAMES_BLOCK: usize = 64 << 10;

/// Gives each name that may be listed to `take`.
pub(super) fn each_name(
    dir: &OwnedFd,
    options: ListOptions,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    each_entry(dir, options, |name, _| take(name))
}

pub(super) fn each_entry(
    dir: &OwnedFd,
    options: ListOptions,
    mut take: impl FnMut(&[u8], Kind) -> io::Result<()>,
) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = openat(dir, ".", flags, Mode::empty())?;
    let mut block = Vec::with_capacity(NAMES_BLOCK);
    let mut entries = RawDir::new(dir, block.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Err(Errno::INTR) => continue,
            entry => entry?,
        };
        let name = entry.file_name().to_bytes();
        let hidden = name.starts_with(b".") && !options.all;
        if matches!(name, b"." | b"..") || hidden || names::is_partial(OsStr::from_bytes(name)) {
            continue;
        }
        take(name, Kind::of(entry.file_type()))?;
    }
    Ok(())
}
