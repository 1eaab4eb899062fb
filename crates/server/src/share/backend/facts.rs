//! What the share knows of a file, in the words of libunftp.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use unftp_core::storage::{self, Metadata, Permissions};

use crate::share::{Kind, Meta};

/// [`Meta`] in libunftp's words.
#[derive(Debug)]
pub struct Facts {
    pub(super) meta: Meta,
    pub(super) target: Option<PathBuf>,
    pub(super) show_owner: bool,
}

impl Metadata for Facts {
    fn len(&self) -> u64 {
        self.meta.size
    }

    fn is_dir(&self) -> bool {
        self.meta.kind == Kind::Dir
    }

    fn is_file(&self) -> bool {
        self.meta.kind == Kind::File
    }

    fn is_symlink(&self) -> bool {
        self.meta.kind == Kind::Link
    }

    fn modified(&self) -> storage::Result<SystemTime> {
        Ok(self.meta.modified)
    }

    fn gid(&self) -> u32 {
        if self.show_owner { self.meta.gid } else { 0 }
    }

    fn uid(&self) -> u32 {
        if self.show_owner { self.meta.uid } else { 0 }
    }

    fn links(&self) -> u64 {
        self.meta.links
    }

    fn permissions(&self) -> Permissions {
        Permissions(self.meta.mode)
    }

    fn readlink(&self) -> Option<&Path> {
        self.target.as_deref()
    }
}
