//! Reads tables of the file key by key and collects every fault instead of stopping at the first.
//!
//! A [`Section`] remembers which keys were asked for; [`Section::finish`] faults all others. So the
//! code that reads a table is also the list of its keys.

mod faults;
mod values;

use std::{cell::RefCell, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub(crate) use self::faults::Faults;

/// One table of the file, or its absence.
#[derive(Debug)]
pub(crate) struct Section<'f, 't> {
    faults: &'f Faults<'f>,
    /// As people write it: `server`, `auth.lockout`, `user`, or empty for the file itself.
    name: String,
    table: Option<&'t DeTable<'t>>,
    span: Option<Range<usize>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'f, 't> Section<'f, 't> {
    pub(crate) fn root(faults: &'f Faults<'f>, table: &'t DeTable<'t>) -> Self {
        Self {
            faults,
            name: String::new(),
            table: Some(table),
            span: None,
            known: RefCell::default(),
        }
    }

    fn child(
        &self,
        name: String,
        table: Option<&'t DeTable<'t>>,
        span: Option<Range<usize>>,
    ) -> Self {
        Self {
            faults: self.faults,
            name,
            table,
            span,
            known: RefCell::default(),
        }
    }

    pub(crate) fn faults(&self) -> &'f Faults<'f> {
        self.faults
    }

    /// Where the table stands.
    pub(crate) fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// Where the value of `key` stands, or else the table.
    pub(crate) fn span_of(&self, key: &'static str) -> Option<Range<usize>> {
        self.get(key).map(Spanned::span).or_else(|| self.span())
    }

    fn get(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        self.table?.get(key)
    }

    fn full(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, want: &str, fix: &str) {
        let found = article(value.get_ref().type_str());
        self.faults.add(
            Some(value.span()),
            format!("`{}` is {found}, not {want}", self.full(key)),
            fix,
        );
    }

    /// Goes into the table `[key]`.
    pub(crate) fn section(&self, key: &'static str) -> Section<'f, 't> {
        let name = self.full(key);
        let Some(value) = self.get(key) else {
            return self.child(name, None, None);
        };
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(
                key,
                value,
                "a table",
                &format!("write [{name}] on a line of its own"),
            );
        }
        self.child(name, table, Some(value.span()))
    }

    /// Goes into each table of `[[key]]`.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<Section<'f, 't>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let fix = format!("write [[{key}]] on a line of its own");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of tables", &fix);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => {
                    sections.push(self.child(self.full(key), Some(table), Some(item.span())));
                }
                None => self.wrong_type(key, item, "a table", &fix),
            }
        }
        sections
    }

    /// Goes into each table `[key.NAME]`, whatever the names.
    pub(crate) fn named(&self, key: &'static str) -> Vec<(&'t str, Section<'f, 't>)> {
        let whole = self.section(key);
        let Some(table) = whole.table else {
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (name, value) in table {
            let full = format!("{key}.{}", name.get_ref());
            match value.get_ref().as_table() {
                Some(inner) => {
                    sections.push((
                        name.get_ref().as_ref(),
                        self.child(full, Some(inner), Some(name.span())),
                    ));
                }
                None => {
                    whole.wrong_type(name.get_ref(), value, "a table", &format!("write [{full}]"));
                }
            }
        }
        sections
    }

    /// Faults every key that was not asked for, with the nearest that was.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.into_iter().flatten() {
            let word = key.get_ref().as_ref();
            if known.contains(&word) {
                continue;
            }
            let place = if self.name.is_empty() {
                "the file".to_owned()
            } else {
                format!("[{}]", self.name)
            };
            let fix = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{place} knows {}", known.join(", ")),
            };
            let shown = word.escape_debug();
            self.faults.add(
                Some(key.span()),
                format!("`{shown}` is not a key of {place}"),
                fix,
            );
        }
    }
}

/// Returns the word nearest to what was typed, when it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|word| (strsim::damerau_levenshtein(typed, word), word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

fn article(kind: &str) -> String {
    let an = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if an { "an" } else { "a" })
}
