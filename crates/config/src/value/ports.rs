//! A range of TCP ports: `"50000-50999"`.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use super::ValueError;

/// A range of ports, never empty, never holding port 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// Returns the first port.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// Returns the last port.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Returns how many ports the range holds, at least 1.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.last as u32 - self.first as u32 + 1
    }

    /// Returns every port, in order.
    #[must_use]
    pub const fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl FromStr for PortRange {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXAMPLE: &str = "write two ports, as in \"50000-50999\"";
        let port = |word: &str| match word.trim().parse::<u16>() {
            Ok(0) | Err(_) => Err(ValueError::new(
                format!("`{}` is not a port from 1 to 65535", word.trim()),
                EXAMPLE,
            )),
            Ok(port) => Ok(port),
        };
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if first > last {
            return Err(ValueError::new(
                format!("the ports `{text}` are reversed"),
                format!("write \"{last}-{first}\""),
            ));
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_two_ports_in_order() {
        let range: PortRange = "50000-50999".parse().unwrap();
        assert_eq!(
            (range.first(), range.last(), range.count()),
            (50000, 50999, 1000)
        );
        assert_eq!(range.to_string(), "50000-50999");
        assert_eq!("2121".parse::<PortRange>().map(PortRange::count), Ok(1));
        let reversed = "51000-50000".parse::<PortRange>().unwrap_err();
        assert_eq!(reversed.fix, "write \"50000-51000\"");
        for bad in ["", "0-5", "1-70000", "a-b", "-", "1-2-3"] {
            assert!(bad.parse::<PortRange>().is_err(), "{bad}");
        }
    }
}
