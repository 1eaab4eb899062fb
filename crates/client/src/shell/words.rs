//! A line of the shell as words: quotes and backslashes as in sh, no expansion. Pure.

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quote or a backslash is not closed")]
pub struct Unclosed;

/// Splits a line; quotes keep what they hold together, a backslash takes the next character as it
/// is, `#` begins a comment.
///
/// # Errors
/// A quote that is not closed.
pub fn split(line: &str) -> Result<Vec<String>, Unclosed> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '#' if word.is_none() => break,
            '\\' => word
                .get_or_insert_default()
                .push(chars.next().ok_or(Unclosed)?),
            '\'' | '"' => {
                let inside = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Unclosed)? {
                        end if end == c => break,
                        '\\' if c == '"' => inside.push(chars.next().ok_or(Unclosed)?),
                        other => inside.push(other),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Returns a name as it must be typed.
#[must_use]
pub fn quote(name: &str) -> String {
    let special = |c: char| c == ' ' || c == '\t' || "\\'\"#".contains(c);
    if !name.is_empty() && !name.contains(special) {
        return name.to_owned();
    }
    let mut out = String::from("\"");
    for c in name.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_hold_words_together() {
        let words = |line| split(line).unwrap();
        assert_eq!(
            words("put 'a b' c\\ d \"e \\\" f\""),
            ["put", "a b", "c d", "e \" f"]
        );
        assert_eq!(words("  "), Vec::<String>::new());
        assert_eq!(words("ls '' # all"), ["ls", ""]);
        assert_eq!(split("put 'a"), Err(Unclosed));
    }

    proptest! {
        #[test]
        fn a_quoted_name_is_one_word(name in "\\PC{0,20}") {
            prop_assert_eq!(split(&quote(&name)), Ok(vec![name]));
        }
    }
}
