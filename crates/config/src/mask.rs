//! What of a line a report may show: never the password of a site or a user, whatever its key is
//! called there.

/// The keys of `[site.*]` and `[[user]]` whose values are no secrets.
const OPEN: [&str; 10] = [
    "tls",
    "encoding",
    "netrc",
    "ca_file",
    "name",
    "home",
    "can",
    "rate_down",
    "rate_up",
    "max_sessions",
];

/// Returns a line with `*` in place of each character of a secret, so that a caret still stands
/// under its word; `before` is the text above it.
pub(crate) fn line(before: &str, line: &str) -> String {
    let text = line.trim_start();
    if text.starts_with(['[', '#']) && !text.contains('=') {
        return line.to_owned();
    }
    let (key, value) = match line.split_once('=') {
        Some((key, value)) => (key, value),
        None => ("", line),
    };
    let table = before.lines().rev().find_map(header).unwrap_or_default();
    let path = format!("{table}.{key}");
    let mut words = path
        .split('.')
        .map(|word| word.trim().trim_matches(['"', '\'']))
        .filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let last = words.next_back().unwrap_or(first);
    let lower = last.to_ascii_lowercase();
    let holds = first.starts_with("site") || first.starts_with("user");
    let named = ["pass", "secret"].iter().any(|word| lower.contains(word));
    if !named && (!holds || (OPEN.contains(&last) && !value.contains('{'))) {
        return line.to_owned();
    }
    let kept = &line[..line.len() - value.len()];
    if last == "url" && !value.contains('{') {
        return format!("{kept}{}", url(value));
    }
    format!("{kept}{}", stars(value))
}

/// Returns a URL, or what should be one, with `*` for all that may be its login.
pub(crate) fn url(text: &str) -> String {
    let Some((login, place)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let at = login.find(':').map_or(0, |at| at + 1);
    let (scheme, login) = login.split_at(at);
    format!("{scheme}{}@{place}", stars(login))
}

/// The name of the table that a line begins.
fn header(line: &str) -> Option<&str> {
    let text = line.trim();
    let begins = text.starts_with('[') && !text.contains([',', '=']);
    begins.then(|| {
        let end = text.find(']').unwrap_or(text.len());
        text[..end].trim_start_matches('[').trim()
    })
}

fn stars(value: &str) -> String {
    let keeps = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    value
        .chars()
        .map(|c| if keeps(c) { c } else { '*' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn secrets_are_starred_and_all_else_is_shown() {
        let site = "[site.nas]\nnetrc = true\n";
        for (before, text, shown) in [
            (site, "pasword=\"topsecret\"", "pasword=\"*********\""),
            (site, "password = topsecret", "password = *********"),
            (site, "topsecret", "*********"),
            (
                site,
                "url=\"ftp://u:topsecret@h\"",
                "url=\"ftp:*************@h\"",
            ),
            (site, "url = \"ftp://h/a\"", "url = \"ftp://h/a\""),
            (site, "tls = \"maybe\"", "tls = \"maybe\""),
            (site, "[site.other]", "[site.other]"),
            ("[[user]]\n", "passwort = 'x y'", "passwort = '* *'"),
            ("[[user]]\n", "can = \"all\"", "can = \"all\""),
            ("", "site.nas.pw = \"s\"", "site.nas.pw = \"*\""),
            ("[site]\n", "nas = { tls = 1 }", "nas = * *** * * *"),
            ("[server]\n", "listen = [\"a\"]", "listen = [\"a\"]"),
            ("[server]\n", "my_passphrase = 1", "my_passphrase = *"),
        ] {
            assert_eq!(line(before, text), shown, "{text}");
            assert_eq!(shown.chars().count(), text.chars().count());
        }
    }
}
