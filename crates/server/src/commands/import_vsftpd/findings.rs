//! What is found while a file is imported: what is to be said, and what stops it.

use std::fmt;

/// One line that could not be read or must not be dropped, or a remark about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file it is about.
    pub file: String,
    /// The line, from 1; `None` when it is about something the file does not say.
    pub line: Option<usize>,
    /// What is said of it.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// Notes and refusals as they are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// What is left out or means something different.
    pub notes: Vec<Note>,
    /// What must not be left out.
    pub refusals: Vec<Note>,
}

impl Findings {
    pub(super) fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    pub(super) fn refuse(&mut self, note: Note) {
        self.refusals.push(note);
    }

    /// Puts what else was found behind this.
    pub(super) fn append(&mut self, more: Self) {
        self.notes.extend(more.notes);
        self.refusals.extend(more.refusals);
    }

    /// Puts all in the order of lines, as the file is read; what the file does not say comes last.
    pub(super) fn sort(&mut self, file: &str) {
        for notes in [&mut self.notes, &mut self.refusals] {
            notes.sort_by_key(|note| {
                (
                    note.file != file,
                    note.line.is_none(),
                    note.file.clone(),
                    note.line,
                )
            });
            notes.dedup();
        }
    }
}
