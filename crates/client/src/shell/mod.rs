//! The prompt of `ftp`, as fingers know it: a line editor on a terminal, a script otherwise.
//!
//! What the commands do is in `act`; here are the loop, the line editor, and when a script stops.

mod act;
mod complete;
mod files;
pub mod table;
pub mod words;

use std::io::{self, BufRead as _, IsTerminal as _};

use rustyline::{Editor, error::ReadlineError, history::DefaultHistory};

use crate::{
    app::{App, Failure},
    commands::Answer,
    exit::ExitCode,
};

use self::{act::Shell, complete::Completer};

/// Runs the shell; `server` is connected to first.
///
/// # Errors
/// The line editor cannot be made.
pub async fn run(app: &mut App, server: Option<&str>, keep_going: bool) -> Answer {
    let mut shell = Shell::new(app);
    let is_terminal = io::stdin().is_terminal();
    let lines: Vec<String> = match is_terminal {
        true => Vec::new(),
        false => io::stdin().lock().lines().map_while(Result::ok).collect(),
    };
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

/// Tells whether a line of a script logs in.
fn is_login(line: Option<&String>) -> bool {
    line.is_some_and(|line| line.split_whitespace().next() == Some("user"))
}

/// Stops at the first failure, unless told otherwise; `-command` may fail.
async fn script(shell: &mut Shell<'_>, lines: &[String], keep_going: bool) -> ExitCode {
    let mut code = ExitCode::Done;
    for (at, line) in lines.iter().enumerate() {
        let (line, may_fail) = match line.trim_start().strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (line.as_str(), false),
        };
        shell.login_follows = is_login(lines.get(at + 1));
        let ended = step(shell, line).await;
        match ended {
            Step::Leave => break,
            Step::Done => {}
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
            Ok(line) => {
                // `user` and `quote` may hold a password; they are not kept.
                let first = line.split_whitespace().next().unwrap_or_default();
                if !line.trim().is_empty() && !matches!(first, "user" | "quote" | "literal") {
                    let _ = editor.add_history_entry(&line);
                }
                if let Step::Leave = step(shell, &line).await {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(broken(error)),
        }
    }
    shell.close().await;
    Ok(ExitCode::Done)
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
        Err(failure) => {
            failure.say(&shell.app.ui);
            Step::Failed(failure.exit_code())
        }
    }
}
