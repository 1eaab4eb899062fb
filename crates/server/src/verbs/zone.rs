//! The zone of the times in LIST: the machine's own.
//!
//! `jiff` reads it by name, through the whole database of zones, which holds up the first listing by
//! milliseconds. The machine's own zone stands in one file, whatever its name is.

use std::{
    fs,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;

const FILE: &str = "/etc/localtime";
/// A changed zone is seen after this.
const FRESH: Duration = Duration::from_secs(60);

static LAST: Mutex<Option<(Instant, TimeZone)>> = Mutex::new(None);

/// Returns the machine's zone; the variable `TZ` comes before the file.
pub(super) fn local() -> TimeZone {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((read, zone)) if read.elapsed() < FRESH => zone.clone(),
        _ => last.insert((Instant::now(), read())).1.clone(),
    }
}

fn read() -> TimeZone {
    if std::env::var_os("TZ").is_none()
        && let Some(zone) = of_file(FILE)
    {
        return zone;
    }
    TimeZone::system()
}

fn of_file(path: &str) -> Option<TimeZone> {
    TimeZone::tzif("Local", &fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn the_files_zone_is_the_systems() {
        let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap();
        let (ours, theirs) = (local(), TimeZone::system());
        for days in [0, 91, 182, 273] {
            let at = now - Duration::from_secs(days * 86_400);
            assert_eq!(ours.to_datetime(at), theirs.to_datetime(at));
        }
    }

    #[test]
    fn a_zone_file_is_read_without_its_name_and_another_file_is_none() {
        let Some(zone) = of_file("/usr/share/zoneinfo/Asia/Tokyo") else {
            return assert!(!std::path::Path::new("/usr/share/zoneinfo/Asia/Tokyo").exists());
        };
        let at = jiff::Timestamp::UNIX_EPOCH;
        assert_eq!(zone.to_datetime(at).hour(), 9);
        assert!(of_file("/etc/passwd").is_none());
        assert!(of_file("/nonexistent").is_none());
    }
}
