//! Whether two files are the same, by size and time. Pure.

use std::time::{Duration, SystemTime};

/// What is known of a file on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its size, if known.
    pub size: Option<u64>,
    /// When it was changed last, if known.
    pub modified: Option<SystemTime>,
    /// How exact that is.
    pub precision: Duration,
}

/// How the source compares with the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Same size, same time.
    Same,
    /// Another size.
    Size,
    /// Same size, another time; the source is newer.
    Newer,
    /// Same size, another time; the source is older.
    Older,
    /// Same size; one side does not tell the time.
    Unknown,
}

/// What FAT disks keep times to.
pub(crate) const TWO_SECONDS: Duration = Duration::from_secs(2);

/// Compares; times count as equal to the second, or within the coarser side's precision.
#[must_use]
pub fn compare(source: &Facts, target: &Facts) -> Difference {
    if source.size != target.size {
        return Difference::Size;
    }
    let (Some(ours), Some(theirs)) = (source.modified, target.modified) else {
        return Difference::Unknown;
    };
    // Servers tell no fractions of a second.
    let (ours, theirs) = (seconds(ours), seconds(theirs));
    let slack = match source.precision.max(target.precision).as_secs() {
        0 | 1 => 0,
        2 => 1,
        coarse => coarse + 1,
    };
    match (
        ours.abs_diff(theirs) <= slack || is_at_limit(ours, theirs),
        ours > theirs,
    ) {
        (true, _) => Difference::Same,
        (false, true) => Difference::Newer,
        (false, false) => Difference::Older,
    }
}

/// The first and the last seconds since 1970 that disks can hold: 0 where times before are refused, FAT,
/// 32 bits; then 32 bits signed and not, FAT, ext4 and XFS.
const FIRST: [i64; 3] = [0, 315_532_800, -0x8000_0000];
const LAST: [i64; 5] = [
    0x7fff_ffff,
    0xffff_ffff,
    4_354_819_198,
    0x3_7fff_ffff,
    16_299_260_424,
];

/// Tells whether the target's time is the nearest one to the source's that its disk can hold.
fn is_at_limit(source: i64, target: i64) -> bool {
    let near = |limit: &i64| (target - limit).abs() <= 2;
    match source < target {
        true => FIRST.iter().any(near),
        false => LAST.iter().any(near),
    }
}

/// Whole seconds since 1970, rounded down.
pub(crate) fn seconds(time: SystemTime) -> i64 {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => seconds(since),
        Err(before) => {
            let before = before.duration();
            -seconds(before) - i64::from(before.subsec_nanos() > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(size: u64, secs: u64, precision: u64) -> Facts {
        Facts {
            size: Some(size),
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(secs)),
            precision: Duration::from_secs(precision),
        }
    }

    #[test]
    fn size_first_then_time_within_the_coarser_precision() {
        let rows = [
            (facts(1, 1000, 1), facts(2, 1000, 1), Difference::Size),
            (facts(1, 1000, 1), facts(1, 1000, 1), Difference::Same),
            (facts(1, 1000, 1), facts(1, 1001, 1), Difference::Older),
            (facts(1, 1001, 1), facts(1, 1000, 1), Difference::Newer),
            (facts(1, 1001, 1), facts(1, 1000, 2), Difference::Same),
            (facts(1, 1001, 1), facts(1, 1002, 2), Difference::Same),
            (facts(1, 1002, 1), facts(1, 1000, 2), Difference::Newer),
            (facts(1, 1050, 1), facts(1, 1000, 60), Difference::Same),
            (facts(1, 1070, 1), facts(1, 1000, 60), Difference::Newer),
        ];
        for (source, target, wanted) in rows {
            assert_eq!(compare(&source, &target), wanted, "{source:?} {target:?}");
        }
        // Fractions are cut, before 1970 too.
        let second = |time: SystemTime| Facts {
            modified: Some(time),
            ..facts(1, 0, 1)
        };
        for start in [
            SystemTime::UNIX_EPOCH,
            SystemTime::UNIX_EPOCH - Duration::from_secs(9),
        ] {
            let late = second(start + Duration::from_millis(999));
            assert_eq!(compare(&late, &second(start)), Difference::Same);
            let next = second(start + Duration::from_secs(1));
            assert_eq!(compare(&next, &late), Difference::Newer);
        }
        let late = facts(1, 5_000_000_000, 1);
        let cut = facts(1, 0x7fff_ffff, 1);
        assert_eq!(compare(&late, &cut), Difference::Same, "2128 on 32 bits");
        assert_eq!(compare(&cut, &late), Difference::Older);
        let old = facts(1, 100_000, 1);
        assert_eq!(
            compare(&old, &facts(1, 315_532_800, 2)),
            Difference::Same,
            "FAT"
        );
        let timeless = Facts {
            modified: None,
            ..facts(1, 0, 1)
        };
        assert_eq!(compare(&timeless, &facts(1, 0, 1)), Difference::Unknown);
    }
}
