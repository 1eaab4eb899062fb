//! Permission bits in octal digits.

/// Reads permission bits: octal digits and nothing else, at most `most`. `+644` is no mode here, since to `chmod` a
/// `+` adds.
#[must_use]
pub fn parse_mode(text: &str, most: u32) -> Option<u32> {
    let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let mode = is_octal
        .then(|| u32::from_str_radix(text, 8).ok())
        .flatten();
    mode.filter(|mode| *mode <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_octal_digits_within_its_bounds() {
        assert_eq!(parse_mode("644", 0o7777), Some(0o644));
        assert_eq!(parse_mode("0000022", 0o777), Some(0o22));
        for bad in ["", "+644", "-1", "0o644", "648", "77777", "77777777777777"] {
            assert_eq!(parse_mode(bad, 0o7777), None, "{bad}");
        }
    }
}
