//! `get`, `put` and their kin: files by the shell's fingers, moved by the one-shot commands.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use super::{
    act::Shell,
    arguments::usage,
    choose::pick,
    table::{self, Row, Verb},
};
use crate::{
    app::Failure,
    cli::{Get, Patterns, Put},
    commands::{get, put},
    error::Error,
    exit::ExitCode,
    plan::{
        filter::{is_pattern, matcher},
        walk::{inner_name, local_name},
    },
    remote::names,
    ui::escape::shown,
};

impl Shell<'_> {
    pub(super) async fn get(
        &mut self,
        row: Row,
        args: &[String],
        paths: Vec<String>,
    ) -> Result<ExitCode, Failure> {
        let (files, output) = match (row.verb, args) {
            (Verb::Mget, [_, ..]) => (paths, None),
            (Verb::Get | Verb::Reget, [_]) => (paths, None),
            (Verb::Get | Verb::Reget, [_, to]) => (paths[..1].to_vec(), Some(to.clone())),
            _ => return Err(usage(row)),
        };
        // As `ftp` does: a file that is here already is replaced.
        let args = Get {
            files,
            output: Some(PathBuf::from(output.unwrap_or_else(|| ".".to_owned()))),
            recursive: false,
            force: true,
            no_resume: false,
            patterns: Patterns::default(),
        };
        let asks = self.asks && row.verb == Verb::Mget;
        self.lent_to_the_end(async |app| {
            get::run_chosen(app, &args, |named, found| pick(app, named, found, asks)).await
        })
        .await
    }

    pub(super) async fn put(&mut self, row: Row, args: &[String]) -> Result<ExitCode, Failure> {
        let cwd = self.connected()?.cwd.clone();
        let (mut files, name) = match (row.verb, args) {
            (Verb::Mput, [_, ..]) => (expand(args)?, None),
            (Verb::Put, [file]) => (vec![file.clone()], None),
            (Verb::Put, [file, name]) => (vec![file.clone()], Some(name.clone())),
            _ => return Err(usage(row)),
        };
        if files.iter().any(|file| file == "-") {
            return Err(Failure::Usage(
                "standard input holds the commands".to_owned(),
                Some("send a stream with `ftpc put - -o NAME`".to_owned()),
            ));
        }
        if row.verb == Verb::Mput {
            files = self.confirmed(files)?;
        }
        let output = match (name, files.as_slice()) {
            (Some(name), _) => Some(names::join(&cwd, &name)),
            (None, [file]) => Some(names::join(&cwd, names::split(file).1)),
            (None, _) => return self.put_each(&files).await,
        };
        let args = Put {
            files: files.iter().map(|file| local_name(file)).collect(),
            output,
            recursive: false,
            move_files: false,
            no_resume: false,
            patterns: Patterns::default(),
        };
        self.lent_to_the_end(async |app| put::run(app, &args).await)
            .await
    }

    /// Sends several files; one that fails does not stop the others.
    async fn put_each(&mut self, files: &[String]) -> Result<ExitCode, Failure> {
        let (mut done, mut failed) = (false, None);
        one_name_each(files)?;
        for file in files {
            let row = table::find("put").map_err(|_| Failure::usage("there is no `put`"))?;
            let sent = Box::pin(self.put(row, std::slice::from_ref(file))).await;
            let code = sent.unwrap_or_else(|failure| {
                failure.say(&self.app.ui);
                failure.exit_code()
            });
            match code {
                ExitCode::Done => done = true,
                ExitCode::Interrupted => return Ok(code),
                _ => failed = Some(code),
            }
        }
        Ok(match failed {
            Some(_) if done => ExitCode::SomeFailed,
            other => other.unwrap_or(ExitCode::Done),
        })
    }
}

/// Expands local patterns of `mput`, to names in the inner form: not all that a disk holds are UTF-8.
fn expand(words: &[String]) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for word in words {
        let (dir, pattern) = names::split(word);
        if !is_pattern(pattern) || local_name(word).exists() {
            found.push(word.clone());
            continue;
        }
        let matches = matcher(pattern).map_err(|error| Failure::usage(error.to_string()))?;
        let place = if dir.is_empty() { "." } else { dir };
        let mut names = files_in(place, matches)
            .map_err(|error| Error::local("list", local_name(place), error))?;
        names.sort();
        if names.is_empty() {
            return Err(Failure::usage(format!("`{word}` matches no file")));
        }
        found.extend(names.iter().map(|name| names::join(dir, name)));
    }
    Ok(found)
}

/// The names of a directory that match and are files. One that cannot be looked at is among them: sending it says why.
fn files_in(dir: &str, matches: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
    let dir = local_name(dir);
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir)? {
        let disk_name = PathBuf::from(entry?.file_name());
        let name = inner_name(&disk_name);
        if matches(&name) && fs::metadata(dir.join(disk_name)).map_or(true, |meta| meta.is_file()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Each goes by itself, and under its own name: two of one name would be one on the server.
fn one_name_each(files: &[String]) -> Result<(), Failure> {
    let mut taken = BTreeMap::new();
    for file in files {
        if let Some(other) = taken.insert(names::split(file).1, file) {
            let (one, two) = (shown(other), shown(file));
            return Err(Failure::usage(format!(
                "`{one}` and `{two}` would both become one file; nothing was sent"
            )));
        }
    }
    Ok(())
}
