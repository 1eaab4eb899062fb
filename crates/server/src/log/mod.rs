//! Log events: to stderr, as text or JSON, with names from clients made safe.

/// Returns a name from the network as it may be shown: control characters, escape codes and
/// direction marks escaped, at most 80 characters.
#[must_use]
pub fn shown(name: &str) -> String {
    const MOST: usize = 80;
    let mut text: String = name
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().nth(MOST).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_forge_lines_or_move_the_cursor() {
        assert_eq!(shown("a\r\nb\u{1b}[2J"), "a\\r\\nb\\u{1b}[2J");
        assert_eq!(shown("\u{202e}txt"), "\\u{202e}txt");
        assert_eq!(shown("图片 é"), "图片 é");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 81);
    }
}
