//! What an upload that goes on begins with: bytes of its partial, or of the file that is there.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom},
    os::unix::fs::FileExt as _,
    sync::atomic::Ordering,
};

use rustix::fs::{Mode, OFlags, ioctl_ficlone, openat};

use super::{Intent, Upload};
use crate::share::{Meta, ShareError, room};

/// What is compared before a client is told to begin, and at once.
const QUICK: u64 = 256 << 10;

const BLOCK: usize = 64 << 10;

/// The first byte that a client sends, and whether it goes on with what the partial has kept.
struct Beginning {
    at: u64,
    is_in_kept: bool,
}

impl Beginning {
    fn of(intent: Intent, there: Option<Meta>, kept: u64) -> Self {
        let at = match (intent, there) {
            (Intent::Store { offset }, _) => offset,
            (Intent::Append, Some(meta)) => meta.size,
            (Intent::Append, None) => kept,
            (Intent::Unique, _) => 0,
        };
        let size = there.map_or(0, |meta| meta.size);
        // A client that goes on at the size it is told means the file that it sees (RFC 3659 §5), unless that
        // is an old one, and it tries to finish the new one (lftp by itself, FileZilla's Resume).
        let is_in_kept = match intent {
            Intent::Append => there.is_none(),
            _ => at <= kept && (at == 0 || at != size),
        };
        Self { at, is_in_kept }
    }
}

impl Upload {
    /// Returns how many bytes an earlier try has left in the partial.
    pub(super) fn kept(&self) -> u64 {
        self.partial.as_ref().map_or(0, |partial| partial.kept)
    }

    /// What may be a beginning of another file than the one that is there: this partial's first bytes, or a rival's.
    fn other(&self) -> &File {
        let rival = self.partial.as_ref().and_then(|it| it.rival.as_ref());
        rival.map_or(self.file(), |rival| &rival.file)
    }

    fn of_the_other(&self) -> u64 {
        self.other().metadata().map_or(0, |meta| meta.len())
    }

    /// Puts the partial at the byte at which the client begins.
    pub(super) fn prepare(
        &mut self,
        intent: Intent,
        there: Option<Meta>,
    ) -> Result<(), ShareError> {
        let kept = self.kept();
        let Beginning { at, is_in_kept } = Beginning::of(intent, there, kept);
        let size = there.map_or(0, |meta| meta.size);
        if is_in_kept {
            // What is kept behind that byte goes when the first new byte can come.
        } else if at <= size {
            // It is copied when the bytes behind it can come.
            self.ensure_fits(at)?;
            self.to_copy = Some(at);
            // What is kept of a new file that was to replace this one begins otherwise: a client that goes on at the
            // size it is told, by REST or by APPE, means that one.
            self.to_compare = self.of_the_other().min(at);
            self.ensure_alike(self.to_compare.min(QUICK), &|| false)?;
        } else {
            return Err(ShareError::Offset {
                path: self.path.clone(),
                offset: at,
                size: size.max(kept),
            });
        }
        if at > 0 && self.to_copy.is_none() {
            let placed = self.file().seek(SeekFrom::Start(at));
            placed.map_err(|error| ShareError::from_io(&self.path, error))?;
        }
        self.offset = at;
        if self.to_copy.is_none() {
            self.ahead.begin_at(at);
        }
        Ok(())
    }

    /// Refuses a copy that could never fit. Where two files can share their bytes (XFS, Btrfs) it takes no room, and is
    /// made here; what is kept has its room already.
    fn ensure_fits(&mut self, bytes: u64) -> Result<(), ShareError> {
        self.has_base = self.kept() >= bytes;
        if self.has_base {
            return Ok(());
        }
        let fits = room::check(&self.dir, self.home.reserve, &self.path, bytes);
        if fits.is_err() && self.kept() == 0 {
            self.has_base = self.share_base().is_ok();
        }
        if self.has_base { Ok(()) } else { fits }
    }

    fn share_base(&self) -> Result<(), ShareError> {
        let base = self.open_base()?;
        self.copied.store(u64::MAX, Ordering::Relaxed);
        let shared = ioctl_ficlone(self.file(), &base);
        shared.map_err(|error| ShareError::from_io(&self.path, error.into()))
    }

    /// Makes the first bytes of the file that is there those of the partial.
    pub(super) fn take_base(
        &mut self,
        bytes: u64,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), ShareError> {
        match self.has_base {
            true => self.cut(bytes)?,
            false => self.copy_base(bytes, is_stopped)?,
        }
        self.copied.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Leaves of the partial, which begins as the file that is there does, only that.
    fn cut(&mut self, bytes: u64) -> Result<(), ShareError> {
        let io = |error: io::Error| ShareError::from_io(&self.path, error);
        let mut file = self.file();
        let size = file.metadata().map_err(io)?.len();
        if size < bytes {
            // It was shared as it was then.
            return Err(self.shrunk(bytes, size));
        }
        file.set_len(bytes).map_err(io)?;
        file.seek(SeekFrom::Start(bytes)).map_err(io)?;
        self.forget_kept();
        self.ahead.begin_at(bytes);
        Ok(())
    }

    /// What an earlier try has left is gone: nobody may go on behind half of a copy.
    fn forget_kept(&mut self) {
        if let Some(partial) = &mut self.partial {
            partial.kept = 0;
        }
    }

    fn shrunk(&self, offset: u64, size: u64) -> ShareError {
        let path = self.path.clone();
        ShareError::Offset { path, offset, size }
    }

    /// Copies the first bytes of the file that is there; the file itself stays untouched. In steps, between which somebody
    /// can stop it, and in the kernel (copy_file_range(2)), which copies nothing where two files can share their bytes.
    fn copy_base(&mut self, bytes: u64, is_stopped: &dyn Fn() -> bool) -> Result<(), ShareError> {
        let io = |error: io::Error| ShareError::from_io(&self.path, error);
        let mut base = self.open_base()?;
        self.file().set_len(0).map_err(io)?;
        self.forget_kept();
        let io = |error: io::Error| ShareError::from_io(&self.path, error);
        // Half a copy is nothing to go on with.
        self.copied.store(u64::MAX, Ordering::Relaxed);
        let mut copied = 0;
        while copied < bytes {
            if is_stopped() {
                let path = self.path.clone();
                return Err(ShareError::Stopped { path });
            }
            // Others write too, so each step is promised like bytes that come from a client.
            let step = (bytes - copied).min(room::STRIDE);
            self.ensure_room(step)?;
            let mut part = io::Read::take(&mut base, step);
            let now = io::copy(&mut part, &mut self.file()).map_err(io)?;
            copied += now;
            if now < step {
                return Err(self.shrunk(bytes, copied));
            }
        }
        Ok(())
    }

    /// Refuses to go on with the file that is there where the partial's first bytes are others. The file
    /// that it is a part of would get the rest of another.
    pub(super) fn ensure_alike(
        &self,
        bytes: u64,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), ShareError> {
        if bytes == 0 {
            return Ok(());
        }
        let path = || self.path.clone();
        let (old, mut done) = (self.open_base()?, 0);
        let (mut one, mut other) = (vec![0; BLOCK], vec![0; BLOCK]);
        while done < bytes {
            if is_stopped() {
                return Err(ShareError::Stopped { path: path() });
            }
            let count = usize::try_from(bytes - done).map_or(BLOCK, |left| left.min(BLOCK));
            let (one, other) = (&mut one[..count], &mut other[..count]);
            self.read_other(one, done)?;
            let read = old.read_exact_at(other, done);
            read.map_err(|error| match error.kind() {
                // It was as long as that when it was looked at.
                io::ErrorKind::UnexpectedEof => ShareError::Busy { path: path() },
                _ => ShareError::from_io(&self.path, error),
            })?;
            if one != other {
                return Err(ShareError::Differs { path: path() });
            }
            done += count as u64;
        }
        Ok(())
    }

    /// Reads what may be a beginning of another file. A rival that is cut meanwhile has just begun: its client is there.
    fn read_other(&self, bytes: &mut [u8], at: u64) -> Result<(), ShareError> {
        let has_rival = self.partial.as_ref().is_some_and(|it| it.rival.is_some());
        let read = self.other().read_exact_at(bytes, at);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof if has_rival => ShareError::Held {
                path: self.path.clone(),
            },
            _ => ShareError::from_io(&self.path, error),
        })
    }

    /// Opens the file that is there.
    fn open_base(&self) -> Result<File, ShareError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(&self.dir, &self.name, flags, Mode::empty());
        let opened = opened.map_err(|error| ShareError::from_io(&self.path, error.into()));
        opened.map(File::from)
    }
}
