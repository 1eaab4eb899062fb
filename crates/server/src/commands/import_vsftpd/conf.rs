//! Reads the text of a `vsftpd.conf` as vsftpd does: `name=value`, the last one counts.
//!
//! Every line that vsftpd itself would refuse is a fault here too: what it was meant to do is not
//! known, so it must not be passed over.

use ftp_config::defaults::is_guest;

use super::{
    findings::{Findings, Note},
    line::{parse_flag, parse_number, read_line},
    table::{self, Row, Verdict},
};

/// One setting of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    row: &'static Row,
    value: String,
    line: usize,
}

/// The settings of one file; absent ones have vsftpd's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conf {
    file: String,
    settings: Vec<Setting>,
    /// A list that the file names keeps anonymous users out.
    keeps_anonymous_out: bool,
}

impl Conf {
    /// Reads a file's text; `file` is how notes name it. Every line vsftpd would refuse is refused.
    #[must_use]
    pub(super) fn parse(file: &str, text: &str) -> (Self, Findings) {
        let mut conf = Self {
            file: file.to_owned(),
            settings: Vec::new(),
            keeps_anonymous_out: false,
        };
        let mut findings = Findings::default();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let number = index + 1;
            match read_line(line) {
                Ok(None) => {}
                Ok(Some((row, value))) => conf.put(row, value, number, &mut findings),
                Err(text) => findings.refuse(conf.note(number, text)),
            }
        }
        (conf, findings)
    }

    fn put(&mut self, row: &'static Row, value: String, line: usize, findings: &mut Findings) {
        if let Some(at) = self.settings.iter().position(|old| old.row == row) {
            let old = self.settings.remove(at);
            let text = format!("`{}` stands again in line {line}, which counts", row.name);
            findings.note(self.note(old.line, text));
        }
        self.settings.push(Setting { row, value, line });
    }

    fn note(&self, line: usize, text: String) -> Note {
        Note {
            file: self.file.clone(),
            line: Some(line),
            text,
        }
    }

    /// Makes a note about an option, at its line if the file has it.
    #[must_use]
    pub(super) fn about(&self, name: &str, text: impl Into<String>) -> Note {
        Note {
            file: self.file.clone(),
            line: self.line(name),
            text: text.into(),
        }
    }

    /// Tells whether the file has the option.
    #[must_use]
    pub(super) fn has(&self, name: &str) -> bool {
        self.line(name).is_some()
    }

    fn line(&self, name: &str) -> Option<usize> {
        self.setting(name).map(|setting| setting.line)
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings
            .iter()
            .find(|setting| setting.row.name == name)
    }

    fn value(&self, name: &str) -> &str {
        match self.setting(name) {
            Some(setting) => &setting.value,
            None => table::find(name).map_or("", |row| row.default),
        }
    }

    /// Returns a flag, by default if the file is silent.
    #[must_use]
    pub(super) fn flag(&self, name: &str) -> bool {
        parse_flag(self.value(name)) == Some(true)
    }

    /// Returns a number, by default if the file is silent.
    #[must_use]
    pub(super) fn number(&self, name: &str) -> u64 {
        parse_number(self.value(name)).unwrap_or(0)
    }

    /// Returns a number that the file says, and nothing by default.
    #[must_use]
    pub(super) fn given_number(&self, name: &str) -> Option<u64> {
        self.has(name).then(|| self.number(name))
    }

    /// Returns text, by default if the file is silent; empty text is none.
    #[must_use]
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        Some(self.value(name)).filter(|text| !text.is_empty())
    }

    /// Returns text that the file says, and nothing by default.
    #[must_use]
    pub(super) fn given_text(&self, name: &str) -> Option<&str> {
        self.has(name).then(|| self.text(name)).flatten()
    }

    /// Tells whether the file says that anonymous users may log in. Where it is silent vsftpd lets
    /// them in; that they come along must be said.
    #[must_use]
    pub(super) fn lets_anonymous_in(&self) -> bool {
        self.has("anonymous_enable") && self.flag("anonymous_enable") && !self.keeps_anonymous_out
    }

    /// Takes `names` as an allow-list: it holds for anonymous users too.
    /// `why`: what says so.
    pub(super) fn obey_allow_list(&mut self, names: &[String], why: &str) -> Option<Note> {
        if !self.lets_anonymous_in() || names.iter().any(|name| is_guest(name)) {
            return None;
        }
        self.keeps_anonymous_out = true;
        Some(self.about("anonymous_enable", why))
    }

    /// Returns notes on every option of the file that is left out, and refusals of every option
    /// that must not be.
    #[must_use]
    pub(super) fn verdicts(&self) -> Findings {
        let mut findings = Findings::default();
        for Setting { row, value, line } in &self.settings {
            let shown = format!("{}={}", row.name, value.escape_debug());
            let refused = match row.verdict {
                Verdict::RefusedIfYes => parse_flag(value) == Some(true),
                Verdict::RefusedIfSet => !value.is_empty(),
                Verdict::Dropped => {
                    findings.note(self.note(*line, format!("`{shown}` left out: {}", row.reason)));
                    false
                }
                Verdict::Key(_) | Verdict::Asked => false,
            };
            if refused {
                findings.refuse(self.note(*line, format!("`{shown}`: {}", row.reason)));
            }
        }
        findings
    }

    /// Returns the options that the file has, in its order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static Row> {
        self.settings.iter().map(|setting| setting.row)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_line_counts_and_defaults_are_the_programs() {
        let text = "\u{feff}# hello\r\nwrite_enable=NO\r\n write_enable=yes\nlocal_umask= 022 \n";
        let (conf, found) = Conf::parse("c", text);
        assert!(conf.flag("write_enable") && conf.flag("listen"));
        assert!(!conf.flag("local_enable"));
        assert_eq!(
            (conf.number("local_umask"), conf.number("max_clients")),
            (0o22, 2000)
        );
        assert_eq!(conf.given_number("max_clients"), None);
        assert_eq!(
            found.notes[0].text,
            "`write_enable` stands again in line 3, which counts"
        );
        assert_eq!(found.refusals, []);
    }

    #[test]
    fn what_vsftpd_would_refuse_is_a_fault_with_its_line() {
        let text = "wriet_enable=YES\nlisten\nlisten=MAYBE\nlisten_port=ftp\nlocal_umask=088\n\
                    max_clients=-1\nlisten = YES\nlisten= YES\nlisten=YES \nlocal_umask =022\n";
        let (_, found) = Conf::parse("c", text);
        let texts: Vec<_> = found
            .refusals
            .iter()
            .map(|fault| format!("{}: {}", fault.line.unwrap_or(0), fault.text))
            .collect();
        assert_eq!(
            texts,
            [
                "1: `wriet_enable` is not an option of vsftpd; did it mean `write_enable`?",
                "2: `listen` has no value: vsftpd would not start with it",
                "3: `listen=MAYBE` is not YES or NO: vsftpd would not start with it",
                "4: `listen_port=ftp` is not a number: correct it",
                "5: `local_umask=088` is not a number: correct it",
                "6: `max_clients=-1` is not a number: correct it",
                "7: `listen = YES` has blanks that vsftpd would not start with: take them out",
                "8: `listen= YES` has blanks that vsftpd would not start with: take them out",
                "9: `listen=YES ` has blanks that vsftpd would not start with: take them out",
                "10: `local_umask =022` has blanks that vsftpd would not start with: take them out",
            ]
        );
    }

    #[test]
    fn an_option_is_refused_only_in_the_value_that_weakens() {
        let (conf, ..) = Conf::parse("c", "implicit_ssl=NO\ndeny_file=\nport_promiscuous=YES\n");
        let refusals = conf.verdicts().refusals;
        assert_eq!(refusals.len(), 1);
        assert_eq!(refusals[0].line, Some(3));
        assert!(
            refusals[0]
                .text
                .starts_with("`port_promiscuous=YES`: data connections")
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(?s).{0,200}") {
            let _ = Conf::parse("c", &text);
        }
    }
}
