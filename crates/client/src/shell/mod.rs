//! The prompt of `ftp`, as fingers know it: a line editor on a terminal, a script otherwise.
//!
//! What the commands do is in `act`; here are the loop, the line editor, and when a script stops.

mod act;
mod append;
mod arguments;
mod at;
mod choose;
mod complete;
mod files;
mod query;
mod quote;
pub mod table;
pub mod words;

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use rustyline::{Editor, error::ReadlineError, history::DefaultHistory};

use crate::{
    app::{App, Failure},
    cancel::Cancel,
    commands::Answer,
    error::Error,
    exit::ExitCode,
    work::blocking,
};

use self::{act::Shell, complete::Completer, table::Verb};

/// Runs the shell; `server` is connected to first.
///
/// # Errors
/// The line editor cannot be made.
pub async fn run(app: &mut App, server: Option<&str>, keep_going: bool) -> Answer {
    let mut shell = Shell::new(app);
    let is_terminal = io::stdin().is_terminal();
    let text = match is_terminal {
        true => Vec::new(),
        false => read_script(&shell.app.cancel).await?,
    };
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    shell.login_follows = is_login(lines.first());
    let default = shell.app.config.site.clone();
    if let Some(server) = server.map(str::to_owned).or(default)
        && let Err(failure) = shell.open(&server).await
    {
        failure.say(&shell.app.ui);
        if !is_terminal {
            return Ok(failure.exit_code());
        }
    }
    if is_terminal {
        interactive(&mut shell).await
    } else {
        Ok(script(&mut shell, &lines, keep_going).await)
    }
}

/// Reads the whole script first: what is wrong with its end is not to be found half way.
async fn read_script(cancel: &Cancel) -> Result<Vec<u8>, Error> {
    let reading = blocking(|| {
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text).map(|_| text)
    });
    tokio::select! {
        read = reading => read?.map_err(|error| Error::local("read", "-", error)),
        () = cancel.stopped() => Err(Error::Interrupted),
    }
}

/// Tells whether a line of a script logs in.
fn is_login(line: Option<&&[u8]>) -> bool {
    let line = line.and_then(|line| std::str::from_utf8(line).ok());
    line.is_some_and(|line| verb_of(line) == Some(Verb::User))
}

/// Stops at the first failure, unless told otherwise; `-command` may fail.
async fn script(shell: &mut Shell<'_>, lines: &[&[u8]], keep_going: bool) -> ExitCode {
    let mut code = ExitCode::Done;
    for (at, line) in lines.iter().enumerate() {
        let (line, may_fail) = match line.trim_ascii_start().strip_prefix(b"-") {
            Some(rest) => (rest, true),
            None => (*line, false),
        };
        shell.login_follows = is_login(lines.get(at + 1));
        let ended = script_line(shell, line, at + 1).await;
        // Ctrl-C means the script, whatever its lines may do; also one that a program of a line got.
        if shell.app.cancel.is_stopped() {
            code = ExitCode::Interrupted;
            break;
        }
        match ended {
            Step::Leave => break,
            Step::Done => {}
            Step::Failed(ExitCode::Interrupted) => {
                code = ExitCode::Interrupted;
                break;
            }
            Step::Failed(_) if may_fail => {}
            Step::Failed(failed) if keep_going => {
                code = if code == ExitCode::Done {
                    failed
                } else {
                    ExitCode::SomeFailed
                };
            }
            Step::Failed(failed) => {
                code = failed;
                break;
            }
        }
    }
    shell.close().await;
    code
}

async fn script_line(shell: &mut Shell<'_>, line: &[u8], number: usize) -> Step {
    match std::str::from_utf8(line) {
        Ok(line) => step(shell, line.trim_end_matches('\r')).await,
        Err(_) => {
            let words = format!("line {number} of the script is not UTF-8");
            failed(shell, &Failure::usage(words))
        }
    }
}

async fn interactive(shell: &mut Shell<'_>) -> Answer {
    let broken = |error: ReadlineError| Failure::usage(format!("the line editor: {error}"));
    let mut editor: Editor<Completer, DefaultHistory> = Editor::new().map_err(broken)?;
    editor.set_helper(Some(Completer::default()));
    loop {
        let names = shell.names().await;
        if let Some(helper) = editor.helper_mut() {
            helper.remote = names;
        }
        // The editor waits for keys: meanwhile nothing else of this program needs the thread.
        let line = editor.readline(&shell.prompt());
        match line {
            Ok(lines) => {
                if let Step::Leave = typed(shell, &mut editor, &lines).await {
                    break;
                }
                begin_line();
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(broken(error)),
        }
    }
    shell.close().await;
    Ok(ExitCode::Done)
}

/// Runs what was typed; what is pasted may be several lines.
async fn typed(
    shell: &mut Shell<'_>,
    editor: &mut Editor<Completer, DefaultHistory>,
    lines: &str,
) -> Step {
    // What stopped the lines before does not stop these.
    shell.app.cancel.reset();
    for line in lines.lines() {
        keep(editor, line);
        let is_interrupted = match step(shell, line).await {
            Step::Leave => return Step::Leave,
            Step::Failed(code) => code == ExitCode::Interrupted,
            Step::Done => false,
        };
        // Ctrl-C means all that was pasted.
        if is_interrupted || shell.app.cancel.is_stopped() {
            break;
        }
    }
    Step::Done
}

/// Puts a line into the history; `user` and `quote` may hold a password and are not kept.
fn keep(editor: &mut Editor<Completer, DefaultHistory>, line: &str) {
    if !line.trim().is_empty() && !is_secret(line) {
        let _ = editor.add_history_entry(line);
    }
}

fn is_secret(line: &str) -> bool {
    matches!(verb_of(line), Some(Verb::User | Verb::Quote))
}

/// The command of a line, by its word, an alias or a beginning.
fn verb_of(line: &str) -> Option<Verb> {
    let word = line.split_whitespace().next()?;
    table::find(word).ok().map(|row| row.verb)
}

/// Goes to the beginning of a line without a word of what was written last: as many blanks as the terminal
/// is wide end on the next line, unless the cursor stood at the beginning of this one.
fn begin_line() {
    let out = io::stdout();
    if let (true, Ok(size)) = (out.is_terminal(), rustix::termios::tcgetwinsize(&out)) {
        let blanks = " ".repeat(usize::from(size.ws_col));
        let mut out = out.lock();
        let _gone = write!(out, "{blanks}\r").and_then(|()| out.flush());
    }
}

enum Step {
    Done,
    Failed(ExitCode),
    Leave,
}

async fn step(shell: &mut Shell<'_>, line: &str) -> Step {
    match shell.run(line).await {
        Ok(None) => Step::Leave,
        Ok(Some(ExitCode::Done)) => Step::Done,
        Ok(Some(code)) => Step::Failed(code),
        Err(failure) => failed(shell, &failure),
    }
}

fn failed(shell: &Shell<'_>, failure: &Failure) -> Step {
    failure.say(&shell.app.ui);
    Step::Failed(failure.exit_code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_may_hold_a_password_are_not_kept() {
        for line in ["user ann pw", " us ann pw", "quote PASS pw", "literal x"] {
            assert!(is_secret(line), "{line}");
        }
        for line in ["get user", "", "p", "open h"] {
            assert!(!is_secret(line), "{line}");
        }
    }
}
