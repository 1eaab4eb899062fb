//! Questions to the person: passwords, certificates, yes or no.

use std::{
    fs::File,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    thread,
    time::Duration,
};

use ftp_config::Secret;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Signal, getpgrp, kill_current_process_group},
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

use crate::cancel::Cancel;

/// How often a waiting question looks whether it was stopped.
const LOOK: Duration = Duration::from_millis(200);
/// How long a job that goes on waits for the end it may have been sent.
const MOMENT: Duration = Duration::from_millis(100);

/// Tells whether there is somebody to ask.
#[must_use]
pub fn somebody() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a password without showing it; `None` without a terminal.
///
/// # Errors
/// Ctrl-C or Ctrl-D was pressed.
pub fn password(user: &str, endpoint: &str) -> io::Result<Option<Secret>> {
    if !somebody() {
        return Ok(None);
    }
    let question = format!("Password for {user} at {endpoint}: ");
    stop_behind();
    // Before the question is to be seen: what is typed from then on is the answer.
    let _keys = Keys::unheeded();
    match rpassword::prompt_password(question) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            // Unlike Ctrl-C, it leaves the cursor behind the question.
            let _a_lost_terminal_needs_none = writeln!(io::stderr());
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

/// Stops a job that is in the background, as its first word to the terminal would. The system begins that word
/// again when the job goes on, and would stop it before it has looked at the SIGTERM that `kill %1` sends with the
/// SIGCONT; here it has a moment to.
fn stop_behind() {
    let Ok(terminal) = File::open("/dev/tty") else {
        return;
    };
    if tcgetpgrp(&terminal).is_ok_and(|front| front != getpgrp()) {
        let _where_it_may_not_the_terminal_tells = kill_current_process_group(Signal::TTOU);
        thread::sleep(MOMENT);
    }
}

/// The terminal while its keys are neither shown nor obeyed; as it was when this is dropped.
struct Keys {
    terminal: File,
    before: Termios,
}

impl Keys {
    /// `None`: there is no terminal to set.
    fn unheeded() -> Option<Self> {
        let terminal = File::open("/dev/tty").ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&terminal, OptionalActions::Now, &quiet).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _only_in_drop = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Asks a question that only `yes` answers with yes; no without a terminal, or once `cancel` is
/// stopped.
#[must_use]
pub fn yes(question: &str, cancel: &Cancel) -> bool {
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
    if !answered(cancel) {
        let _ = writeln!(err);
        return false;
    }
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(_) => matches!(line.trim(), "yes" | "y" | "Yes" | "YES"),
        Err(_) => false,
    }
}

/// Waits for a line from the terminal. Reading alone would outlast every Ctrl-C.
fn answered(cancel: &Cancel) -> bool {
    let stdin = io::stdin();
    let look = Timespec::try_from(LOOK).unwrap_or_default();
    while !cancel.is_stopped() {
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&look)) {
            Ok(0) | Err(Errno::INTR) => {}
            _ => return true,
        }
    }
    false
}
