//! Room that a large download has for its own before its bytes come.
//!
//! ext4 looks for room for every 4 KiB that is written, unless the file has it already: that was a third of a
//! download's CPU there. Other disks find room for a whole write at once, or copy what is set aside (Btrfs).

use std::{
    fs::File,
    io::{self, Seek as _},
};

use rustix::{
    fs::{FallocateFlags, fallocate, fstatfs},
    io::retry_on_intr,
};

/// ext2, ext3 and ext4; the first two refuse.
const EXT4: i128 = 0xef53;
/// What is set aside at once. A file that ends before it is not worth it.
const STEP: u64 = 16 << 20;
/// The most that is written at once: so much is to be there.
const WRITE: u64 = 1 << 20;

/// How far a file has room of its own; what it did not need goes back on drop.
pub(super) struct Ahead<'a> {
    file: &'a File,
    /// Where the next byte goes.
    at: u64,
    /// The end of the room.
    end: u64,
    /// Where the file is to end; 0: nothing is set aside.
    until: u64,
}

impl<'a> Ahead<'a> {
    /// Sets room aside for the first of `length` bytes, if these are many.
    pub(super) fn new(file: &'a File, length: Option<u64>) -> Self {
        let mut ahead = Self {
            file,
            at: 0,
            end: 0,
            until: 0,
        };
        if let Some(length) = length.filter(|length| *length >= STEP)
            && is_ext4(file)
            && let Ok(at) = { file }.stream_position()
        {
            (ahead.at, ahead.end) = (at, at);
            ahead.until = at.saturating_add(length);
            ahead.reach(0);
        }
        ahead
    }

    /// Notes that so many bytes are written, or will be now.
    pub(super) fn reach(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes);
        if self.end >= self.until.min(self.at.saturating_add(WRITE)) {
            return;
        }
        let from = self.end.max(self.at);
        let length = STEP.min(self.until.saturating_sub(from));
        match set_aside(self.file, from, length) {
            Ok(()) => self.end = from + length,
            // A full disk says so when the bytes come.
            Err(_no_more) => self.until = 0,
        }
    }
}

impl Drop for Ahead<'_> {
    fn drop(&mut self) {
        if self.end > self.at {
            let meta = self.file.metadata();
            let _only_room = meta.and_then(|meta| self.file.set_len(meta.len()));
        }
    }
}

pub(super) fn is_ext4(file: &File) -> bool {
    fstatfs(file).is_ok_and(|disk| i128::from(disk.f_type) == EXT4)
}

fn set_aside(file: &File, from: u64, length: u64) -> io::Result<()> {
    retry_on_intr(|| fallocate(file, FallocateFlags::KEEP_SIZE, from, length))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::unix::fs::MetadataExt as _};

    use super::*;

    fn room(file: &File) -> u64 {
        file.metadata().unwrap().blocks() * 512
    }

    /// What a disk sets aside: nothing, unless it is one that gains by it.
    fn given(file: &File, bytes: u64) -> u64 {
        if is_ext4(file) { bytes } else { 0 }
    }

    #[test]
    fn a_large_file_has_room_before_its_bytes_and_none_behind_them() {
        let mut file = tempfile::tempfile().unwrap();
        let block = vec![7; 1 << 20];
        let all = STEP + (4 << 20);
        let mut ahead = Ahead::new(&file, Some(all));
        let first = room(&file);
        assert!(
            first >= given(&file, STEP) && first < STEP + WRITE,
            "{first}"
        );
        for _ in 0..17 {
            (&file).write_all(&block).unwrap();
            ahead.reach(1 << 20);
        }
        assert!(room(&file) >= given(&file, all));
        drop(ahead);
        let left = room(&file);
        assert!(left < (17 << 20) + (64 << 10), "{left}");
        assert_eq!(file.metadata().unwrap().len(), 17 << 20);
        file.write_all(b"x").unwrap();
        assert_eq!(file.stream_position().unwrap(), (17 << 20) + 1);
    }

    #[test]
    fn nothing_is_set_aside_for_a_small_file_or_one_of_unknown_size() {
        for length in [None, Some(0), Some(STEP - 1)] {
            let file = tempfile::tempfile().unwrap();
            let mut ahead = Ahead::new(&file, length);
            ahead.reach(1 << 20);
            assert_eq!(room(&file), 0, "{length:?}");
        }
    }

    #[test]
    fn what_goes_on_has_its_room_behind_what_is_there() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        let ahead = Ahead::new(&file, Some(STEP));
        let whole = (1 << 20) + STEP;
        assert_eq!(ahead.until, given(&file, whole));
        assert!(room(&file) >= given(&file, whole), "{}", room(&file));
    }
}
