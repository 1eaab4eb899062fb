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

/// Compares; times count as equal within the coarser side's precision.
#[must_use]
pub fn compare(source: &Facts, target: &Facts) -> Difference {
    if source.size != target.size {
        return Difference::Size;
    }
    let (Some(ours), Some(theirs)) = (source.modified, target.modified) else {
        return Difference::Unknown;
    };
    // One second more: file systems and servers cut fractions.
    let slack = source.precision.max(target.precision) + Duration::from_secs(1);
    let (apart, newer) = match ours.duration_since(theirs) {
        Ok(apart) => (apart, true),
        Err(error) => (error.duration(), false),
    };
    match (apart <= slack, newer) {
        (true, _) => Difference::Same,
        (false, true) => Difference::Newer,
        (false, false) => Difference::Older,
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
            (facts(1, 1000, 1), facts(1, 1002, 1), Difference::Same),
            (facts(1, 1000, 1), facts(1, 1003, 1), Difference::Older),
            (facts(1, 1050, 1), facts(1, 1000, 60), Difference::Same),
            (facts(1, 1070, 1), facts(1, 1000, 60), Difference::Newer),
        ];
        for (source, target, wanted) in rows {
            assert_eq!(compare(&source, &target), wanted, "{source:?} {target:?}");
        }
        let timeless = Facts {
            modified: None,
            ..facts(1, 0, 1)
        };
        assert_eq!(compare(&timeless, &facts(1, 0, 1)), Difference::Unknown);
    }
}
