//! What the words behind a command mean, and what is said of words that mean nothing.

use super::table::{Row, Verb};
use crate::{app::Failure, cli::Ls, remote::names, ui::escape::shown};

/// What `ls` and `dir` list: fingers know `-l`, `-a` (always so), `-R` and `-1` (always so).
pub(super) fn listed(row: Row, args: &[String], cwd: &str) -> Result<Ls, Failure> {
    let is_flags = |word: &&String| word.len() > 1 && word.starts_with('-');
    let (flags, paths): (Vec<_>, Vec<_>) = args.iter().partition(is_flags);
    let flags: String = flags.into_iter().map(|word| &word[1..]).collect();
    let path = match paths.as_slice() {
        [] => cwd.to_owned(),
        [path] => names::join(cwd, path),
        _ => return Err(usage(row)),
    };
    if flags.contains(|flag| !"laR1".contains(flag)) {
        return Err(usage(row));
    }
    Ok(Ls {
        path,
        long: row.verb == Verb::Dir || flags.contains('l'),
        recursive: flags.contains('R'),
        all: true,
    })
}

/// Takes the one word that a command wants.
pub(super) fn one(row: Row, args: &[String]) -> Result<String, Failure> {
    match args {
        [word] => Ok(word.clone()),
        // `open HOST PORT`, as `ftp` has it.
        [host, port] if row.verb == Verb::Open && port.parse::<u16>().is_ok() => {
            Ok(format!("{host}:{port}"))
        }
        _ => Err(usage(row)),
    }
}

/// Says how a command is written.
pub(super) fn usage(row: Row) -> Failure {
    Failure::usage(format!("usage: {} {}", row.words[0], row.arguments))
}

/// Says that a word is no command, and which are near.
pub(super) fn unknown(word: &str, near: &[&str]) -> Failure {
    let hint = if near.is_empty() {
        "`help` shows the commands".to_owned()
    } else {
        format!("one of {}", near.join(", "))
    };
    Failure::Usage(format!("`{}` is not a command", shown(word)), Some(hint))
}
