//! Whose a file is that replaces another's.

use std::{
    mem::MaybeUninit,
    os::unix::fs::{MetadataExt as _, chown},
};

use rustix::fs::inotify;

use super::*;

/// A server that is killed behind the rename has nothing left to do.
#[test]
fn a_file_is_its_owners_before_it_has_its_name_and_comes_back_where_it_gets_none() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    if chown(bed.disk("a"), Some(777), None).is_err() {
        skip("only root may give files away");
        return;
    }
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    let flags = inotify::WatchFlags::ATTRIB | inotify::WatchFlags::MOVED_TO;
    inotify::add_watch(&watch, bed.disk(""), flags).unwrap();
    store(&home, "a", FRESH, b"new").unwrap();
    assert_eq!(fs::metadata(bed.disk("a")).unwrap().uid(), 777);
    let (mut space, mut last) = ([MaybeUninit::uninit(); 4096], None);
    let mut reader = inotify::Reader::new(&watch, &mut space);
    while let Ok(event) = reader.next() {
        last = Some(event.events());
    }
    assert_eq!(last, Some(inotify::ReadFlags::MOVED_TO));

    let mut upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.start(&|| false).unwrap();
    upload.file().write_all(b"newer").unwrap();
    // No file takes the name of a directory.
    fs::remove_file(bed.disk("a")).unwrap();
    fs::create_dir(bed.disk("a")).unwrap();
    chown(bed.disk("a"), Some(777), None).unwrap();
    let file = upload.file().try_clone().unwrap();
    upload.commit(None).unwrap_err();
    assert_eq!(bed.partials(), 1);
    assert_ne!(file.metadata().unwrap().uid(), 777);
}
