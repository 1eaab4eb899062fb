//! Paths inside the share, which are never paths on disk.

use std::{fmt, str::FromStr};

use super::ValueError;
use crate::lossless::is_raw;

/// A path inside the share: `/`-rooted, normal (no `.`, no `..`, no empty component), no NUL, CR or LF, at
/// most 255 bytes a component.
///
/// A byte of a name on disk that is not UTF-8 is carried as the character U+10FF00 + byte, and
/// counts as the one byte that it is there.
///
/// Ordering and equality are by bytes. A `SharePath` never names anything outside the share; what
/// it names on disk is the business of the one room that holds the share's directory handle.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SharePath(String);

impl SharePath {
    /// Returns the root of the share, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Returns the path as text; begins with `/`, ends with `/` only for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path without its leading `/`; empty for the root.
    #[must_use]
    pub fn relative(&self) -> &str {
        &self.0[1..]
    }

    /// Tells whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// Returns the last component; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// Returns the directory that holds this path; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (head, _) = self.0.rsplit_once('/')?;
        match (self.is_root(), head.is_empty()) {
            (true, _) => None,
            (false, true) => Some(Self::root()),
            (false, false) => Some(Self(head.to_owned())),
        }
    }

    /// Returns the components from the root down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.relative().split('/').filter(|part| !part.is_empty())
    }

    /// Resolves what a client typed against this directory: absolute when it begins with `/`, `.`
    /// and `..` folded (`..` at the root stays there), doubled and trailing slashes dropped.
    ///
    /// # Errors
    /// A control character, or a component over 255 bytes.
    pub fn join(&self, typed: &str) -> Result<Self, ValueError> {
        match typed.chars().find(|c| c.is_control()) {
            Some(c) => Err(control(c)),
            None => self.join_known(typed),
        }
    }

    /// Resolves as [`SharePath::join`] what may name something that is there: other programs put control
    /// characters into names, so only those are refused that no line of FTP can carry (RFC 959 §5.3).
    ///
    /// # Errors
    /// NUL, CR or LF, or a component over 255 bytes.
    pub fn join_known(&self, typed: &str) -> Result<Self, ValueError> {
        if let Some(c) = typed.chars().find(|c| matches!(c, '\0' | '\r' | '\n')) {
            return Err(control(c));
        }
        let base = if typed.starts_with('/') {
            ""
        } else {
            self.relative()
        };
        let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
        for part in typed.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                _ if bytes_on_disk(part) > 255 => {
                    let bytes = bytes_on_disk(part);
                    return Err(ValueError::new(
                        format!("a name of {bytes} bytes is over the limit of 255"),
                        "use a shorter name",
                    ));
                }
                _ => parts.push(part),
            }
        }
        Ok(Self(format!("/{}", parts.join("/"))))
    }
}

fn control(c: char) -> ValueError {
    let c = c.escape_default();
    ValueError::new(
        format!("the name holds the control character {c}"),
        "rename the file without it",
    )
}

fn bytes_on_disk(name: &str) -> usize {
    let bytes = |c: char| if is_raw(c) { 1 } else { c.len_utf8() };
    // Most names are short enough however they are counted.
    if name.len() <= 255 {
        return name.len();
    }
    name.chars().map(bytes).sum()
}

impl FromStr for SharePath {
    type Err = ValueError;

    /// Parses a path of the file, where `..` is a fault and not folded.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.split('/').any(|part| part == "..") {
            return Err(ValueError::new(
                format!("`{text}` leads outside the share"),
                "write a path inside the share, as in \"/ann\"",
            ));
        }
        if !text.starts_with('/') {
            return Err(ValueError::new(
                format!("`{text}` does not begin with `/`"),
                format!("write \"/{text}\": paths are inside the share"),
            ));
        }
        Self::root().join(text)
    }
}

impl fmt::Display for SharePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typed_paths_never_climb_above_the_root() {
        let ann = "/ann".parse::<SharePath>().unwrap();
        let join = |typed: &str| ann.join(typed).map(|path| path.to_string()).unwrap();
        assert_eq!(join("a.txt"), "/ann/a.txt");
        assert_eq!(join("../../../etc/passwd"), "/etc/passwd");
        assert_eq!(join("/x//y/./z/"), "/x/y/z");
        assert_eq!(join(".."), "/");
        assert_eq!(join(""), "/ann");
        assert_eq!(join(" a "), "/ann/ a ");
        assert!(ann.join("a\nb").is_err());
        assert!(ann.join(&"x".repeat(256)).is_err());
        assert!(ann.join(&"x".repeat(255)).is_ok());
        assert!(ann.join(&"\u{10FFD6}".repeat(255)).is_ok());
        assert!(ann.join(&"\u{10FFD6}".repeat(256)).is_err());
    }

    #[test]
    fn parents_and_names_come_apart() {
        let path: SharePath = "/a/b".parse().unwrap();
        assert_eq!(path.name(), Some("b"));
        assert_eq!(path.parent().unwrap().to_string(), "/a");
        assert_eq!(path.parent().unwrap().parent(), Some(SharePath::root()));
        assert_eq!(SharePath::root().parent(), None);
        assert_eq!(SharePath::root().name(), None);
    }

    #[test]
    fn paths_of_the_file_may_not_climb() {
        assert!("/a/../b".parse::<SharePath>().is_err());
        assert!("ann".parse::<SharePath>().is_err());
    }

    proptest! {
        #[test]
        fn every_joined_path_is_normal(typed in "[a/. ]{0,20}") {
            let path = SharePath::root().join(&typed).unwrap();
            prop_assert!(path.as_str().starts_with('/'));
            prop_assert!(path.components().all(|part| part != "." && part != ".."));
            prop_assert_eq!(SharePath::root().join(path.as_str()), Ok(path));
        }
    }
}
