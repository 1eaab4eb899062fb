//! What a person sees: the room that prints (faults of a configuration and the trace of `-vv` go to stderr
//! as they are).
//!
//! Answers go to stdout, everything else to stderr. Without a terminal there is no progress, no
//! colour and no question.

pub mod ask;
pub mod escape;
mod line;
pub mod progress;
mod rate;
pub mod table;
mod total;

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

/// Why a part of the answer is lost: the disk behind standard output is full, or the like.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Errors only.
    Quiet,
    /// Results and progress.
    Normal,
    /// The control connection too.
    Verbose,
}

/// The screen, as this run may use it.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// How much is said.
    pub volume: Volume,
    /// Machine-readable answers.
    pub json: bool,
    /// Whether stderr shows moving lines.
    pub progress: bool,
    /// Whether colour may be used.
    pub colour: bool,
    /// How wide the terminal is that answers go to, if it is one.
    pub columns: Option<usize>,
}

impl Ui {
    /// Tells whether nothing is said of files while all is well.
    #[must_use]
    pub fn hides_files(&self) -> bool {
        self.json || self.volume == Volume::Quiet
    }

    /// Looks at the terminal and at `NO_COLOR`.
    #[must_use]
    pub fn new(volume: Volume, json: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            volume,
            json,
            progress: terminal && !dumb && !json && volume != Volume::Quiet,
            colour: terminal && !dumb && !set("NO_COLOR"),
            columns: rustix::termios::tcgetwinsize(io::stdout())
                .ok()
                .map(|size| usize::from(size.ws_col.max(40))),
        }
    }

    /// Prints one line of the answer. A closed pipe is not an error; any other is kept for
    /// [`Ui::lost`].
    pub fn answer(&self, line: impl Display) {
        if let Err(error) = writeln!(io::stdout().lock(), "{line}")
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            let _the_first_is_told = LOST.set(error);
        }
    }

    /// Returns why a part of the answer could not be printed.
    #[must_use]
    pub fn lost(&self) -> Option<io::Error> {
        let again = |error: &io::Error| match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => error.kind().into(),
        };
        LOST.get().map(again)
    }

    /// Prints one line of the answer; on a terminal it is wrapped, and what follows is indented.
    pub fn answer_wrapped(&self, line: &str, indent: usize) {
        match self.columns {
            Some(columns) => self.answer(escape::wrap(line, columns, indent)),
            None => self.answer(line),
        }
    }

    /// Tells whether steps that move no bytes are told: beside the lines of a terminal they are too many.
    #[must_use]
    pub fn tells_steps(&self) -> bool {
        !self.progress || self.volume == Volume::Verbose
    }

    /// Prints a remark, unless quiet.
    pub fn remark(&self, line: impl Display) {
        if self.volume != Volume::Quiet && !self.json {
            say(line);
        }
    }

    /// Prints a warning, even when quiet.
    pub fn warn(&self, line: impl Display) {
        say(format_args!("ftpc: warning: {line}"));
    }

    /// Prints an error.
    pub fn error(&self, line: impl Display) {
        let mark = if self.colour {
            "\x1b[31mftpc:\x1b[0m"
        } else {
            "ftpc:"
        };
        say(format_args!("{mark} {line}"));
    }

    /// Prints the one thing to try.
    pub fn hint(&self, line: impl Display) {
        say(format_args!("hint: {line}"));
    }
}

/// Writes one line to standard error, at once: another program's line may come before it or behind it, never into it.
fn say(line: impl Display) {
    let _a_lost_terminal_needs_none = io::stderr().write_all(format!("{line}\n").as_bytes());
}
