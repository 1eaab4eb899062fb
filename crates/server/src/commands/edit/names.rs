//! Lists of names with comments beside them: what stands behind a name on its line is that name's.
//!
//! The document keeps what stands behind a comma with the next name, or as the end of the list; called by
//! `edit`, so that a name that comes or goes leaves the comments of the others where they were.

use toml_edit::{Array, RawString, Value};

/// Adds a name at the end, on a line of its own where the others have theirs.
pub(super) fn push(list: &mut Array, name: &str) {
    let mut value = Value::from(name);
    let (trailing, has_comma) = (text(Some(list.trailing())), list.trailing_comma());
    let last = list.iter_mut().last();
    let indent = last.as_ref().and_then(|last| {
        let prefix = text(last.decor().prefix());
        Some(prefix.rsplit_once('\n')?.1.to_owned())
    });
    let Some(indent) = indent else {
        list.push(name);
        return;
    };
    // Without a comma behind the last name, what is behind it is its own.
    let behind = match last.filter(|_| !has_comma) {
        Some(last) => {
            let suffix = text(last.decor().suffix());
            last.decor_mut().set_suffix("");
            format!("{suffix}{trailing}")
        }
        None => trailing,
    };
    let (head, rest) = split(&behind);
    value.decor_mut().set_prefix(format!("{head}\n{indent}"));
    list.push_formatted(value);
    let rest = if rest.is_empty() { "\n" } else { rest };
    list.set_trailing(rest);
    list.set_trailing_comma(true);
}

/// Takes a name away, with what stands behind it on its line and above it.
pub(super) fn remove(list: &mut Array, name: &str) {
    while let Some(at) = place(list, name) {
        let own = text(list.get(at).and_then(|value| value.decor().prefix()));
        list.remove(at);
        let behind = match list.get(at) {
            Some(next) => text(next.decor().prefix()),
            None => text(Some(list.trailing())),
        };
        // The end of the line above is another's; what begins with the next line is the next one's.
        let joined = match (own.split_once('\n'), behind.contains('\n')) {
            (Some((head, _)), true) => format!("{head}{}", split(&behind).1),
            (Some((head, _)), false) if at == list.len() => format!("{head}\n"),
            (Some(_), false) | (None, false) if at < list.len() => own,
            _ => behind,
        };
        match list.get_mut(at) {
            Some(next) => next.decor_mut().set_prefix(joined),
            None => list.set_trailing(joined),
        }
    }
}

fn place(list: &Array, name: &str) -> Option<usize> {
    list.iter().position(|value| value.as_str() == Some(name))
}

/// What ends a line, and the rest with its line end.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find('\n').unwrap_or(text.len()))
}

fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str, change: impl Fn(&mut Array)) -> String {
        let mut document: toml_edit::DocumentMut = before.parse().unwrap();
        change(document["a"].as_array_mut().unwrap());
        document.to_string()
    }

    const LINES: &str =
        "a = [\n  \"ann\",  # my wife\n  \"bob\",  # my brother\n  \"cat\",  # the cat\n]\n";

    #[test]
    fn comments_stay_beside_their_names() {
        assert_eq!(
            changed(LINES, |list| push(list, "eve")),
            LINES.replace("cat\n]", "cat\n  \"eve\",\n]")
        );
        for (name, line) in [
            ("ann", "  \"ann\",  # my wife\n"),
            ("bob", "  \"bob\",  # my brother\n"),
            ("cat", "  \"cat\",  # the cat\n"),
        ] {
            let without = changed(LINES, |list| remove(list, name));
            assert_eq!(without, LINES.replace(line, ""), "{name}");
        }
    }

    #[test]
    fn a_list_without_a_last_comma_keeps_its_last_comment() {
        let open = "a = [\n  \"ann\",\n  \"bob\"  # my brother\n]\n";
        assert_eq!(
            changed(open, |list| push(list, "eve")),
            "a = [\n  \"ann\",\n  \"bob\",  # my brother\n  \"eve\",\n]\n"
        );
        assert_eq!(
            changed(open, |list| remove(list, "ann")),
            "a = [\n  \"bob\"  # my brother\n]\n"
        );
        let both = "a = [\n  \"ann\",  # my wife\n  \"bob\"  # my brother\n]\n";
        assert_eq!(
            changed(both, |list| remove(list, "bob")),
            "a = [\n  \"ann\"  # my wife\n]\n"
        );
    }

    #[test]
    fn a_list_on_one_line_stays_on_it() {
        let line = "a = [\"ann\", \"bob\"] # all\n";
        assert_eq!(
            changed(line, |list| push(list, "eve")),
            "a = [\"ann\", \"bob\", \"eve\"] # all\n"
        );
        assert_eq!(
            changed(line, |list| remove(list, "ann")),
            "a = [\"bob\"] # all\n"
        );
        assert_eq!(
            changed(line, |list| remove(list, "bob")),
            "a = [\"ann\"] # all\n"
        );
        assert_eq!(
            changed("a = []\n", |list| push(list, "eve")),
            "a = [\"eve\"]\n"
        );
    }
}
