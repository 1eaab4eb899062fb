//! Which characters are not shown as they are, in logs and on terminals of both programs.

/// Tells whether a character could move the cursor, end a line, turn the direction of writing, or hide (Unicode's
/// `Default_Ignorable_Code_Point`, but for the selectors of variants, and the blank of Braille).
#[must_use]
pub fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}')
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
            '\u{3164}',
            '\u{206a}',
            '\u{1d173}',
        ] {
            assert!(is_tricky(c), "{c:?}");
        }
        for c in [
            'a',
            '\'',
            '"',
            '\\',
            ' ',
            '\u{301}',
            '\u{93f}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{3000}',
            '文',
        ] {
            assert!(!is_tricky(c), "{c:?}");
        }
    }
}
