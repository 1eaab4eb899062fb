//! A server's reply (RFC 959 §4.2).

use std::fmt;

use super::names::is_tricky;

/// A server's answer: its code and the text of its lines, decoded, without codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits as they came; 0 when there were none.
    pub code: u16,
    /// The lines without code, separator and line end.
    pub lines: Vec<String>,
}

impl Reply {
    /// Makes a reply of one line.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            lines: vec![text.into()],
        }
    }

    /// Returns the text of the last line.
    #[must_use]
    pub fn text(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// Tells whether it was done: 2xx, but for 202, `Command not implemented` (RFC 959 §4.2.2).
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.code) && self.code != 202
    }

    /// Tells whether nothing more needs to be done: by 202 a server says too that a command is superfluous.
    #[must_use]
    pub fn is_ok_or_superfluous(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Tells whether it can be the answer to a command that moves no data: others belong to a login or a data
    /// connection (RFC 959 §4.2.2).
    #[must_use]
    pub fn answers_at_rest(&self) -> bool {
        !matches!(self.code, ..200 | 220..=225 | 227..=249 | 300..400)
    }

    /// Tells whether the server says that it has enough sessions.
    #[must_use]
    pub fn is_too_many(&self) -> bool {
        let says = || {
            let text = self.lines.join(" ").to_ascii_lowercase();
            let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
            has(&["too many", "maximum", "max ", "limit", "already logged in"])
                || (self.code == 421 && has(&["more than", "only one", "no more", "busy"]))
        };
        matches!(self.code, 421 | 530) && says()
    }
}

impl fmt::Display for Reply {
    /// Writes `550 text`, control characters and direction marks escaped; longer replies joined with ` / `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for (index, line) in self.lines.iter().take(8).enumerate() {
            f.write_str(if index == 0 { " " } else { " / " })?;
            for c in line.trim().chars().take(500) {
                if is_tricky(c) {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    write!(f, "{c}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_show_no_control_characters() {
        let reply = Reply::new(550, "no \x1b[31mred\x07");
        assert_eq!(reply.to_string(), "550 no \\u{1b}[31mred\\u{7}");
        let reply = Reply::new(550, "a\u{202e}b\u{feff}");
        assert_eq!(reply.to_string(), "550 a\\u{202e}b\\u{feff}");
    }

    #[test]
    fn too_many_is_told_from_a_wrong_password() {
        assert!(Reply::new(421, "There are too many connections").is_too_many());
        assert!(Reply::new(530, "Sorry, the maximum number of clients").is_too_many());
        for words in [
            "I can't accept more than 2 connections as the same user",
            "No more connections allowed",
            "Only one FTP session is supported",
            "Server busy",
        ] {
            assert!(Reply::new(421, words).is_too_many(), "{words}");
            assert!(!Reply::new(530, words).is_too_many(), "{words}");
        }
        assert!(!Reply::new(530, "Login incorrect.").is_too_many());
        assert!(!Reply::new(421, "Timeout.").is_too_many());
    }
}
