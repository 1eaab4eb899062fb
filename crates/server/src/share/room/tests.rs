//! What may be promised, and of which disk.

use super::*;

#[test]
fn the_reserve_is_not_for_uploads() {
    let dir = std::fs::File::open("/").unwrap();
    let path = SharePath::root();
    let all = ask(&dir, Reserve::Bytes(ByteSize(0))).unwrap();
    assert!(all.free > 0 && all.free <= all.total);
    let granted = |needed| {
        let promised = Tally::default();
        promised.add(&dir, Reserve::Bytes(ByteSize(0)), &path, needed)
    };
    assert_eq!(granted(1).unwrap(), (all.free / PART).clamp(1, STRIDE));
    assert!(granted(STRIDE + 1).unwrap() <= STRIDE);
    let none = ask(&dir, Reserve::Bytes(ByteSize(u64::MAX))).unwrap();
    assert_eq!(none.free, 0);
    let error = check(&dir, Reserve::Bytes(ByteSize(u64::MAX)), &path, 7).unwrap_err();
    assert_eq!(error.code(), 452);
    assert!(error.to_string().contains("7 B needed, 0 free"), "{error}");
}

#[test]
fn however_many_ask_no_more_is_promised_than_there_is() {
    let mib = 1 << 20;
    let (free, mut promised) = (100 * mib, 0);
    while let Some(bytes) = granted(free, promised, mib) {
        assert!((mib..=STRIDE).contains(&bytes));
        promised += bytes;
    }
    assert!((free - mib..=free).contains(&promised), "{promised}");
    assert_eq!(granted(u64::MAX, 3, 1), Some(STRIDE));
}

#[test]
fn what_was_granted_and_not_written_goes_back() {
    let dir = std::fs::File::open("/").unwrap();
    let (path, none) = (SharePath::root(), Reserve::Bytes(ByteSize(0)));
    let promised = Promised::default();
    let tally = promised.of(fstat(&dir).unwrap().st_dev);
    let open = || tally.0.load(Ordering::Relaxed);
    let grant = Grant::new(&promised, &dir, none, &path, 1).unwrap();
    for bytes in [1, STRIDE, 3, STRIDE * 2, STRIDE - 1] {
        grant.spend(bytes, &dir, none, &path).unwrap();
        assert_eq!(open(), grant.left.load(Ordering::Relaxed));
    }
    assert!(grant.spend(1 << 60, &dir, none, &path).is_err());
    for bytes in [1, 5, STRIDE, 3] {
        grant.spend(bytes, &dir, none, &path).unwrap();
        // The disk holds it back by itself now.
        grant.is_set_aside();
        assert_eq!(open(), 0);
    }
    drop((grant, Grant::new(&promised, &dir, none, &path, 1)));
    assert_eq!(open(), 0);
}

#[test]
fn what_is_promised_of_one_disk_takes_nothing_from_another() {
    let promised = Promised::default();
    let (one, other) = (promised.of(1), promised.of(2));
    one.0.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(other.0.load(Ordering::Relaxed), 0);
    assert!(Arc::ptr_eq(&one, &promised.of(1)));
    drop(one);
    // It goes with the last upload, and its entry with the next new disk.
    assert_eq!(promised.of(1).0.load(Ordering::Relaxed), 0);
    let _third = promised.of(3);
    assert_eq!(promised.0.lock().unwrap().len(), 2);
}

#[test]
fn a_grant_is_on_the_tally_of_the_disk_that_holds_its_directory() {
    let (path, none) = (SharePath::root(), Reserve::Bytes(ByteSize(0)));
    let promised = Promised::default();
    let open = |path| std::fs::File::open(path).unwrap();
    // Procfs is a disk of its own on every system, and tells no size.
    let (disk, other) = (open("/"), open("/proc"));
    let [ours, theirs] = [&disk, &other].map(|dir| promised.of(fstat(dir).unwrap().st_dev));
    let _grant = Grant::new(&promised, &other, none, &path, STRIDE).unwrap();
    assert_eq!(theirs.0.load(Ordering::Relaxed), STRIDE);
    assert_eq!(ours.0.load(Ordering::Relaxed), 0);
}
