//! The text of a file and where a byte of it stands: line, column, excerpt.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use crate::mask;

/// A configuration file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    path: PathBuf,
    shown: PathBuf,
    text: String,
}

/// A place in a file: what a fault points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The whole line, without secrets.
    pub excerpt: String,
    /// How many characters the caret underlines, at least 1.
    pub width: usize,
}

impl Source {
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            shown: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Reports name the file as the person named it.
    pub(crate) fn show_as(&mut self, path: &Path) {
        path.clone_into(&mut self.shown);
    }

    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that relative paths of the file are relative to.
    pub(crate) fn dir(&self) -> &Path {
        match self.path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        }
    }

    /// Returns where a byte span stands; a span over several lines is cut at the first line's end.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let start = self.floor(span.start);
        let end = self.floor(span.end.max(span.start));
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |at| start + at);
        let line = self.text[line_start..line_end].trim_end();
        let excerpt = mask::line(&self.text[..line_start], line);
        Place {
            line: self.text[..start].matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            width: self.text[start..end.min(line_end).max(start)]
                .trim_end()
                .chars()
                .count()
                .max(1),
            excerpt,
        }
    }

    fn floor(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        (0..=byte)
            .rev()
            .find(|at| self.text.is_char_boundary(*at))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_becomes_line_column_and_width_in_characters() {
        let source = Source::new(Path::new("ftp.toml"), "a = 1\nname = \"中文\"\n");
        let at = source.text().find('"').unwrap();
        let place = source.place(&(at..at + 8));
        assert_eq!((place.line, place.column, place.width), (2, 8, 4));
        assert_eq!(place.excerpt, "name = \"中文\"");
        assert_eq!(source.place(&(999..1000)).width, 1);
        assert_eq!(Source::new(Path::new("x"), "").place(&(0..0)).line, 1);
    }
}
