//! Sizes and rates in bytes, written with a unit: `"64 MiB"`, `"2 MiB/s"`, `"1%"`.

use std::{fmt, str::FromStr};

use super::ValueError;
use crate::defaults;

const UNITS: [(&str, u64); 13] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("kB", 1_000),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
];

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// A number of bytes a second; zero: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRate(pub u64);

impl ByteRate {
    /// No limit.
    pub const UNLIMITED: Self = Self(0);

    /// Returns the bytes a second, or `None` when there is no limit.
    #[must_use]
    pub fn limit(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }
}

/// Free room that uploads must leave on the disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reserve {
    /// A number of bytes.
    Bytes(ByteSize),
    /// A share of the disk, 0 to 100.
    Percent(f64),
}

fn parse_bytes(text: &str, example: &str) -> Result<u64, ValueError> {
    let text = text.trim();
    if text == "0" {
        return Ok(0);
    }
    let digits_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = (&text[..digits_end], text[digits_end..].trim());
    let factor = match unit {
        "" => return Err(ValueError::new(format!("`{text}` has no unit"), example)),
        "B" => 1,
        _ => UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, factor)| *factor)
            .ok_or_else(|| ValueError::new(format!("`{unit}` is not a unit of bytes"), example))?,
    };
    let value = if number.contains('.') {
        let number: f64 = number
            .parse()
            .map_err(|_| ValueError::new(format!("`{number}` is not a number"), example))?;
        let bytes = number * factor as f64;
        if number > 0.0 && bytes < 1.0 {
            return Err(ValueError::new(
                format!("`{text}` is less than a byte"),
                example,
            ));
        }
        (bytes < u64::MAX as f64).then_some(bytes as u64)
    } else {
        let number: u64 = number
            .parse()
            .map_err(|_| ValueError::new(format!("`{text}` is not a size"), example))?;
        number.checked_mul(factor)
    };
    value.ok_or_else(|| ValueError::new(format!("`{text}` is too large"), example))
}

fn write_bytes(f: &mut fmt::Formatter<'_>, bytes: u64) -> fmt::Result {
    match UNITS[..4]
        .iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
    {
        Some((unit, factor)) => write!(f, "{} {unit}", bytes / factor),
        None if bytes == 0 => f.write_str("0"),
        None => write!(f, "{bytes} B"),
    }
}

impl FromStr for ByteSize {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse_bytes(text, "write a number and a unit, as in \"64 MiB\"").map(Self)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_bytes(f, self.0)
    }
}

impl FromStr for ByteRate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXAMPLE: &str = "write a number and a unit, as in \"2 MiB/s\"; \"0\" is no limit";
        let text = text.trim();
        let size = text.strip_suffix("/s").unwrap_or(text);
        let rate = parse_bytes(size, EXAMPLE)?;
        if rate > 0 && rate < defaults::LEAST_RATE {
            return Err(ValueError::new(
                format!("`{text}` is below the least rate of 1 KiB/s"),
                "write at least \"1 KiB/s\", or \"0\" for no limit",
            ));
        }
        Ok(Self(rate))
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_bytes(f, self.0)?;
        if self.0 > 0 {
            f.write_str("/s")
        } else {
            Ok(())
        }
    }
}

impl Reserve {
    /// Returns the bytes to keep free on a disk of `total` bytes.
    #[must_use]
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Bytes(size) => size.0,
            Self::Percent(percent) => (total as f64 * percent / 100.0) as u64,
        }
    }
}

impl FromStr for Reserve {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXAMPLE: &str = "write a size or a share of the disk, as in \"2 GiB\" or \"1%\"";
        let Some(percent) = text.trim().strip_suffix('%') else {
            return parse_bytes(text, EXAMPLE).map(|bytes| Self::Bytes(ByteSize(bytes)));
        };
        match percent.trim().parse::<f64>() {
            Ok(percent) if (0.0..100.0).contains(&percent) => Ok(Self::Percent(percent)),
            _ => Err(ValueError::new(
                format!("`{text}` is not a share from 0% to under 100%"),
                EXAMPLE,
            )),
        }
    }
}

impl fmt::Display for Reserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(size) => size.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_need_a_unit_except_zero() {
        assert_eq!("64 MiB".parse(), Ok(ByteSize(64 << 20)));
        assert_eq!("1.5KiB".parse(), Ok(ByteSize(1536)));
        assert_eq!("10 MB".parse(), Ok(ByteSize(10_000_000)));
        assert_eq!("0".parse(), Ok(ByteSize(0)));
        for bad in [
            "12",
            "",
            "MiB",
            "1 Mib",
            "-1 MiB",
            "99999999999 TiB",
            "99999999999.5 TiB",
            "1..2 MiB",
        ] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_below_one_kibibyte_are_refused() {
        assert_eq!("20 MiB/s".parse(), Ok(ByteRate(20 << 20)));
        assert_eq!("20 MiB".parse(), Ok(ByteRate(20 << 20)));
        assert_eq!(ByteRate(0).limit(), None);
        assert_eq!("1 KiB/s".parse(), Ok(ByteRate(1024)));
        assert!("1023 B/s".parse::<ByteRate>().is_err());
        assert!("12 B/s".parse::<ByteRate>().is_err());
        for tiny in ["0.5 B/s", "0.0005 KiB/s"] {
            assert!(tiny.parse::<ByteRate>().is_err(), "{tiny}");
        }
        assert_eq!("0.0 B/s".parse(), Ok(ByteRate(0)));
    }

    #[test]
    fn a_reserve_is_bytes_or_a_share() {
        assert_eq!("1%".parse::<Reserve>().map(|r| r.of(1000)), Ok(10));
        assert_eq!("2 GiB".parse::<Reserve>().map(|r| r.of(5)), Ok(2 << 30));
        assert!("100%".parse::<Reserve>().is_err());
        assert!("x%".parse::<Reserve>().is_err());
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(bytes in any::<u64>()) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }

        #[test]
        fn parsing_never_panics(text in ".{0,24}") {
            let _ = text.parse::<ByteSize>();
            let _ = text.parse::<ByteRate>();
            let _ = text.parse::<Reserve>();
        }
    }
}
