//! Answers to the person at the terminal: stdout for what was asked, stderr for the rest.
//!
//! A closed pipe is not an error.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

/// Prints one line of the answer.
pub fn line(text: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{text}");
    let _ = io::stdout().flush();
}

/// Prints text of the answer as it is.
pub fn text(text: impl fmt::Display) {
    let _ = write!(io::stdout(), "{text}");
    let _ = io::stdout().flush();
}

/// Prints one line beside the answer.
pub fn note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints what ended the program, with its hint.
pub fn error(error: &crate::error::Error) {
    if let crate::error::Error::Config(faults) = error {
        let _ = write!(io::stderr(), "{}", faults.report("ftpd"));
        return;
    }
    note(format_args!("ftpd: {error}"));
    if let Some(hint) = error.hint() {
        note(format_args!("hint: {hint}"));
    }
}

/// Tells whether a person sees stdout.
#[must_use]
pub fn to_terminal() -> bool {
    io::stdout().is_terminal()
}
