//! Uploads: whole files only, the names they take, the modes and times they get.

use super::*;

#[test]
fn a_file_takes_its_name_only_when_it_is_whole() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    assert_eq!(
        fs::metadata(bed.disk("a")).unwrap().permissions().mode() & 0o777,
        0o644
    );
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.file().write_all(b"new and longer").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old");
    let seen: Vec<String> = home
        .list(
            &path("/"),
            ListOptions {
                all: true,
                ..ListOptions::default()
            },
        )
        .unwrap()
        .map(|entry| entry.name.into_owned())
        .collect();
    assert_eq!(seen, ["a"]);
    upload.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"new and longer");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn an_interrupted_upload_can_go_on_and_leaves_the_old_file() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"old").unwrap();
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.file().write_all(b"12345").unwrap();
    drop(upload);
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"old");
    assert_eq!(bed.partials(), 1);
    let error = home
        .begin_upload(&path("a"), Intent::Store { offset: 6 }, None)
        .unwrap_err();
    assert_eq!(error.code(), 554);
    store(&home, "a", Intent::Store { offset: 4 }, b"x").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"1234x");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn appending_goes_behind_the_file_or_behind_the_kept_partial() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "a", FRESH, b"abc").unwrap();
    store(&home, "a", Intent::Append, b"def").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"abcdef");
    store(&home, "a", Intent::Store { offset: 2 }, b"X").unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"abX");
    let upload = home.begin_upload(&path("new"), FRESH, None).unwrap();
    upload.file().write_all(b"half").unwrap();
    drop(upload);
    store(&home, "new", Intent::Append, b"+rest").unwrap();
    assert_eq!(fs::read(bed.disk("new")).unwrap(), b"half+rest");
}

#[test]
fn two_uploads_to_one_name_are_never_mixed() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let one = home.begin_upload(&path("a"), FRESH, None).unwrap();
    let two = home.begin_upload(&path("a"), FRESH, None).unwrap();
    one.file().write_all(b"1111").unwrap();
    two.file().write_all(b"22").unwrap();
    one.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"1111");
    two.commit(None).unwrap();
    assert_eq!(fs::read(bed.disk("a")).unwrap(), b"22");
    assert_eq!(bed.partials(), 0);
}

#[test]
fn a_taken_name_is_overwritten_renamed_or_refused() {
    let mut bed = Bed::new();
    for (on_duplicate, outcome) in [
        (OnDuplicate::Overwrite, Ok("/a.txt")),
        (OnDuplicate::Rename, Ok("/a (1).txt")),
        (OnDuplicate::Refuse, Err(553)),
    ] {
        bed.uploads.on_duplicate = on_duplicate;
        fs::create_dir_all(&bed.share.root).unwrap();
        fs::write(bed.disk("a.txt"), "old").unwrap();
        let home = bed.home(Rights::READ_WRITE, "/");
        let done = store(&home, "a.txt", FRESH, b"new");
        let done = done
            .map(|done| done.path.to_string())
            .map_err(|error| error.code());
        assert_eq!(done, outcome.map(str::to_owned));
    }
    assert_eq!(fs::read(bed.disk("a.txt")).unwrap(), b"old");
    let unique = store(
        &bed.home(Rights::READ_WRITE, "/"),
        "a.txt",
        Intent::Unique,
        b"u",
    )
    .unwrap();
    assert_eq!(unique.path.as_str(), "/a (2).txt");
}

#[test]
fn a_file_beside_another_has_not_its_mode() {
    let mut bed = Bed::new();
    bed.uploads.on_duplicate = OnDuplicate::Rename;
    let home = bed.home(Rights::READ_WRITE, "/");
    for (old, intent) in [(0o600, FRESH), (0o777, FRESH), (0o600, Intent::Unique)] {
        fs::write(bed.disk("a"), "old").unwrap();
        fs::set_permissions(bed.disk("a"), fs::Permissions::from_mode(old)).unwrap();
        let beside = store(&home, "a", intent, b"new").unwrap().path;
        let mode = fs::metadata(bed.disk(beside.relative())).unwrap();
        assert_eq!(mode.permissions().mode() & 0o7777, 0o644, "{beside}");
    }
}

#[test]
fn no_room_is_told_with_figures_and_leaves_nothing() {
    let mut bed = Bed::new();
    bed.share.reserve = Reserve::Bytes(ByteSize(u64::MAX));
    let home = bed.home(Rights::READ_WRITE, "/");
    let error = home.begin_upload(&path("a"), FRESH, Some(10)).unwrap_err();
    assert_eq!(error.reply().0, 452);
    assert!(error.to_string().contains("10 B needed, 0 free"), "{error}");
    let error = home.begin_upload(&path("a"), FRESH, None).unwrap_err();
    assert!(
        error.to_string().contains("at least 1 B needed, 0 free"),
        "{error}"
    );
    assert_eq!(home.make_dir(&path("d")).unwrap_err().code(), 452);
    assert_eq!(bed.partials(), 0);
}

#[test]
fn times_and_modes_are_set() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
    upload.commit(Some(then)).unwrap();
    assert_eq!(home.metadata(&path("a")).unwrap().modified, then);
    let earlier = then - std::time::Duration::from_secs(5);
    home.set_modified(&path("a"), earlier, None).unwrap();
    assert_eq!(home.set_mode(&path("a"), 0o4600).unwrap(), 0o600);
    let meta = home.metadata(&path("a")).unwrap();
    assert_eq!((meta.modified, meta.mode), (earlier, 0o600));
    // A directory keeps what makes its files its group's.
    home.make_dir(&path("d")).unwrap();
    fs::set_permissions(bed.disk("d"), fs::Permissions::from_mode(0o2775)).unwrap();
    home.set_mode(&path("d"), 0o750).unwrap();
    assert_eq!(home.metadata(&path("d")).unwrap().mode, 0o2750);
}

#[test]
fn an_overwritten_file_keeps_its_mode_but_never_set_id_bits() {
    let bed = Bed::new();
    let home = bed.home(Rights::READ_WRITE, "/");
    store(&home, "tool", FRESH, b"old").unwrap();
    fs::set_permissions(bed.disk("tool"), fs::Permissions::from_mode(0o6750)).unwrap();
    for intent in [FRESH, Intent::Append, Intent::Store { offset: 1 }] {
        store(&home, "tool", intent, b"new").unwrap();
        let mode = fs::metadata(bed.disk("tool")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o750, "{intent:?}");
        fs::set_permissions(bed.disk("tool"), fs::Permissions::from_mode(0o6750)).unwrap();
    }
}

#[test]
fn a_file_too_large_for_the_disk_is_552() {
    let error = ShareError::from_io(&path("a"), rustix::io::Errno::FBIG.into());
    assert_eq!(error.reply().0, 552);
}

#[test]
fn bytes_copied_to_append_to_are_promised_like_those_that_come() {
    const MIB: u64 = 1 << 20;
    let mut bed = Bed::new();
    let available = room::ask(
        fs::File::open(bed.dir.path()).unwrap(),
        Reserve::Bytes(ByteSize(0)),
    );
    let available = available.unwrap().free;
    bed.share.reserve = Reserve::Bytes(ByteSize(available.saturating_sub(1024 * MIB)));
    let home = bed.home(Rights::READ_WRITE, "/");
    let base = fs::File::create(bed.disk("base")).unwrap();
    base.set_len(512 * MIB).unwrap();
    // Others have been promised so much of it that half as much as is needed is left; they have written nothing
    // yet. Whatever else uses this disk meanwhile moves that little.
    let begun = |n| home.begin_upload(&path(&format!("u{n}")), FRESH, Some(16 * MIB));
    let others: Vec<_> = (0..48).map(|n| begun(n).unwrap()).collect();
    let mut upload = home
        .begin_upload(&path("base"), Intent::Append, None)
        .unwrap();
    let refused = upload.start(&|| false).unwrap_err();
    assert_eq!(refused.code(), 452, "{refused}");
    drop(upload);
    assert_eq!(bed.partials(), others.len(), "half a copy is not kept");
}

/// Its client is told the name before the data.
#[test]
fn a_unique_upload_has_its_name_when_it_begins_and_nobody_else_is_told_that() {
    let bed = Bed::new();
    let home = bed.home(Rights::DROPBOX, "/");
    fs::create_dir(bed.disk("d")).unwrap();
    fs::write(bed.disk("d/a.txt"), "old").unwrap();
    std::os::unix::fs::symlink("d/a.txt", bed.disk("link.txt")).unwrap();
    let begin = |name| home.begin_upload(&path(name), Intent::Unique, None);
    let both = [begin("d/a.txt").unwrap(), begin("d/a.txt").unwrap()];
    let told = both.each_ref().map(|upload| upload.path().clone());
    assert_eq!(told, [path("d/a (1).txt"), path("d/a (2).txt")]);
    let [first, second] = both;
    assert_eq!(second.commit(None).unwrap().path, told[1]);
    // What is given up is free again.
    drop(first);
    assert_eq!(begin("d/a.txt").unwrap().path(), &told[0]);
    for (wished, found) in [("new", "new"), ("link.txt", "link (1).txt")] {
        let upload = begin(wished).unwrap();
        upload.file().write_all(b"1").unwrap();
        assert_eq!(upload.commit(None).unwrap().path, path(found));
    }
    assert_eq!(fs::read(bed.disk("d/a.txt")).unwrap(), b"old");
    for (refused, code) in [("d", 550), ("", 550), ("no/a", 550), (".ftpd-part-1", 553)] {
        assert_eq!(begin(refused).unwrap_err().code(), code, "{refused}");
    }
    let reader = bed.home(Rights::READ_ONLY, "/");
    let refused = reader.begin_upload(&path("d/a.txt"), Intent::Unique, None);
    assert_eq!(refused.unwrap_err().code(), 550);
}
