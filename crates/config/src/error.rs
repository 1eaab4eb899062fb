//! Why a configuration cannot be used, and how that is told: every fault with its place and fix.

use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::source::Place;

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong: lower case, the user's words in backticks.
    pub what: String,
    /// Where, when it stands somewhere.
    pub place: Option<Place>,
    /// What to write instead.
    pub fix: String,
}

/// Why no configuration could be loaded.
#[derive(Debug)]
pub enum ConfigError {
    /// No file was named and none of the usual ones exists.
    NotFound {
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The path names a directory, or another thing that is not a file.
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is not UTF-8 text.
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner and group may write the file.
    Writable {
        /// The file.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// The file in the working directory is another user's, and nobody named it.
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The file says something that cannot be used.
    Faults {
        /// The file.
        path: PathBuf,
        /// Every fault, in file order.
        faults: Vec<Fault>,
    },
}

impl ConfigError {
    /// Returns the whole report as `program` prints it, lines ended.
    #[must_use]
    pub fn report(&self, program: &str) -> String {
        let mut out = String::new();
        match self {
            Self::Faults { path, faults } => {
                for fault in faults {
                    // Writing to a string cannot fail.
                    let _ = write_fault(&mut out, program, path, fault);
                }
            }
            _ => {
                let _ = writeln!(out, "{program}: config: {self}");
                if let Some(hint) = self.hint() {
                    let _ = writeln!(out, "hint: {hint}");
                }
            }
        }
        out
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => {
                Some("name a file with `--config`, or write one with `ftpd init`".to_owned())
            }
            Self::Writable { path, .. } => Some(format!("run `chmod o-w {}`", path.display())),
            Self::NotAFile { path } => Some(format!(
                "name the file itself, as in `{}`",
                path.join("ftp.toml").display()
            )),
            Self::Foreign { path, .. } => Some(format!(
                "if you trust it, name it: `--config {}`",
                path.display()
            )),
            Self::NotText { .. } => Some("save the file as UTF-8".to_owned()),
            Self::Unreadable { .. } | Self::Faults { .. } => None,
        }
    }

    /// Returns the faults of the file, in file order; empty when the file could not be read.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Faults { faults, .. } => faults,
            _ => &[],
        }
    }
}

fn write_fault(out: &mut String, program: &str, path: &Path, fault: &Fault) -> fmt::Result {
    writeln!(out, "{program}: config: {}", fault.what)?;
    let Some(place) = &fault.place else {
        writeln!(out, "  --> {}", path.display())?;
        return writeln!(out, "   = {}", fault.fix);
    };
    let number = place.line.to_string();
    let gap = " ".repeat(number.len());
    // Tabs are kept in the caret's line, so that it stands under its word.
    let lead: String = place
        .excerpt
        .chars()
        .take(place.column - 1)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    writeln!(
        out,
        "{gap}--> {}:{}:{}",
        path.display(),
        place.line,
        place.column
    )?;
    writeln!(out, "{number} | {}", place.excerpt)?;
    writeln!(
        out,
        "{gap} | {lead}{} {}",
        "^".repeat(place.width),
        fault.fix
    )
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { searched } => {
                f.write_str("no file found; looked for ")?;
                for (i, path) in searched.iter().enumerate() {
                    let gap = if i == 0 { "" } else { ", " };
                    write!(f, "{gap}`{}`", path.display())?;
                }
                Ok(())
            }
            Self::Unreadable { path, source } => {
                write!(f, "read `{}`: {}", path.display(), words(source))
            }
            Self::NotAFile { path } => write!(f, "`{}` is not a file", path.display()),
            Self::NotText { path } => write!(f, "`{}` is not UTF-8 text", path.display()),
            Self::Writable { path, mode } => {
                write!(
                    f,
                    "`{}` may be written by others (mode {mode:o})",
                    path.display()
                )
            }
            Self::Foreign { path, owner } => write!(
                f,
                "`{}` is user {owner}'s, and was only found here: it may be a trap",
                path.display()
            ),
            Self::Faults { path, faults } => {
                let noun = if faults.len() == 1 { "fault" } else { "faults" };
                write!(f, "`{}` has {} {noun}", path.display(), faults.len())?;
                faults.first().map_or(Ok(()), |first| write_first(f, first))
            }
        }
    }
}

/// One fault in a line of its own, for who asks for no report.
fn write_first(f: &mut fmt::Formatter<'_>, fault: &Fault) -> fmt::Result {
    write!(f, ": ")?;
    if let Some(place) = &fault.place {
        write!(f, "line {}, column {}: ", place.line, place.column)?;
    }
    write!(f, "{}; {}", fault.what, fault.fix)
}

/// The system's words without its number.
fn words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

impl std::error::Error for ConfigError {}
