//! Answers to the person at the terminal: stdout for what was asked, stderr for the rest.
//!
//! A closed pipe is not an error: whoever read has enough. Any other failure is kept for the end.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::OnceLock,
};

/// Why an answer did not get out, once it did not.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Prints one line of the answer.
pub fn line(text: impl fmt::Display) {
    self::text(format_args!("{text}\n"));
}

/// Prints text of the answer as it is.
pub fn text(text: impl fmt::Display) {
    let mut stdout = io::stdout();
    if let Err(error) = write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        let _first_is_kept = FAILURE.set(error);
    }
}

/// Tells whether nobody gets the answers any more.
#[must_use]
pub fn is_unheard() -> bool {
    FAILURE.get().is_some()
}

/// Returns why an answer did not get out, unless its reader had enough.
#[must_use]
pub fn failure() -> Option<&'static io::Error> {
    let failure = FAILURE.get();
    failure.filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
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
