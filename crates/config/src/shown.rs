//! Which characters are not shown as they are, in logs and on terminals of both programs.

/// Tells whether a character could move the cursor, end a line, turn the direction of writing, or hide.
#[must_use]
pub fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_or_hides_is_tricky_and_what_combines_is_not() {
        for c in [
            '\n',
            '\u{1b}',
            '\u{9b}',
            '\u{61c}',
            '\u{202e}',
            '\u{2028}',
            '\u{e0041}',
        ] {
            assert!(is_tricky(c), "{c:?}");
        }
        for c in [
            'a', '\'', '"', '\\', ' ', '\u{301}', '\u{93f}', '\u{fe0f}', '文',
        ] {
            assert!(!is_tricky(c), "{c:?}");
        }
    }
}
