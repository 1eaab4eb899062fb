//! Room that a large upload has for its own before its bytes come.
//!
//! ext4 looks for room for every 4 KiB that is written, unless the file has it already: that was a third of an
//! upload's CPU there. Other disks find room for a whole write at once, or copy what is set aside (btrfs).

use std::{
    fs::File,
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use rustix::{
    fs::{FallocateFlags, fallocate, fstatfs},
    io::retry_on_intr,
};

use crate::share::room::Grant;

/// ext2, ext3 and ext4; the first two refuse.
const EXT4: u64 = 0xef53;
/// Smaller files are over before it pays.
const LARGE: u64 = 1 << 20;

/// How far a file has room of its own.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Where the next byte goes.
    at: AtomicU64,
    /// The end of the room; 0: none was asked for.
    end: AtomicU64,
    /// The disk does not give any, or nothing is gained by it.
    is_off: AtomicBool,
}

impl Ahead {
    /// Begins at another byte.
    pub(super) fn begin_at(&mut self, at: u64) {
        *self.at.get_mut() = at;
    }

    /// Returns where the next byte goes.
    pub(super) fn at(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    /// Notes that `bytes` are written now, and sets aside what is left of the grant behind them, when the room of
    /// the file ends. A disk that refuses is asked no more: it says why when the bytes come.
    pub(super) fn reach(&self, file: &File, bytes: u64, grant: &Grant) {
        let at = self.at.fetch_add(bytes, Ordering::Relaxed);
        let to = at.saturating_add(bytes);
        let is_inside = to <= self.end.load(Ordering::Relaxed);
        if to < LARGE || is_inside || self.is_off.load(Ordering::Relaxed) {
            return;
        }
        let length = bytes.saturating_add(grant.left());
        if length < LARGE {
            // The disk is nearly full.
            return;
        }
        match set_aside(file, at, length) {
            Ok(()) => {
                self.end.store(at + length, Ordering::Relaxed);
                grant.is_set_aside();
            }
            Err(_told_by_the_write) => self.is_off.store(true, Ordering::Relaxed),
        }
    }

    /// Gives back what stands behind the end of the file, of an earlier try too.
    pub(super) fn trim(&self, file: &File, goes_on: bool) {
        if goes_on || self.end.load(Ordering::Relaxed) > 0 {
            let _only_room = file.metadata().and_then(|meta| file.set_len(meta.len()));
        }
    }
}

fn set_aside(file: &File, at: u64, length: u64) -> io::Result<()> {
    if u64::try_from(fstatfs(file)?.f_type) != Ok(EXT4) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    retry_on_intr(|| fallocate(file, FallocateFlags::KEEP_SIZE, at, length))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{Seek as _, Write as _},
        os::unix::fs::MetadataExt as _,
    };

    use ftp_config::Rights;

    use super::*;
    use crate::share::{
        Intent, Upload,
        tests::{Bed, FRESH, path},
    };

    const MIB: u64 = 1 << 20;

    fn room(file: &File) -> u64 {
        file.metadata().unwrap().blocks() * 512
    }

    fn write(upload: &Upload, mib: u64) {
        let block = vec![7; 1 << 20];
        for _ in 0..mib {
            upload.ensure_room(MIB).unwrap();
            upload.file().write_all(&block).unwrap();
        }
    }

    /// Whether the disk of a file is one that gains by it.
    fn gains(file: &File) -> bool {
        set_aside(file, 0, 4096).is_ok()
    }

    #[test]
    fn a_large_upload_has_room_before_its_bytes_and_none_behind_them() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
        write(&upload, 2);
        let (has, is_ahead) = (room(upload.file()), gains(&tempfile::tempfile().unwrap()));
        // So much that a disk which is not nearly full has left for it.
        assert_eq!(has > 3 * MIB, is_ahead, "{has}");
        write(&upload, 15);
        upload.commit(None).unwrap();
        let stored = fs::metadata(bed.disk("a")).unwrap();
        assert_eq!(stored.len(), 17 * MIB);
        assert!(
            stored.blocks() * 512 < 17 * MIB + (64 << 10),
            "{}",
            stored.blocks()
        );
    }

    /// The one file of the share, which is not locked by this handle.
    fn partial(bed: &Bed) -> File {
        let entry = fs::read_dir(bed.disk("")).unwrap().next().unwrap().unwrap();
        File::options().write(true).open(entry.path()).unwrap()
    }

    #[test]
    fn what_is_kept_of_a_large_upload_has_no_room_behind_it() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
        write(&upload, 2);
        drop(upload);
        let partial = partial(&bed);
        assert!(room(&partial) < 2 * MIB + (64 << 10), "{}", room(&partial));
        // A server that was killed could not give it back: the upload that goes on does.
        let _given = set_aside(&partial, 2 * MIB, 4 * MIB);
        let mut upload = home
            .begin_upload(&path("a"), Intent::Store { offset: 2 * MIB }, None)
            .unwrap();
        upload.start(&|| false).unwrap();
        assert_eq!(upload.file().stream_position().unwrap(), 2 * MIB);
        upload.ensure_room(1).unwrap();
        upload.file().write_all(b"x").unwrap();
        upload.commit(None).unwrap();
        let stored = fs::metadata(bed.disk("a")).unwrap();
        assert_eq!(stored.len(), 2 * MIB + 1);
        assert!(
            stored.blocks() * 512 < 2 * MIB + (64 << 10),
            "{}",
            stored.blocks()
        );
    }

    #[test]
    fn a_small_upload_asks_for_none() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
        upload.ensure_room(LARGE - 1).unwrap();
        assert_eq!(room(upload.file()), 0);
    }
}
