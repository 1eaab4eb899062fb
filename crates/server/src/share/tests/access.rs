//! Who may use what was uploaded, and what may not be replaced.

use std::os::unix::fs::{MetadataExt as _, chown};

use rustix::{
    fs::{IFlags, XattrFlags, getxattr, ioctl_getflags, ioctl_setflags, setxattr},
    thread::{CapabilitySet, capabilities, set_capabilities},
};

use super::*;

/// user::`owner` user:777:rw- group::--- mask::rw- other::--- (acl(5), little-endian, version 2).
fn access_list(owner: u16) -> Vec<u8> {
    let entries: [(u16, u16, u32); 5] = [
        (1, owner, u32::MAX),
        (2, 6, 777),
        (4, 0, u32::MAX),
        (16, 6, u32::MAX),
        (32, 0, u32::MAX),
    ];
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, may, who) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(may.to_le_bytes());
        list.extend(who.to_le_bytes());
    }
    list
}

const ACCESS: &str = "system.posix_acl_access";

/// Gives a file or directory a list; `false` where the disk keeps none.
fn give_list(path: impl AsRef<Path>, which: &str) -> bool {
    let given = setxattr(path.as_ref(), which, &access_list(7), XattrFlags::empty());
    if given.is_err() {
        skip("this disk keeps no access lists");
    }
    given.is_ok()
}

fn list_of(path: impl AsRef<Path>) -> Vec<u8> {
    let mut list = [0; 4096];
    let length = getxattr(path.as_ref(), ACCESS, &mut list).unwrap();
    list[..length].to_vec()
}

#[test]
fn a_file_that_replaces_another_keeps_its_access_list() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    if !give_list(bed.disk("a"), ACCESS) {
        return;
    }
    store(&home, "a", FRESH, b"new").unwrap();
    assert_eq!(list_of(bed.disk("a")), access_list(7));
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"new");
}

#[test]
fn the_list_that_a_directory_gives_comes_before_the_umask() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    if !give_list(bed.disk(""), "system.posix_acl_default") {
        return;
    }
    store(&home, "a", FRESH, b"new").unwrap();
    home.make_dir(&path("d")).unwrap();
    store(&home, "d/a", FRESH, b"new").unwrap();
    for (made, owner) in [("a", 6), ("d", 7), ("d/a", 6)] {
        assert_eq!(list_of(bed.disk(made)), access_list(owner), "{made}");
    }
}

#[test]
fn a_file_that_replaces_another_stays_with_its_owner_and_group() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    fs::set_permissions(bed.disk("a"), fs::Permissions::from_mode(0o660)).unwrap();
    if chown(bed.disk("a"), Some(777), Some(778)).is_err() {
        skip("only root may give files away");
        return;
    }
    store(&home, "a", FRESH, b"new").unwrap();
    let meta = fs::metadata(bed.disk("a")).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (777, 778));
    assert_eq!(meta.permissions().mode() & 0o7777, 0o660);
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"new");
}

#[test]
fn a_directory_in_a_shared_one_is_of_its_group_too() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    home.make_dir(&path("d")).unwrap();
    fs::set_permissions(bed.disk("d"), fs::Permissions::from_mode(0o2775)).unwrap();
    home.make_dir(&path("d/e")).unwrap();
    let mode = fs::metadata(bed.disk("d/e")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o2755);
}

/// Takes a capability from this thread; `false`: it had none.
fn lose(capability: CapabilitySet) -> bool {
    let mut own = capabilities(None).unwrap();
    let had = own.effective.contains(capability);
    own.effective -= capability;
    set_capabilities(None, own).unwrap();
    if !had {
        skip("only root has the capability to lose");
    }
    had
}

#[test]
fn a_group_that_the_file_had_not_may_what_others_might() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    fs::set_permissions(bed.disk("a"), fs::Permissions::from_mode(0o664)).unwrap();
    if chown(bed.disk("a"), None, Some(778)).is_err() {
        skip("only root may give files away");
        return;
    }
    if !lose(CapabilitySet::CHOWN) {
        return;
    }
    store(&home, "a", FRESH, b"new").unwrap();
    let meta = fs::metadata(bed.disk("a")).unwrap();
    assert_ne!(meta.gid(), 778);
    assert_eq!(meta.permissions().mode() & 0o7777, 0o644);
}

#[test]
fn anothers_file_in_a_sticky_directory_is_refused_before_a_byte_moves() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    fs::create_dir(bed.disk("d")).unwrap();
    for name in ["d/theirs", "d/mine"] {
        store(&home, name, FRESH, b"old").unwrap();
    }
    fs::set_permissions(bed.disk("d"), fs::Permissions::from_mode(0o1777)).unwrap();
    let given = chown(bed.disk("d/theirs"), Some(777), None);
    if given.is_err() || chown(bed.disk("d"), Some(778), None).is_err() {
        skip("only root may give files away");
        return;
    }
    store(&home, "d/theirs", FRESH, b"by root").unwrap();
    assert!(lose(CapabilitySet::FOWNER));
    let refused = home.begin_upload(&path("d/theirs"), FRESH, None);
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), 550);
    assert!(refused.to_string().contains("sticky"), "{refused}");
    store(&home, "d/mine", FRESH, b"new").unwrap();
    assert_eq!(fs::read(bed.disk("d/theirs")).unwrap(), b"by root");
}

/// Programs that upload under another name rename over it.
#[test]
fn a_file_that_nobody_may_write_is_replaced_by_no_upload_and_no_rename() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "kept", FRESH, b"old").unwrap();
    store(&home, "new", FRESH, b"new").unwrap();
    fs::set_permissions(bed.disk("kept"), fs::Permissions::from_mode(0o444)).unwrap();
    if !lose(CapabilitySet::DAC_OVERRIDE) {
        return;
    }
    let refused = store(&home, "kept", FRESH, b"new").unwrap_err();
    assert_eq!(refused.code(), 550, "{refused}");
    let refused = home.rename(&path("new"), &path("kept")).unwrap_err();
    assert_eq!(refused.code(), 550, "{refused}");
    assert_eq!(fs::read(bed.disk("kept")).unwrap(), b"old");
    home.rename(&path("kept"), &path("moved")).unwrap();
    home.rename(&path("new"), &path("kept")).unwrap();
    assert_eq!(fs::read(bed.disk("kept")).unwrap(), b"new");
}

#[test]
fn a_file_that_is_protected_during_an_upload_stays() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    fs::set_permissions(bed.disk("a"), fs::Permissions::from_mode(0o444)).unwrap();
    // Whoever is not root had it never.
    lose(CapabilitySet::DAC_OVERRIDE);
    let refused = upload.commit(None).unwrap_err();
    assert_eq!(refused.code(), 550, "{refused}");
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old");
}

#[test]
fn what_only_grows_is_refused_before_a_byte_moves() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    fs::create_dir(bed.disk("d")).unwrap();
    store(&home, "log", FRESH, b"old").unwrap();
    let handles = ["d", "log"].map(|name| fs::File::open(bed.disk(name)).unwrap());
    let set = |handle: &fs::File, on: bool| {
        let mut flags = ioctl_getflags(handle)?;
        flags.set(IFlags::APPEND, on);
        ioctl_setflags(handle, flags)
    };
    if handles.iter().any(|handle| set(handle, true).is_err()) {
        skip("this disk has no append-only files, or only root may make them");
        return;
    }
    let outcomes = [("d/a", FRESH), ("log", FRESH), ("log", Intent::Append)].map(|(name, how)| {
        let begun = home.begin_upload(&path(name), how, None);
        begun.map(drop).unwrap_err()
    });
    for handle in &handles {
        set(handle, false).unwrap();
    }
    for refused in outcomes {
        assert_eq!(refused.code(), 550, "{refused}");
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    assert_eq!(
        fs::read_dir(bed.disk("d")).unwrap().count() + bed.partials(),
        0
    );
}

#[test]
fn homes_and_a_new_share_are_made_as_directories_of_users_are() {
    for gives_list in [false, true] {
        let bed = Bed::new();
        let above = bed.share.root.parent().unwrap();
        fs::set_permissions(above, fs::Permissions::from_mode(0o2775)).unwrap();
        if gives_list && !give_list(above, "system.posix_acl_default") {
            return;
        }
        bed.home(Rights::READ_WRITE, "/people/ann");
        for made in ["", "people", "people/ann"] {
            let mode = fs::metadata(bed.disk(made)).unwrap().permissions().mode();
            assert_eq!(mode & 0o2000, 0o2000, "{made} is not of its parent's group");
            match gives_list {
                true => assert_eq!(list_of(bed.disk(made)), access_list(7), "{made}"),
                false => assert_eq!(mode & 0o777, 0o755, "{made}"),
            }
        }
    }
}
