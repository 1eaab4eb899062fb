use super::*;
use crate::skip::skip;
use ftp_config::{ByteRate, Rights, SharePath};
use rustix::fs::{FallocateFlags, fallocate};
use std::{io::Write as _, os::unix::fs::MetadataExt as _, time::Duration};

fn account(name: &str, anonymous: bool) -> Account {
    Account {
        name: name.parse().unwrap(),
        anonymous,
        home: SharePath::root(),
        rights: Rights::READ_WRITE,
        rate_down: ByteRate(0),
        rate_up: ByteRate(0),
        max_sessions: 0,
    }
}

fn open(dir: BorrowedFd<'_>, user: &str, name: &OsStr) -> io::Result<Partial> {
    super::open(dir, &account(user, false), name, None, false)
}

#[test]
fn a_changed_file_and_a_guest_have_partials_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let handle = File::open(dir.path()).unwrap();
    let (name, ann) = (OsStr::new("a"), account("ann", false));
    let base = |bytes: &str| {
        std::fs::write(dir.path().join("a"), bytes).unwrap();
        Some(Base::of(&statat(&handle, name, AtFlags::empty()).unwrap()))
    };
    let opened = |account: &Account, base| {
        super::open(handle.as_fd(), account, name, base, false)
            .unwrap()
            .name
    };
    let (one, two) = (base("1"), base("22"));
    assert_eq!(opened(&ann, one), opened(&ann, one));
    assert_ne!(opened(&ann, one), opened(&ann, two));
    assert_ne!(opened(&ann, one), opened(&ann, None));
    let guest = account("anonymous", true);
    assert_ne!(opened(&guest, one), opened(&guest, one));
    let again = |account| super::open(handle.as_fd(), account, name, one, false).unwrap();
    assert!(again(&ann).is_found_again && !again(&guest).is_found_again);
}

#[test]
fn what_somebody_else_has_put_in_a_partials_place_is_not_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let handle = File::open(dir.path()).unwrap();
    let name = OsStr::new("a");
    let kept = open(handle.as_fd(), "ann", name).unwrap().name;
    let at = dir.path().join(&kept);
    let lay: [(&str, &dyn Fn() -> bool); 5] = [
        ("FIFO", &|| {
            nix::unistd::mkfifo(&at, nix::sys::stat::Mode::S_IRWXU).is_ok()
        }),
        ("directory", &|| std::fs::create_dir(&at).is_ok()),
        ("link", &|| {
            std::os::unix::fs::symlink("elsewhere", &at).is_ok()
        }),
        ("second name", &|| {
            let other = dir.path().join("other");
            std::fs::write(&other, "theirs").unwrap();
            std::fs::hard_link(&other, &at).is_ok()
        }),
        // Only root can try this one.
        ("another's", &|| {
            std::fs::write(&at, "theirs").unwrap();
            std::os::unix::fs::chown(&at, Some(777), None).is_ok()
        }),
    ];
    for (what, lay) in lay {
        std::fs::remove_file(&at)
            .or_else(|_| std::fs::remove_dir(&at))
            .unwrap();
        if !lay() {
            skip("only root may give files away");
            continue;
        }
        let partial = open(handle.as_fd(), "ann", name).unwrap();
        assert_ne!(partial.name, kept, "{what}");
        assert_eq!(partial.kept, 0, "{what}");
        partial.remove(handle.as_fd());
    }
    assert!(!dir.path().join("elsewhere").exists());
}

#[test]
fn the_same_user_gets_the_same_partial_back_and_a_rival_another() {
    let dir = tempfile::tempdir().unwrap();
    let handle = File::open(dir.path()).unwrap();
    let name = OsStr::new("a.iso");
    let mut first = open(handle.as_fd(), "ann", name).unwrap();
    first.file.write_all(b"123").unwrap();
    let second = open(handle.as_fd(), "ann", name).unwrap();
    assert_ne!(first.name, second.name);
    let kept = first.name.clone();
    drop((first, second));
    let again = open(handle.as_fd(), "ann", name).unwrap();
    assert_eq!((again.name, again.kept), (kept.clone(), 3));
    assert_ne!(open(handle.as_fd(), "bob", name).unwrap().name, kept);
}

#[test]
fn a_partial_that_was_published_before_it_is_locked_is_not_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let handle = File::open(dir.path()).unwrap();
    let name = OsStr::new("a");
    let kept = open(handle.as_fd(), "ann", name).unwrap().name;
    let none = OFlags::empty();
    for another in [false, true] {
        std::fs::write(dir.path().join(&kept), "whole").unwrap();
        let opened = lock::open_or_make(handle.as_fd(), &kept, none).unwrap();
        // Meanwhile whoever held it has given it its final name, and a third one has begun anew.
        std::fs::rename(dir.path().join(&kept), dir.path().join("a")).unwrap();
        if another {
            std::fs::write(dir.path().join(&kept), "").unwrap();
        }
        let locked = lock::lock_opened(handle.as_fd(), &kept, none, opened).unwrap();
        assert!(matches!(locked, Attempt::Vanished), "{another}");
    }
}

#[test]
fn an_empty_partial_has_no_room_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let handle = File::open(dir.path()).unwrap();
    let kept = open(handle.as_fd(), "ann", OsStr::new("a")).unwrap().name;
    // As after a power cut: the room is on the disk, and no byte.
    let made = File::create(dir.path().join(&kept)).unwrap();
    if fallocate(&made, FallocateFlags::KEEP_SIZE, 0, 4 << 20).is_err() {
        skip("this disk sets no room aside");
        return;
    }
    assert!(made.metadata().unwrap().blocks() > 0);
    let found = open(handle.as_fd(), "ann", OsStr::new("a")).unwrap();
    assert_eq!(found.name, kept);
    assert_eq!(made.metadata().unwrap().blocks(), 0);
}

#[test]
fn the_sweep_takes_only_what_is_old_and_idle() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let sub = File::open(dir.path().join("sub")).unwrap();
    let root = File::open(dir.path()).unwrap();
    drop(open(sub.as_fd(), "ann", OsStr::new("idle")).unwrap());
    let held = open(root.as_fd(), "ann", OsStr::new("held")).unwrap();
    let now = SystemTime::now();
    assert_eq!(
        sweep(root.as_fd(), Duration::from_secs(60), now).unwrap(),
        0
    );
    let later = now + Duration::from_secs(61);
    assert_eq!(
        sweep(root.as_fd(), Duration::from_secs(60), later).unwrap(),
        1
    );
    assert!(dir.path().join(&held.name).exists());
    assert!(dir.path().join("file").exists());
}

#[test]
fn the_sweep_reaches_every_directory_however_many_and_deep() {
    let dir = tempfile::tempdir().unwrap();
    let root = File::open(dir.path()).unwrap();
    let deep: std::path::PathBuf = (0..100).map(|_| "d").collect();
    let wide = (0..300).map(|i| std::path::PathBuf::from(format!("w{i}")));
    let places: Vec<_> = wide.chain([deep]).collect();
    for place in &places {
        let place = dir.path().join(place);
        std::fs::create_dir_all(&place).unwrap();
        let handle = File::open(place).unwrap();
        drop(open(handle.as_fd(), "ann", OsStr::new("a")).unwrap());
    }
    let later = SystemTime::now() + Duration::from_secs(61);
    let swept = sweep(root.as_fd(), Duration::from_secs(60), later).unwrap();
    assert_eq!(swept, places.len());
}
