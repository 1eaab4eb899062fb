//! Names on the wire: bytes to text and back, per session (RFC 2640 and what came before it).
//!
//! A name is UTF-8, or bytes of the fallback encoding, or (when neither reads it) the lossless
//! form in which a byte 0x80..=0xFF is the char U+10FF00 + byte, as `share` writes it to disk.

use encoding_rs::{EncoderResult, Encoding};
use ftp_config::lossless::{self, is_raw};

/// What a client may have meant, most likely first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The name to use for something new; `None` when only raw bytes could stand for it.
    pub best: Option<String>,
    /// Every reading under which something may already exist, `best` first.
    pub all: Vec<String>,
    /// Where the first of them is what is meant, the client writes the fallback encoding: see
    /// [`Names::note_legacy`].
    pub shows_legacy: bool,
}

/// One session's memory of how the client writes names.
#[derive(Clone, Debug)]
pub struct Names {
    fallback: Option<&'static Encoding>,
    is_legacy: bool,
    /// The client has said so itself.
    is_told: bool,
}

impl Names {
    /// Begins as UTF-8; `fallback` reads what is not.
    #[must_use]
    pub fn new(fallback: Option<ftp_config::Encoding>) -> Self {
        let fallback = fallback.filter(|encoding| !encoding.is_utf8());
        Self {
            fallback: fallback.map(ftp_config::Encoding::codec),
            is_legacy: false,
            is_told: false,
        }
    }

    /// Follows `OPTS UTF8 ON` and `OFF`.
    pub fn set_utf8(&mut self, on: bool) {
        self.is_legacy = !on && self.fallback.is_some();
        self.is_told = true;
    }

    /// Tells whether the client has shown that it writes the fallback encoding.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.is_legacy
    }

    /// To be told of a reading that [`Reading::shows_legacy`] when it names what is there, or something new.
    /// Where its bytes are those of a file of old, they came from a listing and say nothing of the client.
    pub fn note_legacy(&mut self) {
        self.is_legacy = true;
    }

    /// Reads a name from the wire.
    #[must_use]
    pub fn read(&self, wire: &[u8]) -> Reading {
        if wire.is_ascii() {
            let name = String::from_utf8_lossy(wire).into_owned();
            return Reading::sure(vec![name]);
        }
        let utf8 = std::str::from_utf8(wire)
            .ok()
            .filter(|name| !name.chars().any(is_raw))
            .map(str::to_owned);
        let legacy = self.fallback.and_then(|codec| {
            codec
                .decode_without_bom_handling_and_without_replacement(wire)
                .map(std::borrow::Cow::into_owned)
        });
        let raw = lossless::decode(wire).into_owned();
        match (utf8, legacy) {
            (Some(utf8), Some(legacy)) if self.is_legacy && self.is_hardly_legacy(&utf8) => {
                Reading::sure(vec![utf8, legacy])
            }
            (Some(utf8), Some(legacy)) if self.is_legacy => Reading::sure(vec![legacy, utf8]),
            (Some(utf8), _) => Reading::sure(vec![utf8]),
            (None, Some(legacy)) => Reading {
                // Whoever has said UTF-8 names a file of old by the bytes of the listing.
                shows_legacy: !self.is_told && !self.is_legacy,
                ..Reading::sure(vec![legacy.clone(), below(&raw, &legacy), raw])
            },
            (None, None) => Reading {
                best: None,
                all: vec![raw],
                shows_legacy: false,
            },
        }
    }

    /// Tells whether bytes that are this UTF-8 come from next to no text of the fallback encoding: two bytes
    /// of one that has two may be a character of either, three in a row and single ones are not.
    fn is_hardly_legacy(&self, utf8: &str) -> bool {
        let is_single = self.fallback.is_some_and(Encoding::is_single_byte);
        !self.is_told && (is_single || utf8.chars().any(|c| c.len_utf8() > 2))
    }

    /// Appends a name as this client reads it: its encoding when it has one for every character,
    /// else UTF-8; raw bytes as they are on disk.
    pub fn write(&self, name: &str, out: &mut Vec<u8>) {
        if name.is_ascii() {
            out.extend(name.as_bytes());
        } else if name.chars().any(is_raw) {
            out.extend_from_slice(&lossless::encode(name));
        } else if !(self.is_legacy && self.write_legacy(name, out)) {
            out.extend(name.as_bytes());
        }
    }

    /// Returns [`Names::write`]'s bytes.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(name.len());
        self.write(name, &mut out);
        out
    }

    fn write_legacy(&self, name: &str, out: &mut Vec<u8>) -> bool {
        let Some(codec) = self.fallback else {
            return false;
        };
        let mut encoder = codec.new_encoder();
        let Some(room) = encoder.max_buffer_length_from_utf8_without_replacement(name.len()) else {
            return false;
        };
        let mut encoded = vec![0; room];
        let (result, _, written) =
            encoder.encode_from_utf8_without_replacement(name, &mut encoded, true);
        encoded.truncate(written);
        let whole = matches!(result, EncoderResult::InputEmpty);
        // Line ends and controls must not come out of an encoder.
        if whole && !encoded.iter().any(|b| *b < 0x20) {
            out.extend(encoded);
            return true;
        }
        false
    }
}

impl Reading {
    fn sure(mut all: Vec<String>) -> Self {
        all.dedup();
        Self {
            best: all.first().cloned(),
            all,
            shows_legacy: false,
        }
    }
}

/// A name as `legacy` has it, in the directory as `raw` has it: no byte of a character is a `/`.
fn below(raw: &str, legacy: &str) -> String {
    let name = |path: &str| path.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1);
    [&raw[..name(raw)], &legacy[name(legacy)..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(label: &str) -> Names {
        Names::new(label.parse().ok())
    }

    #[test]
    fn a_gbk_client_is_understood_and_answered_in_gbk() {
        let mut names = names("gb18030");
        let gbk = b"\xd6\xd0\xce\xc4.txt";
        assert_eq!(names.bytes("中文.txt"), "中文.txt".as_bytes());
        let reading = names.read(gbk);
        assert_eq!(reading.best.as_deref(), Some("中文.txt"));
        assert!(reading.shows_legacy);
        names.note_legacy();
        assert_eq!(names.bytes("中文.txt"), gbk);
        assert_eq!(names.bytes("a.txt"), b"a.txt");
        names.set_utf8(true);
        assert_eq!(names.bytes("中文.txt"), "中文.txt".as_bytes());
        // A file of old, named by its bytes, makes no legacy client of one that has said UTF-8.
        let reading = names.read(gbk);
        assert!(reading.all[0] == "中文.txt" && !reading.shows_legacy);
        // It may be a directory of old that something has this name in.
        let raw = "\u{10FFC4}\u{10FFE3}";
        let all = ["你/你", &format!("{raw}/你"), &format!("{raw}/{raw}")];
        assert_eq!(names.read(b"\xc4\xe3/\xc4\xe3").all, all);
        assert_eq!(names.read("图".as_bytes()).all, ["图"]);
        assert_eq!(names.bytes("中文.txt"), "中文.txt".as_bytes());
    }

    #[test]
    fn a_utf8_client_stays_utf8_and_a_legacy_one_is_read_both_ways() {
        let mut names = names("gbk");
        assert_eq!(names.read("中文".as_bytes()).all, ["中文"]);
        assert!(!names.is_legacy());
        assert!(names.read(b"\xd6\xd0").shows_legacy);
        names.note_legacy();
        assert_eq!(names.read(b"\xc4\xa3").all, ["模", "\u{123}"]);
        // Three bytes of one character in a row are hardly anything else.
        assert_eq!(names.read("日本".as_bytes()).all, ["日本", "鏃ユ湰"]);
    }

    #[test]
    fn an_encoding_of_single_bytes_hardly_makes_utf8() {
        let mut names = names("latin1");
        assert!(names.read(b"h\xf6he").shows_legacy);
        names.note_legacy();
        assert_eq!(names.read("höhe".as_bytes()).all[0], "höhe");
    }

    #[test]
    fn bytes_nobody_can_read_are_raw_and_make_nothing_new() {
        for names in [names("none"), names("euc-kr")] {
            let reading = names.read(b"a\xff\x80");
            assert_eq!(reading.best, None);
            assert_eq!(reading.all, ["a\u{10FFFF}\u{10FF80}"]);
            assert_eq!(names.bytes(&reading.all[0]), b"a\xff\x80");
        }
    }

    #[test]
    fn what_the_encoding_lacks_goes_out_as_utf8() {
        let mut names = names("gbk");
        names.note_legacy();
        assert_eq!(names.bytes("😀"), "😀".as_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(wire in proptest::collection::vec(any::<u8>(), 0..40)) {
            let names = names("none");
            let reading = names.read(&wire);
            prop_assume!(!std::str::from_utf8(&wire).is_ok_and(|s| s.chars().any(is_raw)));
            prop_assert_eq!(names.bytes(&reading.all[0]), wire);
        }

        #[test]
        fn reading_never_panics(wire in proptest::collection::vec(any::<u8>(), 0..40)) {
            let names = names("gb18030");
            let first = names.read(&wire);
            prop_assert!(!first.all.is_empty());
            let _ = names.bytes(&first.all[0]);
        }
    }
}
