//! How an upload takes its name from the file that it replaces.

use std::ffi::OsStr;

use ftp_config::SharePath;
use rustix::fs::{RenameFlags, renameat, renameat_with};

use super::Upload;
use crate::share::{
    ShareError,
    turn::{Taking, take_turn, take_turn_in},
};

impl Upload {
    /// Takes the final name from what has it, unless that is not what it was when the upload began.
    pub(super) fn replace(&self, partial: &OsStr) -> Result<SharePath, ShareError> {
        let _turn = take_turn(&self.name);
        let as_new = || {
            let flags = RenameFlags::NOREPLACE;
            renameat_with(&self.dir, partial, &self.dir, &self.name, flags)
        };
        if !self.is_second {
            self.ensure_unchanged()?;
            if as_new().is_ok() {
                return Ok(self.path.clone());
            }
        }
        let taking = match self.unchanged {
            Some(_) => Taking::Looking,
            None => Taking::Blindly,
        };
        take_turn_in(&self.dir, taking);
        self.ensure_unchanged()?;
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
    use rustix::fs::{FlockOperation, flock};

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

    /// Another server is let in between by none of them, but where nothing is replaced.
    #[test]
    fn who_replaces_has_the_turn_of_the_directory() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        let other = fs::File::open(bed.disk("")).unwrap();
        let is_let = |how| {
            let is_let = flock(&other, how).is_ok();
            flock(&other, FlockOperation::Unlock).unwrap();
            is_let
        };
        let turns = |intent| {
            let mut upload = home.begin_upload(&path("a"), intent, None).unwrap();
            upload.start(&|| false).unwrap();
            let partial = upload.partial.as_ref().unwrap().name.clone();
            upload.replace(&partial).unwrap();
            let shared = is_let(FlockOperation::NonBlockingLockShared);
            (shared, is_let(FlockOperation::NonBlockingLockExclusive))
        };
        assert_eq!(turns(FRESH), (true, true), "a new name");
        assert_eq!(turns(FRESH), (true, false), "blindly");
        assert_eq!(turns(Intent::Append), (false, false), "after a look");
        assert!(is_let(FlockOperation::NonBlockingLockExclusive), "its end");
    }

    /// Some scripts hold such a lock for as long as they work.
    #[test]
    fn a_directory_that_another_program_has_locked_is_written_to() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        fs::write(bed.disk("a"), "old").unwrap();
        let other = fs::File::open(bed.disk("")).unwrap();
        flock(&other, FlockOperation::LockExclusive).unwrap();
        for intent in [Intent::Append, FRESH, Intent::Append] {
            let mut upload = home.begin_upload(&path("a"), intent, None).unwrap();
            upload.start(&|| false).unwrap();
            upload.file().write_all(b"new").unwrap();
            upload.commit(None).unwrap();
        }
        assert_eq!(fs::read(bed.disk("a")).unwrap(), b"newnew");
        home.rename(&path("a"), &path("b")).unwrap();
    }

    /// One that was to be finished under a free name replaces nothing.
    #[test]
    fn what_comes_under_a_free_name_stays() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        for round in 0..2000 {
            let mut upload = home.begin_upload(&path("a"), Intent::Append, None).unwrap();
            upload.start(&|| false).unwrap();
            upload.file().write_all(b"ours").unwrap();
            let settled = upload.settle(None).unwrap();
            fs::write(bed.disk("b"), "theirs").unwrap();
            let (from, to) = (bed.disk("b"), bed.disk("a"));
            let begin = std::sync::Arc::new(std::sync::Barrier::new(2));
            let begun = std::sync::Arc::clone(&begin);
            let other = std::thread::spawn(move || {
                begun.wait();
                (0..round % 200 * 10).for_each(|_| std::hint::spin_loop());
                fs::rename(from, to).unwrap();
            });
            begin.wait();
            let published = settled.publish();
            other.join().unwrap();
            let there = fs::read(bed.disk("a")).unwrap();
            assert_eq!(there, b"theirs", "round {round}: {published:?}");
            fs::remove_file(bed.disk("a")).unwrap();
        }
    }
}
