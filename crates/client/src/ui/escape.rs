//! Names made safe for a terminal: control characters, escape codes and direction marks.

use crate::remote::names;
/// Returns a name, or words with names in them, as they may be shown.
pub use crate::remote::names::escaped as shown;

/// Tells whether a name could move the cursor, or pass for another.
#[must_use]
pub fn is_tricky(name: &str) -> bool {
    name.chars().any(names::is_tricky)
}

/// Cuts a name in the middle to `width` columns, so that its end is still seen.
#[must_use]
pub fn fit(name: &str, width: usize) -> String {
    use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
    if name.width() <= width {
        return format!("{name}{}", " ".repeat(width - name.width()));
    }
    let half = width.saturating_sub(1) / 2;
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let mut part = Vec::new();
        for c in chars {
            used += c.width().unwrap_or(0);
            if used > room {
                break;
            }
            part.push(c);
        }
        part
    };
    let head: String = take(&mut name.chars(), half).into_iter().collect();
    let room = width.saturating_sub(head.width() + 1);
    let tail: String = take(&mut name.chars().rev(), room)
        .into_iter()
        .rev()
        .collect();
    let cut = format!("{head}…{tail}");
    let gap = " ".repeat(width.saturating_sub(cut.width()));
    cut + &gap
}

/// Breaks a line into lines of at most `columns`, every one after the first indented: at a space,
/// else behind a colon or a comma (fingerprints have many), else where it must be.
#[must_use]
pub fn wrap(line: &str, columns: usize, indent: usize) -> String {
    use unicode_width::UnicodeWidthChar as _;
    let mut out = String::new();
    let mut rest = line;
    let mut room = columns;
    loop {
        let mut used = 0;
        let end = rest.char_indices().find(|(_, c)| {
            used += c.width().unwrap_or(0);
            used > room
        });
        let Some((end, _)) = end else {
            return out + rest;
        };
        let head = &rest[..end];
        let behind = |at: usize| at + 1;
        // A break that leaves less than half a line looks worse than a broken word.
        let good = |at: &usize| *at > head.len() / 2;
        let fits = rest[end..].starts_with(' ').then_some(end);
        let at = fits
            .or_else(|| head.rfind(' ').filter(good))
            .or_else(|| head.rfind([':', ',']).map(behind).filter(good))
            // At least a character, however wide, or there would be no end.
            .unwrap_or_else(|| end.max(rest.chars().next().map_or(1, char::len_utf8)));
        out += rest[..at].trim_end();
        out += "\n";
        out += &" ".repeat(indent);
        rest = rest[at..].trim_start();
        room = columns.saturating_sub(indent).max(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        assert_eq!(shown("a\x1b[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(shown("txt.\u{202E}exe"), "txt.\\u{202e}exe");
        assert_eq!(shown("\u{10FFD6}x"), "\\xD6x");
        assert_eq!(shown("中文 😀"), "中文 😀");
    }

    #[test]
    fn a_long_line_is_broken_where_it_reads_well() {
        assert_eq!(wrap("short", 10, 4), "short");
        assert_eq!(wrap("one two three four", 13, 2), "one two three\n  four");
        let print = format!("SHA256:{}", ["AB"; 12].join(":"));
        assert_eq!(
            wrap(&print, 30, 4),
            "SHA256:AB:AB:AB:AB:AB:AB:AB:\n    AB:AB:AB:AB:AB"
        );
        assert_eq!(wrap("中文中文中文", 10, 0), "中文中文中\n文");
        assert_eq!(wrap("中文", 1, 0), "中\n文");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_by_wrapping(line in "[a-z:中 ]{0,200}", columns in 10usize..90) {
            let bare = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(bare(&wrap(&line, columns, 4)), bare(&line));
        }

        #[test]
        fn a_fitted_name_has_exactly_its_width(name in "[a-z中]{0,40}", width in 1usize..30) {
            use unicode_width::UnicodeWidthStr as _;
            prop_assert_eq!(fit(&name, width).width(), width);
        }
    }
}
