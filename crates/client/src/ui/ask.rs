//! Questions to the person: passwords, certificates, yes or no.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use ftp_config::Secret;

/// Tells whether there is somebody to ask.
#[must_use]
pub fn somebody() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a password without showing it; `None` without a terminal.
#[must_use]
pub fn password(user: &str, endpoint: &str) -> Option<Secret> {
    if !somebody() {
        return None;
    }
    let question = format!("Password for {user} at {endpoint}: ");
    rpassword::prompt_password(question).ok().map(Secret::new)
}

/// Asks a question that only `yes` answers with yes; no without a terminal.
#[must_use]
pub fn yes(question: &str) -> bool {
    if !somebody() {
        return false;
    }
    let mut err = io::stderr().lock();
    if write!(err, "{question} (yes/no) ")
        .and_then(|()| err.flush())
        .is_err()
    {
        return false;
    }
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(_) => matches!(line.trim(), "yes" | "y" | "Yes" | "YES"),
        Err(_) => false,
    }
}
