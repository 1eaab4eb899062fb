use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
};

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A directory with one partial that was last written to so long ago.
fn laid(ago: Duration) -> (tempfile::TempDir, OwnedFd, SystemTime) {
    let dir = tempfile::tempdir().unwrap();
    let handle = OwnedFd::from(File::open(dir.path()).unwrap());
    fs::write(dir.path().join(NAME), "half").unwrap();
    let now = SystemTime::now();
    write_at(&dir, now - ago);
    (dir, handle, now)
}

const NAME: &str = ".ftpd-part-00";

fn write_at(dir: &tempfile::TempDir, at: SystemTime) {
    let file = File::options().append(true).open(dir.path().join(NAME));
    file.unwrap().set_modified(at).unwrap();
}

/// Whoever may open everything may so no longer, on this thread.
fn give_rights_up() {
    let mut own = capabilities(None).unwrap();
    own.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
    set_capabilities(None, own).unwrap();
}

#[test]
fn one_that_may_not_be_opened_goes_when_nobody_has_written_to_it_for_long() {
    give_rights_up();
    for (ago, goes) in [(HOUR / 2, false), (HOUR * 2, true)] {
        let (dir, handle, now) = laid(ago);
        let at = dir.path().join(NAME);
        fs::set_permissions(&at, fs::Permissions::from_mode(0o000)).unwrap();
        remove_all_if_alone(handle.as_fd()).unwrap();
        assert_eq!(at.exists(), !goes, "{ago:?}");
        if goes {
            fs::write(&at, "half").unwrap();
            write_at(&dir, now - ago);
            fs::set_permissions(&at, fs::Permissions::from_mode(0o000)).unwrap();
        }
        // Also where nothing at all is kept.
        let swept = sweep(handle.as_fd(), Duration::ZERO, now).unwrap();
        assert_eq!(swept, usize::from(goes), "{ago:?}");
        assert_eq!(at.exists(), !goes, "{ago:?}");
    }
}

#[test]
fn one_that_somebody_goes_on_with_before_it_is_locked_stays() {
    let (dir, handle, now) = laid(2 * HOUR);
    let term = Term {
        age: HOUR,
        now,
        up: Duration::MAX,
    };
    let name = OsStr::new(NAME);
    assert!(term.is_over(handle.as_fd(), name));
    write_at(&dir, now);
    let is_over = || term.is_over(handle.as_fd(), name);
    assert!(!remove_if(handle.as_fd(), name, &is_over));
    assert!(dir.path().join(NAME).exists());
    // One that is gone is not made anew.
    fs::remove_file(dir.path().join(NAME)).unwrap();
    remove_if(handle.as_fd(), name, &is_over);
    assert!(!dir.path().join(NAME).exists());
}

#[test]
fn what_was_written_before_a_start_of_the_system_stays_for_a_day_of_it() {
    let now = SystemTime::now();
    for (age, idle, up, over) in [
        // In an outage of days.
        (DAY, 3 * DAY, HOUR, false),
        (DAY, 3 * DAY, DAY, true),
        (2 * DAY, 4 * DAY, DAY, false),
        // Where nothing is kept.
        (Duration::ZERO, HOUR, HOUR / 2, false),
        (Duration::ZERO, HOUR / 2, HOUR, true),
        // On a machine that is never up for a day.
        (DAY, 29 * DAY, HOUR, false),
        (DAY, 30 * DAY, HOUR, true),
        (DAY, HOUR, 3 * DAY, false),
        (HOUR, HOUR, 3 * DAY, true),
    ] {
        let term = Term { age, now, up };
        assert_eq!(
            term.is_over_for(now - idle),
            over,
            "{age:?} {idle:?} {up:?}"
        );
    }
}
