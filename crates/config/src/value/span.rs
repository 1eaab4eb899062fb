//! Durations as words: `"500ms"`, `"30s"`, `"5m"`, `"24h"`, `"7d"`, `"1h 30m"`.

use std::time::Duration;

use super::ValueError;

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const EXAMPLE: &str = "write a number and a unit, as in \"30s\", \"5m\" or \"24h\"";

/// Parses a duration; units `ms s m h d`, several may follow each other; `"0"` is zero.
///
/// # Errors
/// A number without a unit, an unknown unit, or a value beyond what fits.
pub fn parse_duration(text: &str) -> Result<Duration, ValueError> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(ValueError::new("the duration is empty", EXAMPLE));
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number
            .parse()
            .map_err(|_| ValueError::new(format!("`{text}` is not a duration"), EXAMPLE))?;
        let tail = tail.trim_start();
        let end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        if unit.is_empty() {
            return Err(ValueError::new(format!("`{text}` has no unit"), EXAMPLE));
        }
        let (_, millis) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| ValueError::new(format!("`{unit}` is not a unit of time"), EXAMPLE))?;
        total = number
            .checked_mul(*millis)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| ValueError::new(format!("`{text}` is too long"), EXAMPLE))?;
        rest = tail.trim_start();
    }
    Ok(Duration::from_millis(total))
}

/// Prints a duration with the largest unit that divides it.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match UNITS
        .iter()
        .find(|(_, unit)| millis >= *unit && millis % unit == 0)
    {
        Some((name, unit)) => format!("{}{name}", millis / unit),
        None => "0".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_become_durations() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        for bad in [
            "",
            "30",
            "s",
            "3 weeks",
            "-1s",
            "99999999999999999999d",
            "1.5h",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(millis in any::<u64>()) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn parsing_never_panics(text in ".{0,24}") {
            let _ = parse_duration(&text);
        }
    }
}
