//! How far a server's clock is from the one here, and which of two files is newer by it. Pure.

use std::time::{Duration, SystemTime};

use super::UNMEASURED;
use crate::plan::{
    compare::{Facts, TWO_SECONDS},
    sync::Way,
};

/// How far a server's clock, as it tells times, is ahead of this one's at least and at most, in nanoseconds; behind it
/// where negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    least: i128,
    most: i128,
}

/// A server's file beside the one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is newer.
    Newer,
    /// It is older.
    Older,
    /// Both have one time.
    Equal,
    /// What is told does not say.
    Open,
}

impl Skew {
    /// Of a clock that cannot be measured.
    pub const UNMEASURED: Self = Self {
        least: -ZONES,
        most: ZONES,
    };

    /// Of the times that a server gave, the first and the last that they may be, to a file that was written between
    /// these two by the clock here.
    pub(super) fn of((before, after): (SystemTime, SystemTime), (first, last): Span) -> Self {
        Self {
            least: nanos(first) - nanos(after),
            most: nanos(last) - nanos(before),
        }
    }

    /// Allows for files whose times are not by the server's clock, for it was given them.
    #[must_use]
    pub fn or_none(self) -> Self {
        Self {
            least: self.least.min(0),
            most: self.most.max(0),
        }
    }

    /// How far the clock may be ahead.
    #[must_use]
    pub fn lead(self) -> Duration {
        let nanos = u64::try_from(self.most.max(0)).unwrap_or(u64::MAX);
        Duration::from_nanos(nanos)
    }

    /// Tells which of two files is newer.
    #[must_use]
    pub fn age(self, there: &Facts, here: &Facts) -> Age {
        let (Some((first, last)), Some(ours)) = (self.span(there), here.modified.map(nanos)) else {
            return Age::Open;
        };
        if first == ours && last == ours {
            Age::Equal
        } else if first > ours {
            Age::Newer
        } else if last <= ours {
            Age::Older
        } else {
            Age::Open
        }
    }

    /// The first and the last time, by the clock here, at which a server's file may have been changed.
    fn span(self, there: &Facts) -> Option<(i128, i128)> {
        let told = nanos(there.modified?);
        let coarse = there.precision > TWO_SECONDS;
        let length = if coarse {
            there.precision.as_nanos()
        } else {
            0
        };
        let length = i128::try_from(length).unwrap_or(ZONES);
        Some((told - self.most, told + length - self.least))
    }

    /// Tells whether a more exact time of the server's may change what is done to a file: that it is left here, or
    /// there, is certain where the other one is newer by this one.
    pub(super) fn is_open(self, way: Way, there: &Facts, here: &Facts) -> bool {
        let (Some((first, last)), Some(ours)) = (self.span(there), here.modified.map(nanos)) else {
            return true;
        };
        match way {
            Way::Up => first <= ours && ours < last + ZONES,
            Way::Down => ours < last && first - ZONES <= ours,
        }
    }

    #[cfg(test)]
    pub(in crate::plan) fn of_seconds(least: i64, most: i64) -> Self {
        let nanos = |seconds| i128::from(seconds) * 1_000_000_000;
        Self {
            least: nanos(least),
            most: nanos(most),
        }
    }
}

const ZONES: i128 = UNMEASURED.as_nanos().cast_signed();

/// The first and the last time that a file may have.
pub(super) type Span = (SystemTime, SystemTime);

/// Nanoseconds since 1970.
fn nanos(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_nanos().cast_signed(),
        Err(before) => -before.duration().as_nanos().cast_signed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn at(seconds: u64, precision: u64) -> Facts {
        Facts {
            size: Some(1),
            modified: Some(NOW + Duration::from_secs(1_000_000 + seconds)),
            precision: Duration::from_secs(precision),
        }
    }

    #[test]
    fn a_clock_is_measured_both_ways() {
        let second = Duration::from_secs;
        let now = NOW + second(1_000_000);
        // As a listing tells it, by minutes.
        let told = |time: SystemTime| Skew::of((now, now + second(2)), (time, time + second(60)));
        assert_eq!(told(now), Skew::of_seconds(-2, 60));
        assert_eq!(told(now - second(40)).lead(), second(20));
        let behind = told(now - second(18_040));
        assert_eq!(behind, Skew::of_seconds(-18_042, -17_980));
        assert_eq!(behind.lead(), Duration::ZERO);
        assert_eq!(behind.or_none(), Skew::of_seconds(-18_042, 0));
    }

    #[test]
    fn a_file_is_newer_only_where_that_is_certain() {
        let (none, east) = (Skew::default(), Skew::of_seconds(0, 8 * 3600));
        let west = Skew::of_seconds(-5 * 3600, 0);
        let here = at(100_000, 1);
        for (skew, there, age) in [
            (none, at(100_001, 1), Age::Newer),
            (none, at(100_000, 1), Age::Equal),
            (none, at(99_999, 1), Age::Older),
            (none, at(99_940, 60), Age::Older),
            (none, at(99_980, 60), Age::Open),
            (none, at(86_000, 86_400), Age::Open),
            (none, at(100_001, 60), Age::Newer),
            (east, at(100_000 + 3600, 1), Age::Open),
            (east, at(100_000 + 9 * 3600, 1), Age::Newer),
            (east, at(99_000, 1), Age::Older),
            (west, at(100_000 - 3600, 1), Age::Open),
            (west, at(100_000 - 6 * 3600, 1), Age::Older),
            (Skew::of_seconds(7200, 7200), at(107_000, 1), Age::Older),
        ] {
            assert_eq!(skew.age(&there, &here), age, "{skew:?} {there:?}");
        }
        let untold = Facts::default();
        assert_eq!(none.age(&untold, &here), Age::Open);
    }
}
