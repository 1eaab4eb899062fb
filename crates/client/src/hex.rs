//! Bytes as hexadecimal digits, and back.

/// Returns the digits of all bytes, in lower case.
pub(crate) fn of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads one byte from its two digits; no sign may stand for one of them.
pub(crate) fn byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_two_digits_both_ways() {
        for value in 0..=255u8 {
            assert_eq!(byte(of(&[value]).as_bytes()), Some(value));
        }
        assert_eq!(byte(b"Ff"), Some(255));
        for bad in ["", "5", "+5", "-5", "g0", "005"] {
            assert_eq!(byte(bad.as_bytes()), None, "{bad}");
        }
    }
}
