//! How uploads end on disks that refuse.

use std::fs::File;

use super::*;
use crate::share::{
    home::proc_path,
    tests::{Bed, FRESH, path},
};
use ftp_config::Rights;

/// An upload of five bytes.
fn begun(bed: &Bed) -> Upload {
    let home = bed.home(Rights::READ_WRITE, "/");
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    io::Write::write_all(&mut upload.file(), b"12345").unwrap();
    upload
}

#[test]
fn nothing_is_kept_of_what_the_disk_could_not_write() {
    let bed = Bed::new();
    let mut upload = begun(&bed);
    let partial = upload.partial.as_mut().unwrap();
    // A handle that cannot be synced.
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    partial.file = File::from(openat(&upload.dir, &partial.name, flags, Mode::empty()).unwrap());
    upload.force().unwrap_err();
    assert_eq!(bed.partials(), 0);
}

/// As a disk has it that holds the hidden name, and not the one that the file is to have.
#[test]
fn what_can_never_have_its_name_is_not_kept() {
    let bed = Bed::new();
    let mut upload = begun(&bed);
    upload.name = std::ffi::OsString::from("n".repeat(256));
    let refused = upload.commit(None).unwrap_err();
    assert!(
        refused.to_string().ends_with("takes no name this long"),
        "{refused}"
    );
    assert_eq!(bed.partials(), 0);
}

/// As a disk whose rename is a link and an unlink has it, and refuses the second.
#[test]
fn an_upload_that_has_its_name_is_published_once() {
    let bed = Bed::new();
    let mut upload = begun(&bed);
    upload.taken = Taken::Rename;
    let partial = upload.partial.as_ref().unwrap().name.clone();
    let dir = proc_path(&upload.dir);
    let at = |name: &OsStr| std::path::Path::new(&dir).join(name);
    std::fs::hard_link(at(&partial), at(OsStr::new("a"))).unwrap();
    let names = || std::fs::read_dir(&dir).unwrap().count();
    assert_eq!(names(), 2);
    assert_eq!(upload.publish(false).unwrap(), path("a"));
    assert_eq!(names(), 1);
}

/// The directories of procfs are on no disk, and say so.
#[test]
fn the_directory_is_waited_for_where_that_is_wished_and_its_refusal_told() {
    let dir = |path: &str| OwnedFd::from(File::open(path).unwrap());
    force_dir(&dir("/proc/self")).unwrap_err();
    force_dir(&dir(".")).unwrap();
    let mut bed = Bed::new();
    for (fsync, forced) in [
        (Fsync::Never, (false, false)),
        (Fsync::File, (true, false)),
        (Fsync::FileAndDir, (true, true)),
    ] {
        bed.set_fsync(fsync);
        let upload = begun(&bed);
        let is_forced = upload.is_forced();
        let settled = upload.settle(None).unwrap();
        assert_eq!((is_forced, settled.is_forced()), forced, "{fsync:?}");
        settled.publish().unwrap();
    }
}

#[test]
fn a_file_longer_than_what_came_is_not_published() {
    let bed = Bed::new();
    let upload = begun(&bed);
    upload.file().set_len(9).unwrap();
    let error = upload.commit(None).unwrap_err();
    assert_eq!(error.code(), 451);
    assert!(!bed.disk("a").exists());
    assert_eq!(bed.partials(), 0);
}

/// As another program does that mirrors something to the share (`rsync --delete`).
#[test]
fn an_upload_whose_partial_was_removed_takes_no_other_ones() {
    let bed = Bed::new();
    for is_whole in [true, false] {
        let lost = begun(&bed);
        std::fs::remove_file(bed.disk("").join(&lost.partial.as_ref().unwrap().name)).unwrap();
        let other = begun(&bed);
        assert_eq!(
            other.partial.as_ref().unwrap().name,
            lost.partial.as_ref().unwrap().name
        );
        match is_whole {
            true => assert_eq!(lost.commit(None).unwrap_err().code(), 451),
            false => lost.discard(),
        }
        assert!(!bed.disk("a").exists());
        other.commit(None).unwrap();
        std::fs::remove_file(bed.disk("a")).unwrap();
    }
}

#[test]
fn what_is_to_be_new_replaces_nothing_and_is_kept() {
    let bed = Bed::new();
    let late = begun(&bed);
    let new = begun(&bed).settle(None).unwrap().publish_new().unwrap();
    assert_eq!((new.path, new.size), (path("a"), 5));
    // One that began while the name was free, and one behind it.
    for upload in [late, begun(&bed)] {
        let refused = upload.settle(None).unwrap().publish_new();
        assert!(
            matches!(refused, Err(ShareError::Exists { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(bed.partials(), 2);
}
