//! Login names.

use std::{fmt, str::FromStr};

use super::ValueError;

/// A login name: 1 to 64 characters, no space, control character, `/`, `:` or `"`; not `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const FIX: &str = "use 1 to 64 letters, digits, `.`, `-`, `_` or `@`";
        let refused = |c: char| c.is_whitespace() || c.is_control() || "/\\:\"{}".contains(c);
        let bad = text.is_empty()
            || text.chars().count() > Self::MAX_CHARS
            || text.contains(refused)
            || matches!(text, "." | "..");
        if bad {
            let shown = text.escape_debug();
            return Err(ValueError::new(
                format!("`{shown}` cannot be a user name"),
                FIX,
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl AsRef<str> for UserName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_safe_component() {
        for good in ["ann", "安", "a.b@c-d_e", "x"] {
            assert_eq!(good.parse::<UserName>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "a b",
            "a/b",
            "..",
            ".",
            "a\nb",
            "a:b",
            "{user}",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<UserName>().is_err(), "{bad:?}");
        }
    }
}
