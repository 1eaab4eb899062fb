//! The `ftp.toml` being made: keys in their tables, and its text.

use std::fmt::Write as _;

use ftp_config::{ByteRate, Rights, SharePath, UserName};

/// A file in the making. Keys keep the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    tables: Vec<(&'static str, Vec<String>)>,
    /// The `[[user]]` tables.
    pub users: Vec<DraftUser>,
}

/// A `[[user]]` table without a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DraftUser {
    /// The login name.
    pub name: UserName,
    /// Its root inside the share.
    pub home: SharePath,
    /// What it may do.
    pub can: Rights,
    /// Limit of its downloads and of its uploads.
    pub rate: ByteRate,
}

impl Draft {
    /// Sets `key` of `[table]` to text.
    pub(super) fn text(&mut self, table: &'static str, key: &str, value: &str) {
        self.raw(table, key, &quoted(value));
    }

    /// Sets `key` of `[table]` to a list of texts.
    pub(super) fn texts<S: AsRef<str>>(&mut self, table: &'static str, key: &str, values: &[S]) {
        self.raw(table, key, &quoted_list(values));
    }

    /// Sets `key` of `[table]` to true or false.
    pub(super) fn flag(&mut self, table: &'static str, key: &str, value: bool) {
        self.raw(table, key, &value.to_string());
    }

    /// Sets `key` of `[table]` to a number.
    pub(super) fn number(&mut self, table: &'static str, key: &str, value: u64) {
        self.raw(table, key, &value.to_string());
    }

    /// Sets `key` of `[table]` to rights.
    pub(super) fn rights(&mut self, table: &'static str, key: &str, value: Rights) {
        self.raw(table, key, &rights(value));
    }

    fn raw(&mut self, table: &'static str, key: &str, value: &str) {
        self.line(table, format!("{key} = {value}"));
    }

    /// Adds a comment to `[table]`.
    pub(super) fn comment(&mut self, table: &'static str, text: &str) {
        self.line(table, format!("# {}", plain(text)));
    }

    fn line(&mut self, table: &'static str, line: String) {
        match self.tables.iter_mut().find(|(name, _)| *name == table) {
            Some((_, lines)) => lines.push(line),
            None => self.tables.push((table, vec![line])),
        }
    }

    /// Returns the text of the file, `head` before it as comments.
    #[must_use]
    pub(super) fn render(&self, head: &[String]) -> String {
        let mut out = String::new();
        for line in head {
            let line = plain(line);
            let _ = writeln!(out, "{}", format!("# {line}").trim_end());
        }
        for (table, lines) in &self.tables {
            let _ = writeln!(out, "\n[{table}]");
            for line in lines {
                let _ = writeln!(out, "{line}");
            }
        }
        for user in &self.users {
            let _ = writeln!(out, "\n[[user]]\nname = {}", quoted(user.name.as_str()));
            let _ = writeln!(out, "home = {}", quoted(user.home.as_str()));
            let _ = writeln!(out, "can = {}", rights(user.can));
            if user.rate.limit().is_some() {
                let rate = quoted(&user.rate.to_string());
                let _ = writeln!(out, "rate_down = {rate}\nrate_up = {rate}");
            }
        }
        out
    }
}

fn rights(value: Rights) -> String {
    match value.preset() {
        Some(word) => quoted(word),
        None => quoted_list(
            &value
                .iter()
                .map(ftp_config::Right::word)
                .collect::<Vec<_>>(),
        ),
    }
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn quoted_list<S: AsRef<str>>(texts: &[S]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// A comment holds no control character.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_values_stay_values_and_odd_comments_stay_comments() {
        let mut draft = Draft::default();
        draft.text("server", "greeting", "say \"hi\"\\ # not a comment");
        draft.comment("server", "a\nlisten = []");
        let text = draft.render(&["head\r\n[share]".to_owned()]);
        let parsed: toml_edit::DocumentMut = text.parse().unwrap();
        assert_eq!(
            parsed["server"]["greeting"].as_str(),
            Some("say \"hi\"\\ # not a comment")
        );
        assert_eq!(parsed["server"].as_table().unwrap().len(), 1);
        assert!(parsed.get("share").is_none());
    }
}
