//! Renames of a client.

mod free;
mod over;

use std::os::fd::AsFd as _;

use ftp_config::{
    Right, SharePath,
    server::{Fsync, OnDuplicate},
};
use rustix::{
    fs::{FileType, Stat, fstat},
    io::Errno,
};

pub(super) use self::free::rename_to_free;
use self::over::remove_second_name;
use super::{
    Home, ShareError,
    jail::{Holder, file_type},
    meta::FileId,
    names,
    partial::{self, Base},
    upload::force_dir,
};

impl Home {
    /// Checks that `path` may be renamed (RNFR).
    ///
    /// # Errors
    /// No right to rename, nothing there, or the root.
    pub fn check_rename_from(&self, path: &SharePath) -> Result<(), ShareError> {
        self.need(Right::Rename, path)?;
        names::check(path)?;
        let holder = self.parent_of(path)?;
        holder
            .lstat()
            .map(|_| ())
            .map_err(|error| self.explain(path, error))
    }

    /// Gives `from` the name `to` (RNTO); onto a file that exists only with the right to overwrite.
    ///
    /// # Errors
    /// A missing right, a name that is taken or not allowed, a directory into itself.
    pub fn rename(&self, from: &SharePath, to: &SharePath) -> Result<(), ShareError> {
        self.check_rename_from(from)?;
        names::check_new(to)?;
        names::check(to)?;
        if from == to {
            return Ok(());
        }
        let below = format!("{from}/");
        if to.as_str().starts_with(&below) {
            return Err(ShareError::IntoItself { path: from.clone() });
        }
        let (source, target) = (self.parent_of(from)?, self.place_of(to)?);
        let replace = self.account.rights.allows(Right::Overwrite)
            && self.shared.uploads.on_duplicate == OnDuplicate::Overwrite;
        let there = target.lstat().ok();
        let base = there.as_ref().map(Base::of);
        if let Some(there) = there.filter(|_| replace) {
            self.ensure_takes_place(&source, &target, &there, to)?;
        }
        let renamed = if replace {
            self.replace(&source, &target, there.is_some(), to)
        } else {
            rename_to_free(&source.dir, &source.name, &target.dir, &target.name)
        };
        match renamed {
            Ok(()) => {
                remove_second_name(&source, &target);
                partial::forget(target.dir.as_fd(), &self.account, &target.name, base);
                partial::forget(source.dir.as_fd(), &self.account, &source.name, None);
                self.force_names(&source, &target, to)
            }
            Err(Errno::EXIST) if !self.account.rights.allows(Right::Overwrite) => {
                self.need(Right::Overwrite, to)
            }
            Err(Errno::INVAL) => {
                partial::ensure_held(&target, to)?;
                Err(ShareError::IntoItself { path: from.clone() })
            }
            Err(Errno::XDEV) => Err(ShareError::OtherDisk { path: to.clone() }),
            Err(error) => Err(self.explain(to, error.into())),
        }
    }

    /// Tells whether a rename waits until the disk has it, as uploads wait for their names.
    #[must_use]
    pub fn forces_names(&self) -> bool {
        self.shared.uploads.fsync == Fsync::FileAndDir
    }

    /// Waits for the new name, and then for the end of the old one, where that is wished: an upload may have come
    /// under another name, and its client removes the original behind this reply.
    fn force_names(
        &self,
        source: &Holder,
        target: &Holder,
        to: &SharePath,
    ) -> Result<(), ShareError> {
        if !self.forces_names() {
            return Ok(());
        }
        let is_one = matches!((fstat(&source.dir), fstat(&target.dir)),
            (Ok(one), Ok(other)) if FileId::of(&one) == FileId::of(&other));
        let forced = force_dir(&target.dir);
        let forced = forced.and_then(|()| match is_one {
            true => Ok(()),
            false => force_dir(&source.dir),
        });
        forced.map_err(|error| ShareError::from_io(to, error))
    }

    /// Refuses to replace a file that no upload may replace. Another name of the file itself replaces nothing.
    fn ensure_takes_place(
        &self,
        source: &Holder,
        target: &Holder,
        there: &Stat,
        to: &SharePath,
    ) -> Result<(), ShareError> {
        let is_itself = |own: &Stat| FileId::of(own) == FileId::of(there);
        match file_type(there) {
            FileType::RegularFile if !source.lstat().is_ok_and(|own| is_itself(&own)) => {
                self.ensure_replaceable(target, to)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        mem::MaybeUninit,
        os::{fd::OwnedFd, unix::fs::symlink},
    };

    use ftp_config::{Rights, server::Fsync};
    use rustix::fs::inotify;

    use crate::share::tests::{Bed, path};

    /// Which of the watched directories were opened since, in order.
    fn opened(watch: &OwnedFd) -> Vec<i32> {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(watch, &mut space);
        let mut all = Vec::new();
        while let Ok(event) = reader.next() {
            // One with a name is of what lies in the directory.
            all.extend(event.file_name().is_none().then(|| event.wd()));
        }
        all
    }

    /// To wait for a directory it is opened once more.
    #[test]
    fn a_rename_waits_for_both_directories_where_uploads_wait_for_theirs() {
        let mut bed = Bed::new();
        std::fs::create_dir_all(bed.disk("d")).unwrap();
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        let look = |at: &str| inotify::add_watch(&watch, bed.disk(at), inotify::WatchFlags::OPEN);
        let (root, below) = (look("").unwrap(), look("d").unwrap());
        let mut ways = [Fsync::File, Fsync::FileAndDir].map(|fsync| {
            bed.set_fsync(fsync);
            std::fs::write(bed.disk("a"), "1").unwrap();
            let home = bed.home(Rights::READ_WRITE, "/");
            opened(&watch);
            home.rename(&path("a"), &path("d/b")).unwrap();
            let across = opened(&watch);
            home.rename(&path("d/b"), &path("d/c")).unwrap();
            (across, opened(&watch))
        });
        ways[0].0.extend([below, root]);
        ways[0].1.push(below);
        assert_eq!(ways[1], ways[0]);
    }

    #[test]
    fn a_rename_onto_another_name_of_the_file_leaves_one() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        std::fs::write(bed.disk("a"), "1").unwrap();
        std::fs::hard_link(bed.disk("a"), bed.disk("b")).unwrap();
        home.rename(&path("a"), &path("b")).unwrap();
        assert!(!bed.disk("a").exists());
        assert_eq!(std::fs::read(bed.disk("b")).unwrap(), b"1");
        // By way of a link to its directory it is the same name.
        std::fs::create_dir(bed.disk("d")).unwrap();
        std::fs::write(bed.disk("d/x"), "2").unwrap();
        std::fs::hard_link(bed.disk("d/x"), bed.disk("y")).unwrap();
        symlink("d", bed.disk("l")).unwrap();
        home.rename(&path("d/x"), &path("l/x")).unwrap();
        assert!(bed.disk("d/x").exists());
    }
}
