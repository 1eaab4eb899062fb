//! Uploads through links: the file that a link names is written, and the link stays.

use std::os::fd::{AsFd as _, OwnedFd};

use ftp_config::SharePath;
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat};

use super::Look;
use crate::share::{
    Home, ShareError,
    home::path_of,
    jail::{Holder, file_type},
    meta::FileId,
    names,
};

/// How often a link is followed whose target is replaced at that moment.
const LOOKS: usize = 16;

impl Home {
    /// Follows a link that stays inside to the file it names, so that the link itself stays; and
    /// looks at that name.
    pub(super) fn real_target(
        &self,
        path: &SharePath,
    ) -> Result<(SharePath, Holder, Look), ShareError> {
        let holder = self.place_of(path)?;
        let stat = holder.lstat();
        let is_link = |stat: &Stat| file_type(stat) == FileType::Symlink;
        if !stat.as_ref().is_ok_and(is_link) {
            return Ok((path.clone(), holder, stat));
        }
        let mut looks = LOOKS;
        loop {
            let fd = self.jail.get(path, OFlags::PATH, Mode::empty());
            let fd = fd.map_err(|error| ShareError::from_io(path, error))?;
            looks -= 1;
            match self.named_by(&fd, path) {
                // What was replaced between the two looks has no name any more: its successor has it.
                Err(ShareError::Missing { .. }) if looks > 0 => {}
                found => return found,
            }
        }
    }

    /// Finds the name of what a link at `path` leads to.
    fn named_by(
        &self,
        fd: &OwnedFd,
        path: &SharePath,
    ) -> Result<(SharePath, Holder, Look), ShareError> {
        let io = |error| ShareError::from_io(path, error);
        let real = path_of(fd.as_fd()).map_err(io)?;
        let root = path_of(self.jail.root()).map_err(io)?;
        let outside = || ShareError::Outside { path: path.clone() };
        let inside = real.strip_prefix(&root).map_err(|_| outside())?;
        let text = names::from_disk(inside.as_os_str().as_encoded_bytes());
        let real = SharePath::root().join_known(&text).map_err(|_| outside())?;
        let holder = self.parent_of(&real)?;
        let stat = holder.lstat();
        let led_to = FileId::of(&fstat(fd).map_err(|error| io(error.into()))?);
        let is_it = |stat: &Stat| FileId::of(stat) == led_to;
        // What is removed meanwhile has a made-up name (proc(5)).
        if text.ends_with(" (deleted)") && !stat.as_ref().is_ok_and(is_it) {
            return Err(ShareError::Missing { path: path.clone() });
        }
        Ok((real, holder, stat))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        sync::atomic::{AtomicBool, Ordering::Relaxed},
    };

    use super::*;
    use crate::share::tests::{Bed, path};
    use ftp_config::Rights;

    /// Two names, so that the file itself stays.
    #[test]
    fn a_target_that_is_removed_meanwhile_gets_no_made_up_name() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        for twin in ["y", "x (deleted)"] {
            fs::write(bed.disk("x"), "x").unwrap();
            fs::hard_link(bed.disk("x"), bed.disk("second")).unwrap();
            fs::write(bed.disk(twin), "another").unwrap();
            let fd = home.jail.get(&path("x"), OFlags::PATH, Mode::empty());
            let fd = fd.unwrap();
            assert_eq!(home.named_by(&fd, &path("link")).unwrap().0, path("x"));
            fs::remove_file(bed.disk("x")).unwrap();
            let error = home.named_by(&fd, &path("link")).unwrap_err();
            assert!(matches!(error, ShareError::Missing { .. }), "{error:?}");
            fs::remove_file(bed.disk("second")).unwrap();
        }
        // One that has such a name is like any other.
        let odd = path("x (deleted)");
        let fd = home.jail.get(&odd, OFlags::PATH, Mode::empty()).unwrap();
        assert_eq!(home.named_by(&fd, &path("link")).unwrap().0, odd);
    }

    #[test]
    fn a_link_leads_on_while_others_replace_its_target() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        fs::write(bed.disk("a"), "").unwrap();
        std::os::unix::fs::symlink("a", bed.disk("link")).unwrap();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Relaxed) {
                    fs::write(bed.disk("b"), "").unwrap();
                    fs::rename(bed.disk("b"), bed.disk("a")).unwrap();
                }
            });
            let lost = (0..5000).find_map(|_| home.real_target(&path("link")).err());
            is_done.store(true, Relaxed);
            assert!(lost.is_none(), "{lost:?}");
        });
    }
}
