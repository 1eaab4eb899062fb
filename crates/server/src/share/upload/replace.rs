//! How an upload takes its name from the file that it replaces.

use std::ffi::OsStr;

use ftp_config::SharePath;
use rustix::fs::renameat;

use super::Upload;
use crate::share::{ShareError, turn::take_turn};

impl Upload {
    /// Takes the final name from what has it, unless that is not what it was when the upload began.
    pub(super) fn replace(&self, partial: &OsStr) -> Result<SharePath, ShareError> {
        let _turn = take_turn(&self.name);
        self.ensure_unchanged()?;
        let owner = self.old_owner();
        renameat(&self.dir, partial, &self.dir, &self.name)
            .map_err(|error| self.explain(error.into()))?;
        if let Some(owner) = owner {
            self.give_to(owner);
        }
        Ok(self.path.clone())
    }
}
