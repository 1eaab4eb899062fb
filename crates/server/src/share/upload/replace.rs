//! How an upload takes its name from the file that it replaces.

use std::ffi::OsStr;

use ftp_config::SharePath;
use rustix::fs::{RenameFlags, renameat, renameat_with};

use super::Upload;
use crate::share::{ShareError, turn::take_turn};

impl Upload {
    /// Takes the final name from what has it, unless that is not what it was when the upload began.
    pub(super) fn replace(&self, partial: &OsStr) -> Result<SharePath, ShareError> {
        let _turn = take_turn(&self.name);
        self.ensure_unchanged()?;
        let as_new = || {
            let flags = RenameFlags::NOREPLACE;
            renameat_with(&self.dir, partial, &self.dir, &self.name, flags)
        };
        if !self.is_second && as_new().is_ok() {
            return Ok(self.path.clone());
        }
        // What has come meanwhile is replaced as what was there would be.
        let owner = self.replaced().map(|old| self.follow_access(&old));
        let owner = owner.transpose().map_err(|error| self.explain(error))?;
        let is_given = owner.flatten().is_some_and(|owner| self.give_to(owner));
        let renamed = renameat(&self.dir, partial, &self.dir, &self.name);
        if is_given && renamed.is_err() {
            self.take_back();
        }
        renamed.map_err(|error| self.explain(error.into()))?;
        Ok(self.path.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _};

    use ftp_config::Rights;

    use crate::share::{
        Intent,
        tests::{Bed, FRESH, path},
    };

    /// Whoever makes a file private while it is written to finds it so.
    #[test]
    fn a_mode_that_is_set_while_a_file_is_replaced_stays() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        let mode = || fs::metadata(bed.disk("a")).unwrap().permissions().mode() & 0o7777;
        let private = |name: &str| {
            fs::set_permissions(bed.disk(name), fs::Permissions::from_mode(0o600)).unwrap();
        };
        for intent in [FRESH, Intent::Append] {
            for is_settled in [false, true] {
                let _ = fs::remove_file(bed.disk("a"));
                fs::write(bed.disk("a"), "old").unwrap();
                let mut upload = home.begin_upload(&path("a"), intent, None).unwrap();
                upload.start(&|| false).unwrap();
                upload.file().write_all(b"new").unwrap();
                if is_settled {
                    let settled = upload.settle(None).unwrap();
                    private("a");
                    settled.publish().unwrap();
                } else {
                    private("a");
                    upload.commit(None).unwrap();
                }
                assert_eq!(mode(), 0o600, "{intent:?} {is_settled}");
            }
        }
        // One that takes the name meanwhile is a file that is replaced, too.
        fs::remove_file(bed.disk("a")).unwrap();
        let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
        fs::write(bed.disk("b"), "").unwrap();
        private("b");
        fs::rename(bed.disk("b"), bed.disk("a")).unwrap();
        upload.commit(None).unwrap();
        assert_eq!(mode(), 0o600);
        // And one that goes meanwhile leaves its mode.
        let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
        fs::remove_file(bed.disk("a")).unwrap();
        upload.commit(None).unwrap();
        assert_eq!(mode(), 0o600);
    }
}
