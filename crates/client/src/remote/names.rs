//! Names on the wire: bytes to text without loss and back, in UTF-8 or an older encoding.
//!
//! A byte 0x80-0xFF that is not part of valid UTF-8 becomes the character U+10FF80-U+10FFFF and
//! goes back as the same byte, so that what was listed can always be named again.

use std::{
    collections::HashSet,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use ftp_config::{Encoding, lossless};
pub use ftp_config::{lossless::raw_byte, shown::is_tricky};

/// How many names that came as UTF-8 a session with an older encoding remembers.
const REMEMBERED: usize = 200_000;

/// One component of a remote path: never empty, `.`, `..`, nor with `/` or a control character.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemoteName(String);

impl RemoteName {
    /// Checks a decoded name; the error is the reason.
    ///
    /// # Errors
    /// The name is not one safe component.
    pub fn new(name: impl Into<String>) -> Result<Self, &'static str> {
        let name = name.into();
        match name.as_str() {
            "" => Err("it is empty"),
            "." | ".." => Err("it names another directory"),
            _ if name.contains('/') => Err("it holds a `/`"),
            _ if name.contains(char::is_control) => Err("it holds a control character"),
            _ => Ok(Self(name)),
        }
    }

    /// Returns the name in the lossless inner form: what [`super::Remote`] takes as path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of this name inside `dir`.
    #[must_use]
    pub fn within(&self, dir: &str) -> String {
        join(dir, &self.0)
    }
}

impl fmt::Display for RemoteName {
    /// Writes the name with raw bytes as `\xNN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display(&self.0))
    }
}

/// Returns `name` inside `dir`; an absolute `name` stays.
#[must_use]
pub fn join(dir: &str, name: &str) -> String {
    if name.starts_with('/') || dir.is_empty() || dir == "." {
        return name.to_owned();
    }
    format!("{}/{name}", dir.trim_end_matches('/'))
}

/// Returns the directory of a path and its last component.
#[must_use]
pub fn split(path: &str) -> (&str, &str) {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((dir, name)) => (dir, name),
        None => ("", path.trim_end_matches('/')),
    }
}

/// Turns the inner form into text for people: raw bytes as `\xNN`.
#[must_use]
pub fn display(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars() {
        match raw_byte(c) {
            Some(byte) => shown.push_str(&format!("\\x{byte:02X}")),
            None => shown.push(c),
        }
    }
    shown
}

/// Turns the inner form into text for messages and terminals: raw bytes as `\xNN`, and what could move the cursor,
/// change colours or turn the direction of writing written out. Quotes and backslashes stay, so that what was escaped
/// once may be escaped again.
#[must_use]
pub fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in display(name).chars() {
        match is_tricky(c) {
            true => text.extend(c.escape_default()),
            false => text.push(c),
        }
    }
    text
}

/// Decodes bytes without loss.
#[must_use]
pub fn decode_lossless(bytes: &[u8]) -> String {
    lossless::decode(bytes).into_owned()
}

/// Encodes the inner form: raw bytes as they were, all else as UTF-8.
#[must_use]
pub fn encode_lossless(text: &str) -> Vec<u8> {
    lossless::encode(text).into_owned()
}

/// Names that a server has told in UTF-8, though an older encoding was named; all its sessions share it.
pub type CameAsUtf8 = Arc<Mutex<HashSet<String>>>;

/// The encoding of one session's names.
#[derive(Debug, Default)]
pub struct Codec {
    legacy: Option<Encoding>,
    came_as_utf8: CameAsUtf8,
}

impl Codec {
    /// Makes a codec; `None` and UTF-8 are the lossless UTF-8 codec.
    #[must_use]
    pub fn new(encoding: Option<Encoding>) -> Self {
        Self::knowing(encoding, CameAsUtf8::default())
    }

    /// Makes a codec that knows what other sessions were told.
    #[must_use]
    pub fn knowing(encoding: Option<Encoding>, came_as_utf8: CameAsUtf8) -> Self {
        Self {
            legacy: encoding.filter(|encoding| !encoding.is_utf8()),
            came_as_utf8,
        }
    }

    /// Decodes one name: UTF-8 when it is, then the older encoding, raw bytes at last.
    #[must_use]
    pub fn decode(&self, bytes: &[u8]) -> String {
        let Some(legacy) = self.legacy.filter(|_| !bytes.is_ascii()) else {
            return decode_lossless(bytes);
        };
        if let Ok(text) = std::str::from_utf8(bytes) {
            let mut seen = self.seen();
            if seen.len() < REMEMBERED {
                seen.insert(text.to_owned());
            }
            return text.to_owned();
        }
        // Some encodings spell one character in two ways: only what encodes back is taken.
        match legacy
            .codec()
            .decode_without_bom_handling_and_without_replacement(bytes)
        {
            Some(text) if *legacy.codec().encode(&text).0 == *bytes => text.into_owned(),
            _ => decode_lossless(bytes),
        }
    }

    /// Encodes a command line: the verb, then the path component by component, each in the
    /// encoding it came in, or the session's when it is new.
    ///
    /// # Errors
    /// `InvalidInput`: a character that the older encoding lacks.
    pub fn encode(&self, line: &str) -> io::Result<Vec<u8>> {
        let Some(legacy) = self.legacy.filter(|_| !line.is_ascii()) else {
            return Ok(encode_lossless(line));
        };
        let (body, end) = match line.strip_suffix("\r\n") {
            Some(body) => (body, "\r\n"),
            None => (line, ""),
        };
        let (verb, argument) = body.split_at(body.find(' ').map_or(0, |space| space + 1));
        let mut bytes = verb.as_bytes().to_vec();
        for (index, part) in argument.split('/').enumerate() {
            let mut part = part;
            if index > 0 {
                bytes.push(b'/');
            } else if matches!(verb.trim_end(), "MFMT" | "SITE") {
                let words = self.words_before(part);
                bytes.extend_from_slice(words.as_bytes());
                part = &part[words.len()..];
            }
            self.encode_part(legacy, part, &mut bytes)?;
        }
        bytes.extend_from_slice(end.as_bytes());
        Ok(bytes)
    }

    /// What stands before a name that the server has told in UTF-8: a time, a mode, a word of SITE.
    fn words_before<'a>(&self, part: &'a str) -> &'a str {
        let seen = self.seen();
        let mut begins = part.match_indices(' ').map(|(at, _)| at + 1);
        let begin = begins.find(|at| part[..*at].is_ascii() && seen.contains(&part[*at..]));
        &part[..begin.unwrap_or(0)]
    }

    fn encode_part(&self, legacy: Encoding, part: &str, bytes: &mut Vec<u8>) -> io::Result<()> {
        let as_it_is = part.is_ascii()
            || part.contains(|c| raw_byte(c).is_some())
            || self.seen().contains(part);
        if as_it_is {
            bytes.extend(encode_lossless(part));
            return Ok(());
        }
        let (encoded, _, lossy) = legacy.codec().encode(part);
        if lossy {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{}` cannot be written in {legacy}", escaped(part)),
            ));
        }
        bytes.extend_from_slice(&encoded);
        Ok(())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.came_as_utf8
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unsafe_names_are_refused_with_the_reason() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a\nb",
            "a\0",
            "\u{9b}x",
        ] {
            assert!(RemoteName::new(bad).is_err(), "{bad:?}");
        }
        for good in ["a", " a ", "-rf", "...", "a\\b", "安", "\u{10FFC4}"] {
            assert!(RemoteName::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_gbk_name_goes_back_as_the_bytes_it_came_in() {
        let gbk = b"\xB2\xE2\xCA\xD4.txt";
        let auto = Codec::new(None);
        let text = auto.decode(gbk);
        assert_eq!(display(&text), "\\xB2\\xE2\\xCA\\xD4.txt");
        assert_eq!(auto.encode(&text).unwrap(), gbk);

        let codec = Codec::new(Some("gbk".parse().unwrap()));
        assert_eq!(codec.decode(gbk), "测试.txt");
        assert_eq!(
            codec.encode("RETR d/测试.txt\r\n").unwrap(),
            b"RETR d/\xB2\xE2\xCA\xD4.txt\r\n"
        );
    }

    #[test]
    fn with_gbk_a_name_that_came_as_utf8_goes_back_as_utf8() {
        let codec = Codec::new(Some("gbk".parse().unwrap()));
        assert_eq!(codec.decode("文件".as_bytes()), "文件");
        assert_eq!(codec.encode("SIZE 文件").unwrap(), "SIZE 文件".as_bytes());
        assert!(codec.encode("SIZE 😀").is_err());
        for line in ["MFMT 20240102030405 文件", "SITE CHMOD 644 文件/a"] {
            assert_eq!(codec.encode(line).unwrap(), line.as_bytes());
        }
        // A new name that ends like one that is known.
        let new = codec.encode("STOR a 文件").unwrap();
        assert_eq!(new, b"STOR a \xCE\xC4\xBC\xFE");
    }

    #[test]
    fn paths_split_and_join() {
        assert_eq!(split("/a/b"), ("/a", "b"));
        assert_eq!(split("/b"), ("/", "b"));
        assert_eq!(split("b/"), ("", "b"));
        assert_eq!(join("/", "b"), "/b");
        assert_eq!(join("a/", "b"), "a/b");
        assert_eq!(join("a", "/b"), "/b");
    }

    proptest! {
        #[test]
        fn every_name_round_trips(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(encode_lossless(&decode_lossless(&bytes)), bytes.clone());
            let single = !bytes.iter().any(|byte| matches!(byte, b' ' | b'/' | b'\r' | b'\n'));
            prop_assume!(single);
            for label in Encoding::LABELS {
                let codec = Codec::new(Some(label.parse().unwrap()));
                let text = codec.decode(&bytes);
                prop_assert_eq!(&codec.encode(&format!("X {text}")).unwrap()[2..], &bytes[..]);
            }
        }
    }

    #[test]
    fn messages_show_letters_raw_bytes_and_controls() {
        let name = format!("cafe\u{301}\t{}x", decode_lossless(b"\xff\xfe"));
        assert_eq!(escaped(&name), "cafe\u{301}\\t\\xFF\\xFEx");
        assert_eq!(escaped(&escaped(&name)), escaped(&name));
        assert_eq!(escaped("it's a \\ \u{202e}"), "it's a \\ \\u{202e}");
    }
}
