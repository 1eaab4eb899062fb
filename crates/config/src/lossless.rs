//! Names as text without loss: a byte that is not UTF-8 is carried as one character, so that every name of a
//! disk or of the wire comes back as the bytes that it was.

use std::borrow::Cow;

/// A raw byte is the character of this number plus the byte: planes that nobody gives names in.
const RAW: u32 = 0x10_FF00;

/// Returns the raw byte that a character stands for.
#[must_use]
pub fn raw_byte(c: char) -> Option<u8> {
    let low = u32::from(c).checked_sub(RAW)?;
    u8::try_from(low).ok().filter(|byte| *byte >= 0x80)
}

/// Tells whether a character stands for a raw byte.
#[must_use]
pub fn is_raw(c: char) -> bool {
    raw_byte(c).is_some()
}

/// Returns the text of a name, whatever its bytes are.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    // The characters that stand for bytes begin with F4 in UTF-8, and next to no name has one.
    if let (Ok(plain), false) = (std::str::from_utf8(bytes), bytes.contains(&0xF4)) {
        return Cow::Borrowed(plain);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            // One that is in the name itself is carried as its own bytes: it must not come back as another.
            match is_raw(c) {
                true => extend_raw(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
                false => text.push(c),
            }
        }
        extend_raw(&mut text, chunk.invalid());
    }
    Cow::Owned(text)
}

fn extend_raw(text: &mut String, bytes: &[u8]) {
    let chars = bytes.iter().map(|byte| RAW + u32::from(*byte));
    text.extend(chars.filter_map(char::from_u32));
}

/// Returns the bytes of a name: raw ones as they were, all else as UTF-8.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, [u8]> {
    if !text.chars().any(is_raw) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match raw_byte(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_upper_half_of_bytes_is_raw() {
        assert_eq!(raw_byte('\u{10ff80}'), Some(0x80));
        assert_eq!(raw_byte('\u{10ffff}'), Some(0xff));
        for c in ['a', 'é', '\u{10ff7f}', '\u{10ff00}', '\u{ff80}'] {
            assert_eq!(raw_byte(c), None, "{c:?}");
        }
    }

    #[test]
    fn a_name_that_holds_such_a_character_is_not_taken_for_another() {
        let byte = b"\x80".as_slice();
        let character = "\u{10ff80}".as_bytes();
        assert_ne!(decode(byte), decode(character));
        for name in [byte, character] {
            assert_eq!(encode(&decode(name)), name);
        }
        assert!(matches!(decode("图 é".as_bytes()), Cow::Borrowed("图 é")));
    }

    proptest! {
        #[test]
        fn every_name_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = decode(&bytes).into_owned();
            prop_assert_eq!(encode(&text).into_owned(), bytes);
        }
    }
}
