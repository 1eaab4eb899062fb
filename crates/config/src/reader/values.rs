//! The values of a table: read by their kind, or a fault.

use std::{
    ops::{Range, RangeInclusive},
    str::FromStr,
    time::Duration,
};

use super::{Section, nearest};
use crate::{
    Word,
    value::{ValueError, parse_duration},
};

const SHELL_HOME: &str = "begins with `~`, which only a shell takes for the home directory";

impl<'t> Section<'_, 't> {
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

    /// Reads one of a few words.
    pub(crate) fn choice<T: Word>(&self, key: &'static str, default: T) -> T {
        let words = T::WORDS;
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
}
