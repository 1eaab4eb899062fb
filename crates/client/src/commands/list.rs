//! `ls`: what is there.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::{
    Answer,
    look::{Found, look},
    operands::open_all,
};
use crate::{
    app::{App, Failure},
    cli::Ls,
    error::RemoteError,
    exit::ExitCode,
    remote::{Dropped, Entry, Kind, Remote, names},
    ui::{escape::shown, table},
};

/// Runs `ls`.
///
/// # Errors
/// It cannot be listed.
pub async fn ls(app: &App, args: &Ls) -> Answer {
    let (link, paths) = open_all(app, std::slice::from_ref(&args.path)).await?;
    let mut session = link.session().await?;
    let top = paths.into_iter().next().unwrap_or_default();
    let mut page = Page::new(app, args);
    let mut waiting = Vec::new();
    match named(&mut *session, &top).await? {
        Named::Dir(path) => waiting.push(path),
        Named::These(found, lacks) => {
            page.write(&found);
            for what in lacks {
                page.lacks(format!("left out {what}"));
            }
        }
    }
    let mut is_below = false;
    while let Some(dir) = waiting.pop() {
        let rows = match page.read(&mut *session, &dir).await {
            // What lies beside it can be shown all the same.
            Err(RemoteError::Refused { verb, reply, .. }) if is_below => {
                page.lacks(format!("left out `{}`: {verb}: {reply}", shown(&dir)));
                continue;
            }
            rows => rows?,
        };
        is_below = true;
        if args.recursive {
            page.head(&dir);
            let dirs = rows
                .iter()
                .rev()
                .filter(|(_, entry)| entry.kind == Kind::Dir);
            waiting.extend(dirs.map(|(path, _)| path.clone()));
        }
        page.write(&rows);
    }
    link.pool.give_back(session);
    link.close().await;
    Ok(page.finish())
}

/// What an operand of `ls` names.
enum Named {
    Dir(String),
    These(Found, Vec<String>),
}

/// Finds the directory, the one file, or what a pattern matches.
async fn named(session: &mut dyn Remote, path: &str) -> Result<Named, Failure> {
    if path.is_empty() || path == "/" {
        return Ok(Named::Dir(path.to_owned()));
    }
    let (found, lacks) = look(session, path).await?;
    Ok(match found.as_slice() {
        [(dir, entry)] if entry.kind == Kind::Dir && lacks.is_empty() => Named::Dir(dir.clone()),
        _ => Named::These(found, lacks),
    })
}

/// The answer of `ls`, written as it comes.
struct Page<'a> {
    app: &'a App,
    args: &'a Ls,
    /// The rows for a program.
    all: Vec<serde_json::Value>,
    code: ExitCode,
}

impl<'a> Page<'a> {
    fn new(app: &'a App, args: &'a Ls) -> Self {
        Self {
            app,
            args,
            all: Vec::new(),
            code: ExitCode::Done,
        }
    }

    /// Reads what a directory holds, as far as it is to be shown.
    async fn read(&mut self, session: &mut dyn Remote, dir: &str) -> Result<Found, RemoteError> {
        let listing = session.list(dir).await?;
        for dropped in &listing.dropped {
            let words = match dropped {
                Dropped::Name { .. } => "left out a name that is not safe",
                Dropped::Line(_) => "left something out",
            };
            self.app.ui.warn(format!("{words}: {dropped}"));
        }
        if let Some(lack) = &listing.lack {
            self.lacks(lack.to_string());
        }
        let is_shown = |entry: &Entry| self.args.all || !entry.name.as_str().starts_with('.');
        let entries = listing.entries.into_iter().filter(is_shown);
        Ok(entries
            .map(|entry| (entry.name.within(dir), entry))
            .collect())
    }

    fn lacks(&mut self, words: String) {
        self.app.ui.warn(words);
        self.code = ExitCode::SomeFailed;
    }

    fn head(&self, dir: &str) {
        if !self.app.ui.json {
            let dir = shown(if dir.is_empty() { "." } else { dir });
            self.app.ui.answer(format!("{dir}:"));
        }
    }

    fn write(&mut self, rows: &Found) {
        for (path, entry) in rows {
            match (self.app.ui.json, self.args.long) {
                (true, _) => self.all.push(as_json(path, entry)),
                (false, true) => self.app.ui.answer(table::long(entry)),
                (false, false) => self.app.ui.answer(short(entry)),
            }
        }
    }

    fn finish(self) -> ExitCode {
        if self.app.ui.json {
            self.app.ui.answer(serde_json::Value::from(self.all));
        }
        self.code
    }
}

fn short(entry: &Entry) -> String {
    let mark = match entry.kind {
        Kind::Dir => "/",
        Kind::Link => "@",
        Kind::File | Kind::Other => "",
    };
    format!("{}{mark}", shown(entry.name.as_str()))
}

fn as_json(path: &str, entry: &Entry) -> serde_json::Value {
    let kind = match entry.kind {
        Kind::File => "file",
        Kind::Dir => "dir",
        Kind::Link => "link",
        Kind::Other => "other",
    };
    let modified = entry.modified.and_then(unix);
    json!({
        "name": names::display(entry.name.as_str()),
        "path": names::display(path),
        "kind": kind,
        "size": entry.size,
        "modified": modified,
        "mode": entry.mode.map(|mode| format!("{mode:o}")),
        "target": entry.target,
    })
}

pub(super) fn unix(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}
