//! What becomes of an upload that did not come to its end: its partial is kept for a later try, or goes.

use std::{fs::File, io, os::fd::AsFd as _, sync::atomic::Ordering};

use ftp_config::server::Uploads;

use super::{Taken, Upload};
use crate::share::{ShareError, holders::Hold, partial::secure};

impl Upload {
    /// Removes the partial: it could never be finished (no room, refused by the client).
    pub fn discard(mut self) {
        if let Some(partial) = self.partial.take() {
            partial.remove(self.dir.as_fd());
        }
    }

    /// Leaves an upload that was refused its name. A copy of a file that is another one now goes: no later try
    /// would find it. So does what came by APPE, whose client sends it again, and what can never have its name. A whole
    /// file that may not replace the one which has come is no beginning of one to come: it stays where nobody goes on with
    /// it. What came as part of a new file stays as it is.
    pub(super) fn leave(mut self, error: ShareError, is_heard: bool) -> ShareError {
        let is_copy = matches!(self.unchanged, Some(Some(_))) && self.kept() == 0;
        let is_lost = match error {
            ShareError::Busy { .. } => {
                is_copy || (self.appends && self.file().set_len(self.offset).is_err())
            }
            ShareError::Name { .. } => true,
            ShareError::Exists { .. } if is_heard && self.taken == Taken::Refuse => {
                let dir = self.dir.as_fd();
                let _or_stays = self.partial.as_mut().map(|it| it.set_aside(dir));
                false
            }
            _ => false,
        };
        if is_lost {
            self.discard();
        }
        error
    }

    /// Refuses because somebody has changed meanwhile what stands under the name.
    pub(super) fn busy(&self) -> ShareError {
        let path = self.path.clone();
        ShareError::Busy { path }
    }

    /// Leaves a partial that was opened for nothing as it was found.
    pub(super) fn give_back(&mut self) {
        if let Some(partial) = self.partial.take().filter(|partial| partial.kept == 0) {
            partial.remove(self.dir.as_fd());
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(partial) = self.partial.take() else {
            return;
        };
        // The bytes of the file that is there can be copied again.
        let new = |meta: std::fs::Metadata| meta.len() > self.copied.load(Ordering::Relaxed);
        let empty = !partial.file.metadata().is_ok_and(new);
        // Behind what the disk has refused nobody may go on.
        self.ahead.trim(&partial.file, false);
        let sound = close_again(&partial.file).is_ok();
        let is_void = self.hold.as_ref().is_some_and(Hold::is_void);
        if empty
            || !sound
            || is_void
            || !partial.is_found_again
            || keeps_nothing(&self.home.uploads)
        {
            partial.remove(self.dir.as_fd());
        } else {
            secure(&partial.file);
        }
    }
}

/// Closes a second handle: network disks write out, or refuse, at each close.
pub(super) fn close_again(file: &File) -> io::Result<()> {
    match file.try_clone() {
        Ok(second) => Ok(nix::unistd::close(second)?),
        // No descriptor is free: that says nothing of the disk.
        Err(_) => Ok(()),
    }
}

fn keeps_nothing(uploads: &Uploads) -> bool {
    uploads.keep_partial_for.is_zero()
}
