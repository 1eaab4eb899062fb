//! `get`, `put` and their kin: files by the shell's fingers, moved by the one-shot commands.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use super::{
    act::Shell,
    arguments::usage,
    choose::pick,
    table::{self, Row, Verb},
};
use crate::{
    app::Failure,
    cancel::Cancel,
    cli::{Get, Patterns, Put},
    commands::{get, put},
    error::{Error, RemoteError},
    exit::ExitCode,
    plan::filter::{is_pattern, matcher},
    remote::{Data, Start, names},
    transfer::stream::Terms,
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
            files: files.into_iter().map(PathBuf::from).collect(),
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

    pub(super) async fn append(&mut self, row: Row, args: &[String]) -> Result<ExitCode, Failure> {
        let (file, name) = match args {
            [file] => (file, names::split(file).1),
            [file, name] => (file, name.as_str()),
            _ => return Err(usage(row)),
        };
        let at = self.connected()?;
        let path = Path::new(file);
        let source = File::open(path).map_err(|error| Error::local("open", path, error))?;
        // Read before the server hears of it: what cannot be read makes no empty file there.
        let mut source = BufReader::with_capacity(256 << 10, source);
        source
            .fill_buf()
            .map_err(|error| Error::local("read", path, error))?;
        let mut session = at.link.session().await?;
        let to = names::join(&at.cwd, name);
        let mut data = session.open_write(&to, Start::Append).await?;
        data.obey(&self.app.cancel);
        let terms = self.app.terms();
        let copied = send_all(&mut *data, &mut source, path, &self.app.cancel, &terms).await;
        if let Err(Error::Local { .. } | Error::Interrupted) = &copied {
            // A reset: the server must not take a part for the whole.
            drop(data);
            let _unusable = session.settle().await;
            at.link.pool.give_back(session);
            return Ok(copied.map(|()| ExitCode::Done)?);
        }
        // The server's reason for a broken connection says more than the break.
        let finished = data.finish().await;
        at.link.pool.give_back(session);
        match finished {
            Err(_) if self.app.cancel.is_stopped() => return Err(Error::Interrupted.into()),
            other => other?,
        }
        copied?;
        self.names.0 = None;
        Ok(ExitCode::Done)
    }
}

async fn send_all(
    data: &mut dyn Data,
    source: &mut BufReader<File>,
    path: &Path,
    cancel: &Cancel,
    terms: &Terms,
) -> Result<(), Error> {
    loop {
        let block = match source.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(block) => block,
            Err(error) => return Err(Error::local("read", path, error)),
        };
        let sent = block.len();
        match data.send(block).await {
            Ok(()) => {
                source.consume(sent);
                if cancel.or_leave(terms.pay(sent)).await.is_none() {
                    return Err(Error::Interrupted);
                }
            }
            Err(_) if cancel.is_stopped() => return Err(Error::Interrupted),
            Err(source) => {
                let verb = "APPE".to_owned();
                return Err(RemoteError::Io { verb, source }.into());
            }
        }
    }
}

/// Expands local patterns of `mput`.
fn expand(words: &[String]) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for word in words {
        let (dir, pattern) = names::split(word);
        if !is_pattern(pattern) || Path::new(word).exists() {
            found.push(word.clone());
            continue;
        }
        let matches = matcher(pattern).map_err(|error| Failure::usage(error.to_string()))?;
        let place = if dir.is_empty() { "." } else { dir };
        let entries =
            std::fs::read_dir(place).map_err(|error| Error::local("list", place, error))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| matches(name) && Path::new(place).join(name).is_file())
            .map(|name| names::join(dir, &name))
            .collect();
        names.sort();
        if names.is_empty() {
            return Err(Failure::usage(format!("`{word}` matches no file")));
        }
        found.extend(names);
    }
    Ok(found)
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
