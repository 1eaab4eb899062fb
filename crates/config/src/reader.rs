//! Reads tables of the file key by key and collects every fault instead of stopping at the first.
//!
//! A [`Section`] remembers which keys were asked for; [`Section::finish`] faults all others. So the
//! code that reads a table is also the list of its keys.

use std::{
    cell::RefCell,
    ops::{Range, RangeInclusive},
    str::FromStr,
    time::Duration,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    error::Fault,
    source::Source,
    value::{ValueError, parse_duration},
};

/// The faults of one file.
#[derive(Debug)]
pub(crate) struct Faults<'s> {
    source: &'s Source,
    list: RefCell<Vec<(usize, Fault)>>,
}

impl<'s> Faults<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self {
            source,
            list: RefCell::default(),
        }
    }

    pub(crate) fn source(&self) -> &'s Source {
        self.source
    }

    /// Notes a fault; without a span it is about the file as a whole.
    pub(crate) fn add(
        &self,
        span: Option<Range<usize>>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let place = span.as_ref().map(|span| self.source.place(span));
        let fault = Fault {
            what: what.into(),
            place,
            fix: fix.into(),
        };
        self.list
            .borrow_mut()
            .push((span.map_or(usize::MAX, |span| span.start), fault));
    }

    /// Returns every fault in file order.
    pub(crate) fn into_list(self) -> Vec<Fault> {
        let mut list = self.list.into_inner();
        list.sort_by_key(|(at, _)| *at);
        list.into_iter().map(|(_, fault)| fault).collect()
    }
}

const SHELL_HOME: &str = "begins with `~`, which only a shell takes for the home directory";

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

    /// Reads a string.
    pub(crate) fn text(&self, key: &'static str, example: &str) -> Option<(&'t str, Range<usize>)> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(
                key,
                value,
                "a string",
                &format!("write {key} = \"{example}\""),
            );
        }
        Some((text?, value.span()))
    }

    /// Reads a path. One that is empty, or that only a shell would understand, is a fault.
    pub(crate) fn path(&self, key: &'static str, example: &str) -> Option<(&'t str, Range<usize>)> {
        let (text, span) = self.text(key, example)?;
        let wrong = match text {
            "" => Some("is empty"),
            "~" => Some(SHELL_HOME),
            _ => text.starts_with("~/").then_some(SHELL_HOME),
        };
        if let Some(wrong) = wrong {
            self.faults.add(
                Some(span.clone()),
                format!("`{}` {wrong}", self.full(key)),
                format!(
                    "write the whole path, or one from this file's directory, as in \"{example}\""
                ),
            );
        }
        Some((text, span))
    }

    /// Reads a value with words of its own.
    pub(crate) fn parsed<T: FromStr<Err = ValueError>>(
        &self,
        key: &'static str,
        example: &str,
    ) -> Option<T> {
        self.parsed_by(key, example, T::from_str)
    }

    /// Reads a value by `parse`.
    pub(crate) fn parsed_by<T>(
        &self,
        key: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Option<T> {
        let (text, span) = self.text(key, example)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.faults.add(
                    Some(span),
                    format!("`{}`: {}", self.full(key), error.what),
                    error.fix,
                );
                None
            }
        }
    }

    /// Reads a duration of at least `least`.
    pub(crate) fn duration(
        &self,
        key: &'static str,
        default: Duration,
        least: Duration,
    ) -> Duration {
        let words = crate::value::format_duration;
        let Some(value) = self.parsed_by(key, &words(default), parse_duration) else {
            return default;
        };
        if value < least {
            self.faults.add(
                self.span_of(key),
                format!(
                    "`{}` is below its least value of {}",
                    self.full(key),
                    words(least)
                ),
                format!(
                    "write \"{}\" or more; the default is \"{}\"",
                    words(least),
                    words(default)
                ),
            );
        }
        value
    }

    /// Reads `true` or `false`.
    pub(crate) fn boolean(&self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.get(key) else {
            return default;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(
                key,
                value,
                "true or false",
                &format!("write {key} = {default}"),
            );
            default
        })
    }

    /// Reads a whole number from 0 to `most`.
    pub(crate) fn number(&self, key: &'static str, default: u32, most: u32) -> u32 {
        self.number_in(key, default, 0..=most)
    }

    /// Reads a whole number of a range.
    pub(crate) fn number_in(
        &self,
        key: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let Some(value) = self.get(key) else {
            return default;
        };
        let Some(number) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, "a number", &format!("write {key} = {default}"));
            return default;
        };
        match i64::from_str_radix(number.as_str(), number.radix()).map(u32::try_from) {
            Ok(Ok(number)) if range.contains(&number) => number,
            _ => {
                self.faults.add(
                    Some(value.span()),
                    format!(
                        "`{}` is not from {} to {}",
                        self.full(key),
                        range.start(),
                        range.end()
                    ),
                    format!("write {key} = {default}"),
                );
                default
            }
        }
    }

    /// Reads one of the given words.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, default: T, words: &[(&str, T)]) -> T {
        let example = words.first().map_or("", |(word, _)| word);
        let Some((text, span)) = self.text(key, example) else {
            return default;
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let all: Vec<String> = words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        let near = nearest(text, words.iter().map(|(word, _)| *word));
        let fix = match near {
            Some(near) => format!("did you mean \"{near}\"? One of {}", all.join(", ")),
            None => format!("write one of {}", all.join(", ")),
        };
        let shown = text.escape_debug();
        self.faults.add(
            Some(span),
            format!("`{}` cannot be `{shown}`", self.full(key)),
            fix,
        );
        default
    }

    /// Reads a list of strings; one string alone counts as a list of one.
    pub(crate) fn texts(
        &self,
        key: &'static str,
        example: &str,
    ) -> Option<Vec<(&'t str, Range<usize>)>> {
        let value = self.get(key)?;
        if let Some(text) = value.get_ref().as_str() {
            return Some(vec![(text, value.span())]);
        }
        let fix = format!("write {key} = [\"{example}\"]");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of strings", &fix);
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text, item.span())),
                None => self.wrong_type(key, item, "a string", &fix),
            }
        }
        Some(texts)
    }

    /// Reads a list of values with words of their own.
    pub(crate) fn list<T: FromStr<Err = ValueError>>(
        &self,
        key: &'static str,
        example: &str,
    ) -> Option<Vec<(T, Range<usize>)>> {
        let texts = self.texts(key, example)?;
        let parsed = texts
            .into_iter()
            .filter_map(|(text, span)| match text.parse() {
                Ok(value) => Some((value, span)),
                Err(ValueError { what, fix }) => {
                    self.faults
                        .add(Some(span), format!("`{}`: {what}", self.full(key)), fix);
                    None
                }
            });
        Some(parsed.collect())
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
