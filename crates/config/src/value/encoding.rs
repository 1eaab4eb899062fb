//! Encodings of file names, by the labels people use.

use std::{fmt, str::FromStr};

use super::ValueError;

/// A legacy encoding of names, or UTF-8.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// The labels offered in help and error texts.
    pub const LABELS: [&str; 8] = [
        "utf-8",
        "gbk",
        "gb18030",
        "big5",
        "shift_jis",
        "euc-kr",
        "euc-jp",
        "latin1",
    ];

    /// Returns the codec.
    #[must_use]
    pub fn codec(self) -> &'static encoding_rs::Encoding {
        self.0
    }

    /// Tells whether this is UTF-8.
    #[must_use]
    pub fn is_utf8(self) -> bool {
        self.0 == encoding_rs::UTF_8
    }
}

impl FromStr for Encoding {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        encoding_rs::Encoding::for_label_no_replacement(text.as_bytes())
            .filter(|codec| codec.is_ascii_compatible())
            .map(Self)
            .ok_or_else(|| {
                ValueError::new(
                    format!("`{}` is not an encoding of names", text.escape_debug()),
                    format!("write one of {}", Self::LABELS.join(", ")),
                )
            })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name().to_ascii_lowercase())
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoding({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offered_label_is_known_and_prints_back() {
        for label in Encoding::LABELS {
            let encoding: Encoding = label.parse().unwrap();
            assert_eq!(encoding.to_string().parse(), Ok(encoding));
        }
        assert!("utf-16le".parse::<Encoding>().is_err());
        assert!("klingon".parse::<Encoding>().is_err());
    }
}
