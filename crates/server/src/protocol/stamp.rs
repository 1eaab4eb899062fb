//! Times on the wire: `YYYYMMDDHHMMSS[.fff]`, always UTC (RFC 3659 §2.3).

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Formats a time; fractions are dropped.
#[must_use]
pub fn format(time: SystemTime) -> String {
    let stamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = TimeZone::UTC.to_datetime(stamp);
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        at.year().max(0),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Parses a time; a fraction is kept to the millisecond, years are 1 to 9998.
#[must_use]
pub fn parse(text: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let number = |from: usize, to: usize| whole[from..to].parse::<i16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
    let year = number(0, 4).filter(|year| (1..=9998).contains(year))?;
    // A leap second is the last one that the calendar knows.
    let second = small(12)?.min(if small(12)? == 60 { 59 } else { i8::MAX });
    let at = DateTime::new(year, small(4)?, small(6)?, small(8)?, small(10)?, second, 0).ok()?;
    let stamp = TimeZone::UTC.to_timestamp(at).ok()?;
    let millis: u64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    let secs = Duration::from_secs(stamp.as_second().unsigned_abs());
    let whole = match stamp.as_second() < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(secs),
        false => SystemTime::UNIX_EPOCH.checked_add(secs),
    };
    whole?.checked_add(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(secs: i64) -> SystemTime {
        let distance = Duration::from_secs(secs.unsigned_abs());
        match secs < 0 {
            true => SystemTime::UNIX_EPOCH - distance,
            false => SystemTime::UNIX_EPOCH + distance,
        }
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(format(at(0)), "19700101000000");
        assert_eq!(parse(b"20240229123456"), Some(at(1_709_210_096)));
        assert_eq!(
            parse(b"19691231235958.5"),
            Some(at(-2) + Duration::from_millis(500))
        );
        assert_eq!(
            parse(b"20240229123456.5"),
            Some(at(1_709_210_096) + Duration::from_millis(500))
        );
        for bad in [
            "",
            "2024",
            "20240230000000",
            "20241301000000",
            "2024022912345x",
            "20240229123456.x",
            "00000101000000",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(secs in -60_000_000_000_i64..250_000_000_000) {
            prop_assert_eq!(parse(format(at(secs)).as_bytes()), Some(at(secs)));
        }

        #[test]
        fn parsing_never_panics(text in proptest::collection::vec(any::<u8>(), 0..24)) {
            let _ = parse(&text);
        }
    }
}
