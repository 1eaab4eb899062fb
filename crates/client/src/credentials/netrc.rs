//! `~/.netrc`: the words `machine`, `default`, `login`, `password`, `account` and `macdef`. Pure.
//!
//! As curl and tnftp read it: a value may stand in double quotes, a `#` where a keyword could be
//! makes the rest of its line a comment, and a value may begin with one.

use ftp_config::Secret;

use super::Login;

/// Finds the login for a host; with `user` only that user's.
pub(super) fn find(text: &str, host: &str, user: Option<&str>) -> Option<Login> {
    let mut words = Words {
        lines: text.lines(),
        line: "",
    };
    let mut entry = Entry::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" | "default" => {
                if let Some(found) = entry.login(user) {
                    return Some(found);
                }
                let named = |name: String| name.eq_ignore_ascii_case(host);
                entry = Entry {
                    applies: word == "default" || words.next().is_some_and(named),
                    ..Entry::default()
                };
            }
            "login" => entry.name = words.next(),
            "password" => entry.password = words.next(),
            "account" => drop(words.next()),
            "macdef" => words.skip_macro(),
            _ if word.starts_with('#') => words.line = "",
            _ => {}
        }
    }
    entry.login(user)
}

#[derive(Default)]
struct Entry {
    applies: bool,
    name: Option<String>,
    password: Option<String>,
}

impl Entry {
    fn login(&self, user: Option<&str>) -> Option<Login> {
        let name = self.name.as_deref().or(user)?;
        let fits = self.applies && user.is_none_or(|user| user == name);
        let password = self.password.as_deref().filter(|_| fits)?;
        Some(Login {
            user: name.to_owned(),
            password: Secret::new(password),
        })
    }
}

/// The words of a text, line by line.
struct Words<'a> {
    lines: std::str::Lines<'a>,
    /// What is left of the current line.
    line: &'a str,
}

impl Words<'_> {
    fn next(&mut self) -> Option<String> {
        loop {
            self.line = self.line.trim_start();
            if !self.line.is_empty() {
                return Some(self.take());
            }
            let line = self.lines.next()?;
            if !line.trim_start().starts_with('#') {
                self.line = line;
            }
        }
    }

    fn take(&mut self) -> String {
        let Some(quoted) = self.line.strip_prefix('"') else {
            let end = self.line.find(char::is_whitespace);
            let (word, rest) = self.line.split_at(end.unwrap_or(self.line.len()));
            self.line = rest;
            return word.to_owned();
        };
        let mut word = String::new();
        let mut chars = quoted.chars();
        while let Some(c) = chars.next().filter(|c| *c != '"') {
            word.extend(if c == '\\' { chars.next() } else { Some(c) });
        }
        self.line = chars.as_str();
        word
    }

    /// A macro goes on to the next empty line and may hold any word.
    fn skip_macro(&mut self) {
        self.line = "";
        self.lines.by_ref().find(|line| line.trim().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str, user: Option<&str>) -> Option<(String, String)> {
        find(text, host, user).map(|l| (l.user, l.password.expose().to_owned()))
    }

    fn login(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn netrc_is_read_by_machine_then_default() {
        const NETRC: &str = "machine nas login ann password s3\nmacdef init\nmachine evil\n\n\
                             machine two\n login bob\n password p2\n\
                             default login any password d\n";
        assert_eq!(found(NETRC, "nas", None), login("ann", "s3"));
        assert_eq!(found(NETRC, "NAS", None), login("ann", "s3"));
        assert_eq!(found(NETRC, "two", Some("bob")), login("bob", "p2"));
        assert_eq!(found(NETRC, "else", None), login("any", "d"));
        assert_eq!(found(NETRC, "nas", Some("zed")), None);
    }

    #[test]
    fn a_comment_is_nobodys_login() {
        let text = "machine nas login ann password s3 # login eve\n\
                    #machine old login bob password p9\n  # password p8\n\
                    machine two login x password y\n";
        assert_eq!(found(text, "nas", None), login("ann", "s3"));
        assert_eq!(found(text, "old", None), None);
        assert_eq!(found(text, "two", None), login("x", "y"));
    }

    #[test]
    fn a_value_may_begin_with_a_hash_or_stand_in_quotes() {
        let text = "machine nas login ann password #abc\nmachine two login x password y\n";
        assert_eq!(found(text, "nas", None), login("ann", "#abc"));
        let text = "machine macdefs login \"a b\" password \"c \\\"d\\\\\" machine two";
        assert_eq!(found(text, "macdefs", None), login("a b", "c \"d\\"));
        assert_eq!(
            found("machine a login b password \"open", "a", None),
            login("b", "open")
        );
    }
}
