//! The clock of a server's LIST, which tells local time: measured by one MDTM.

use std::time::{Duration, SystemTime};

use super::FtpRemote;
use crate::remote::{Kind, Listing, Remote as _};

/// How far the clock of LIST lies from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Not measured yet.
    Unknown,
    /// LIST is so many seconds ahead of UTC.
    Ahead(i64),
    /// Cannot be measured.
    Hidden,
}

/// Zones lie whole quarters of an hour apart; LIST tells minutes only.
fn clock_ahead(listed: SystemTime, exact: SystemTime) -> Clock {
    const QUARTER: i64 = 900;
    let seconds = match listed.duration_since(exact) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX),
        Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap_or(i64::MAX),
    };
    let rounded = (seconds + 450).div_euclid(QUARTER).saturating_mul(QUARTER);
    if rounded.abs() <= 15 * 3600 {
        Clock::Ahead(rounded)
    } else {
        Clock::Hidden
    }
}

fn shift(time: SystemTime, seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        time.checked_sub(distance)
    } else {
        time.checked_add(distance)
    }
}

impl FtpRemote {
    /// LIST shows the server's local time: one MDTM of a listed file tells how far it is off.
    pub(super) async fn set_clock(&mut self, dir: &str, listing: &mut Listing) {
        let sample = listing
            .entries
            .iter()
            .find(|entry| entry.kind == Kind::File && entry.precision <= Duration::from_secs(60));
        if let (Clock::Unknown, Some(sample)) = (self.clock, sample) {
            let (path, listed) = (sample.name.within(dir), sample.modified);
            self.clock = match (self.modified(&path).await, listed) {
                (Ok(Some(exact)), Some(listed)) => clock_ahead(listed, exact),
                _ => Clock::Hidden,
            };
        }
        if let Clock::Ahead(seconds) = self.clock {
            for entry in &mut listing.entries {
                entry.modified = entry.modified.and_then(|time| shift(time, -seconds));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::listing;

    #[test]
    fn the_clock_of_list_is_told_in_quarters() {
        let exact = listing::parse_time("20260101120033").unwrap();
        let ahead = |text| clock_ahead(listing::parse_time(text).unwrap(), exact);
        assert_eq!(ahead("20260101120000"), Clock::Ahead(0));
        assert_eq!(ahead("20260101173000"), Clock::Ahead(19_800));
        assert_eq!(ahead("20260101070000"), Clock::Ahead(-18_000));
        assert_eq!(ahead("20250101120000"), Clock::Hidden);
    }
}
