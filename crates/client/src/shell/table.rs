//! The shell's commands: words, what their arguments complete to, help. A table.

/// What an argument completes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completes {
    /// Names on the server.
    Remote,
    /// Names on this machine.
    Local,
    /// Nothing.
    Nothing,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its word in the table below")]
#[rustfmt::skip]
pub enum Verb {
    Open, User, Ls, Dir, Cd, Lcd, Pwd, Put, Get, Mput, Mget, Reget, Append, Delete, Rename, Mkdir,
    Rmdir, Size, Modtime, Chmod, Binary, Ascii, Passive, Status, Prompt, Hash, Quote, Help, Close, Bye,
    Local, Cat, Tree, Du,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The words; the first is shown.
    pub words: &'static [&'static str],
    /// What it does.
    pub verb: Verb,
    /// The arguments, as help shows them.
    pub arguments: &'static str,
    /// What the arguments complete to.
    pub completes: Completes,
    /// One sentence.
    pub help: &'static str,
}

impl Row {
    /// Tells whether the command can do with so many arguments. What takes none passes over any.
    #[must_use]
    pub fn takes(&self, count: usize) -> bool {
        let words = || self.arguments.split_whitespace();
        let least = words().filter(|word| !word.starts_with('[')).count();
        let many = self.arguments.trim_end_matches(']').ends_with("...");
        words().next().is_none() || (count >= least && (many || count <= words().count()))
    }
}

const fn row(
    words: &'static [&'static str],
    verb: Verb,
    arguments: &'static str,
    completes: Completes,
    help: &'static str,
) -> Row {
    Row {
        words,
        verb,
        arguments,
        completes,
        help,
    }
}

use Completes::{Local, Nothing, Remote};

/// Every command, in the order of help.
#[rustfmt::skip]
pub const ROWS: [Row; 34] = [
    row(&["open", "o"], Verb::Open, "HOST|ftp://...|SITE [PORT]", Nothing, "connect to a server"),
    row(&["user"], Verb::User, "NAME [PASSWORD]", Nothing, "log in as somebody else"),
    row(&["ls", "l"], Verb::Ls, "[-laR] [PATH]", Remote, "list names"),
    row(&["dir", "ll"], Verb::Dir, "[-laR] [PATH]", Remote, "list sizes, times and modes"),
    row(&["cd", "cwd"], Verb::Cd, "[DIR]", Remote, "change the remote directory"),
    row(&["lcd"], Verb::Lcd, "[DIR]", Local, "change the local directory"),
    row(&["pwd"], Verb::Pwd, "", Nothing, "show both directories"),
    row(&["put", "send"], Verb::Put, "FILE [NAME]", Local, "send a file"),
    row(&["get", "recv"], Verb::Get, "FILE [NAME]", Remote, "fetch a file"),
    row(&["mput"], Verb::Mput, "FILE...", Local, "send several files or patterns"),
    row(&["mget"], Verb::Mget, "FILE...", Remote, "fetch several files or patterns"),
    row(&["reget"], Verb::Reget, "FILE [NAME]", Remote, "as `get`, which goes on where it stopped too"),
    row(&["append"], Verb::Append, "FILE [NAME]", Local, "add a local file to the end of a remote one"),
    row(&["delete", "rm", "mdelete"], Verb::Delete, "FILE...", Remote, "remove files"),
    row(&["rename", "mv"], Verb::Rename, "FROM TO", Remote, "rename or move"),
    row(&["mkdir", "md"], Verb::Mkdir, "DIR...", Remote, "make directories"),
    row(&["rmdir", "rd"], Verb::Rmdir, "DIR...", Remote, "remove empty directories"),
    row(&["size"], Verb::Size, "FILE", Remote, "show a file's size"),
    row(&["modtime"], Verb::Modtime, "FILE", Remote, "show when a file was changed"),
    row(&["chmod"], Verb::Chmod, "MODE FILE", Remote, "change permission bits"),
    row(&["binary", "bin", "image"], Verb::Binary, "", Nothing, "files are moved as they are (always so)"),
    row(&["ascii"], Verb::Ascii, "", Nothing, "not done: it would damage files"),
    row(&["passive"], Verb::Passive, "", Nothing, "passive connections are used (always so)"),
    row(&["status"], Verb::Status, "", Nothing, "show the connection"),
    row(&["prompt"], Verb::Prompt, "[on|off]", Nothing, "ask before each of several files, or not"),
    row(&["hash"], Verb::Hash, "FILE", Remote, "show a file's hash, computed by the server"),
    row(&["quote", "literal"], Verb::Quote, "COMMAND...", Nothing, "send a raw command"),
    row(&["cat", "more"], Verb::Cat, "FILE...", Remote, "print files"),
    row(&["tree"], Verb::Tree, "[DIR]", Remote, "show a directory as a tree"),
    row(&["du"], Verb::Du, "[DIR]", Remote, "add up sizes"),
    row(&["help", "?"], Verb::Help, "[COMMAND]", Nothing, "show this"),
    row(&["close", "disconnect"], Verb::Close, "", Nothing, "end the connection, and stay here"),
    row(&["bye", "quit", "exit"], Verb::Bye, "", Nothing, "leave"),
    row(&["!"], Verb::Local, "[COMMAND...]", Local, "run a command on this machine"),
];

/// Finds a command by its word, an alias, or a beginning that only one has.
///
/// # Errors
/// The words that begin so, when there are several or none.
pub fn find(word: &str) -> Result<Row, Vec<&'static str>> {
    let exact = ROWS.iter().find(|row| row.words.contains(&word));
    if let Some(row) = exact {
        return Ok(*row);
    }
    let near: Vec<&Row> = ROWS
        .iter()
        .filter(|row| row.words[0].starts_with(word))
        .collect();
    match near.as_slice() {
        [row] if !word.is_empty() => Ok(**row),
        rows => Err(rows.iter().map(|row| row.words[0]).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_aliases_and_beginnings_find_their_row() {
        assert_eq!(find("get").map(|row| row.verb), Ok(Verb::Get));
        assert_eq!(find("quit").map(|row| row.verb), Ok(Verb::Bye));
        assert_eq!(find("app").map(|row| row.verb), Ok(Verb::Append));
        assert_eq!(
            find("m").map(|row| row.verb),
            Err(vec!["mput", "mget", "mkdir", "modtime"])
        );
        assert!(find("zzz").is_err());
    }

    #[test]
    fn the_arguments_that_help_shows_are_the_ones_taken() {
        let takes = |word: &str| {
            let row = find(word).unwrap();
            (0..5).filter(|count| row.takes(*count)).collect::<Vec<_>>()
        };
        assert_eq!(takes("cd"), [0, 1]);
        assert_eq!(takes("put"), [1, 2]);
        assert_eq!(takes("open"), [1, 2]);
        assert_eq!(takes("rename"), [2]);
        assert_eq!(takes("mkdir"), [1, 2, 3, 4]);
        assert_eq!(takes("binary"), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn no_word_stands_twice() {
        let mut words: Vec<&str> = ROWS
            .iter()
            .flat_map(|row| row.words.iter().copied())
            .collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
