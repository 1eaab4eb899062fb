//! Completion: commands, local names, and the remote names that the shell has listed.

use rustyline::{
    Context, Helper,
    completion::{Completer as Complete, FilenameCompleter, Pair},
    highlight::Highlighter,
    hint::Hinter,
    validate::Validator,
};

use super::{
    table::{Completes, ROWS, find},
    words,
};
use crate::ui::escape::is_tricky;

/// Knows the names of the current remote directory.
pub(super) struct Completer {
    /// Names of the remote directory; directories end with `/`.
    pub(super) remote: Vec<String>,
    local: FilenameCompleter,
}

impl Default for Completer {
    fn default() -> Self {
        Self {
            remote: Vec::new(),
            local: FilenameCompleter::new(),
        }
    }
}

impl Complete for Completer {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..at];
        let Some((command, _)) = typed.trim_start().split_once(' ') else {
            let start = typed.len() - typed.trim_start().len();
            let word = &typed[start..];
            let all = ROWS.iter().map(|row| row.words[0].to_owned());
            return Ok((start, pairs(all.filter(|name| name.starts_with(word)))));
        };
        match find(command).map(|row| row.completes) {
            Ok(Completes::Local) => self.local.complete(line, at, context),
            Ok(Completes::Remote) => Ok(self.remote_names(typed)),
            _ => Ok((at, Vec::new())),
        }
    }
}

impl Completer {
    fn remote_names(&self, typed: &str) -> (usize, Vec<Pair>) {
        let start = word_start(typed);
        let word = typed[start..]
            .trim_start_matches(['"', '\''])
            .replace('\\', "");
        // What the terminal may not be given cannot be completed.
        let found = self.remote.iter();
        let found = found.filter(|name| name.starts_with(&word) && !is_tricky(name));
        (start, pairs(found.map(|name| words::quote(name))))
    }
}

/// Where the word that is being typed begins: the last space that no quote and no backslash holds.
fn word_start(typed: &str) -> usize {
    let (mut start, mut quote, mut escaped) = (0, None, false);
    for (at, c) in typed.char_indices() {
        match (c, quote) {
            _ if escaped => escaped = false,
            ('\\', _) => escaped = true,
            ('"' | '\'', None) => quote = Some(c),
            (end, Some(open)) if end == open => quote = None,
            (' ', None) => start = at + 1,
            _ => {}
        }
    }
    start
}

fn pairs(names: impl Iterator<Item = String>) -> Vec<Pair> {
    names
        .map(|name| Pair {
            display: name.clone(),
            replacement: name,
        })
        .collect()
}

impl Helper for Completer {}
impl Highlighter for Completer {}
impl Validator for Completer {}
impl Hinter for Completer {
    type Hint = String;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_names_complete_with_their_quotes() {
        let completer = Completer {
            remote: vec![
                "a b.txt".into(),
                "abc".into(),
                "x/".into(),
                "a\u{202e}b".into(),
            ],
            ..Completer::default()
        };
        let found = |typed: &str| {
            let (start, pairs) = completer.remote_names(typed);
            (
                start,
                pairs
                    .into_iter()
                    .map(|pair| pair.replacement)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            found("get a"),
            (4, vec!["\"a b.txt\"".into(), "abc".into()])
        );
        assert_eq!(found("get \"a "), (4, vec!["\"a b.txt\"".into()]));
        assert_eq!(found("cd x"), (3, vec!["x/".into()]));
    }
}
