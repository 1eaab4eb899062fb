//! Bytes as hexadecimal digits.

/// Returns the digits of all bytes, in lower case.
pub(crate) fn of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(of(&[0, 0x0a, 0xff]), "000aff");
    }
}
