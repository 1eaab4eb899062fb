//! Which characters are not shown as they are, in logs and on terminals of both programs.

/// Tells whether a character could move the cursor, end a line, turn the direction of writing, or hide.
#[must_use]
pub fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}
