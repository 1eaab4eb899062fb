//! Rights: what a user may do in the share, as words of the file.

use std::fmt;

/// One thing a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// See names and facts (LIST, NLST, MLSD, MLST, STAT, SIZE, MDTM).
    List,
    /// Fetch the bytes of files (RETR) and their digests (HASH).
    Read,
    /// Store new files (STOR, STOU, APPE) and set the time of the one that was stored last; of others with
    /// `overwrite` too.
    Write,
    /// Replace, append to or rename onto a file that exists.
    Overwrite,
    /// Remove files and directories (DELE, RMD).
    Delete,
    /// Give a file or directory another name (RNFR, RNTO).
    Rename,
    /// Make directories (MKD).
    Mkdir,
    /// Change mode bits (SITE CHMOD).
    Chmod,
}

impl Right {
    /// Every right, in the order in which they are printed.
    pub const ALL: [Self; 8] = [
        Self::List,
        Self::Read,
        Self::Write,
        Self::Overwrite,
        Self::Delete,
        Self::Rename,
        Self::Mkdir,
        Self::Chmod,
    ];

    /// Returns the word of the file for this right.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Overwrite => "overwrite",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::Mkdir => "mkdir",
            Self::Chmod => "chmod",
        }
    }

    /// Returns the right that a word of the file names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.word() == word)
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u8);

impl Rights {
    /// No right at all.
    pub const NONE: Self = Self(0);
    /// Preset `read-only`: list and read.
    pub const READ_ONLY: Self = Self::NONE.with(Right::List).with(Right::Read);
    /// Preset `dropbox`: may add new files and directories; may not list, read or change.
    pub const DROPBOX: Self = Self::NONE.with(Right::Write).with(Right::Mkdir);
    /// Preset `read-write`: everything.
    pub const READ_WRITE: Self = Self(0xff);

    /// Returns this set with `right` added.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u8)
    }

    /// Tells whether the set holds `right`.
    #[must_use]
    pub const fn allows(self, right: Right) -> bool {
        self.0 & (1 << right as u8) != 0
    }

    /// Returns the rights of the set in printing order.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL
            .into_iter()
            .filter(move |right| self.allows(*right))
    }

    /// Returns the set that a preset word names.
    #[must_use]
    pub fn from_preset(word: &str) -> Option<Self> {
        match word {
            "read-only" => Some(Self::READ_ONLY),
            "read-write" => Some(Self::READ_WRITE),
            "dropbox" => Some(Self::DROPBOX),
            _ => None,
        }
    }

    /// Returns the preset word for this set, if it has one.
    #[must_use]
    pub fn preset(self) -> Option<&'static str> {
        ["read-only", "read-write", "dropbox"]
            .into_iter()
            .find(|word| Self::from_preset(word) == Some(self))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = self.preset() {
            return f.write_str(word);
        }
        for (i, right) in self.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            write!(f, "{gap}{}", right.word())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_hold_exactly_what_the_guide_says() {
        let words = |set: Rights| set.iter().map(Right::word).collect::<Vec<_>>().join(" ");
        assert_eq!(words(Rights::READ_ONLY), "list read");
        assert_eq!(words(Rights::DROPBOX), "write mkdir");
        assert_eq!(
            words(Rights::READ_WRITE),
            "list read write overwrite delete rename mkdir chmod"
        );
        assert_eq!(
            Rights::from_preset("dropbox")
                .map(|r| r.to_string())
                .as_deref(),
            Some("dropbox")
        );
    }

    #[test]
    fn every_word_names_its_right() {
        for right in Right::ALL {
            assert_eq!(Right::from_word(right.word()), Some(right));
        }
        assert_eq!(Right::from_word("Read"), None);
    }
}
