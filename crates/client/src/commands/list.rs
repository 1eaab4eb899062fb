//! `ls`, `tree`, `du`, `find`: what is there.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::{
    Answer,
    get::{Found, look},
    open_all,
};
use crate::{
    app::{App, Failure},
    cli::Ls,
    error::RemoteError,
    exit::ExitCode,
    plan::{
        filter::{Filter, matcher},
        walk::{self, Node, Tree},
    },
    remote::{Entry, Kind, Remote, names},
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
        for name in &listing.dropped {
            let name = shown(name);
            let words = format!("left out a name that is not safe: {name}");
            self.app.ui.warn(words);
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

/// A tree, its top, and whether it was read whole.
async fn whole(app: &App, path: &str) -> Result<(Tree, String, ExitCode), Failure> {
    let (link, paths) = open_all(app, &[path.to_owned()]).await?;
    let top = paths.into_iter().next().unwrap_or_default();
    let mut session = link.session().await?;
    let tree = walk::remote(&mut *session, &top, &Filter::default(), &app.cancel).await?;
    link.pool.give_back(session);
    link.close().await;
    super::tell_notes(app, &tree.notes);
    for (dir, what) in &tree.refused {
        app.ui.warn(format!("left out {what}, in {}", shown(dir)));
    }
    let code = match tree.refused.as_slice() {
        [] => ExitCode::Done,
        _ => ExitCode::SomeFailed,
    };
    Ok((tree, top, code))
}

/// One thing below `top`, for a program.
fn node_as_json(top: &str, node: &Node) -> serde_json::Value {
    json!({
        "path": names::display(&names::join(top, &node.path)),
        "kind": if node.is_dir { "dir" } else { "file" },
        "size": node.facts.size,
        "modified": node.facts.modified.and_then(unix),
    })
}

fn unix(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

/// Runs `tree`.
///
/// # Errors
/// A directory cannot be listed.
pub async fn tree(app: &App, path: &str) -> Answer {
    let (tree, top, code) = whole(app, path).await?;
    if app.ui.json {
        let nodes = tree.nodes.iter().map(|node| node_as_json(&top, node));
        app.ui.answer(nodes.collect::<serde_json::Value>());
        return Ok(code);
    }
    app.ui
        .answer(shown(if top.is_empty() { "." } else { &top }));
    let mut paths: Vec<(Vec<&str>, bool)> = tree
        .nodes
        .iter()
        .map(|node| (node.path.split('/').collect(), node.is_dir))
        .collect();
    paths.sort();
    for (i, (parts, is_dir)) in paths.iter().enumerate() {
        // A level goes on when a later line is in the same directory.
        let goes_on = |depth: usize| {
            paths[i + 1..]
                .iter()
                .take_while(|(other, _)| {
                    other.len() >= depth && other[..depth - 1] == parts[..depth - 1]
                })
                .any(|(other, _)| other.len() >= depth && other[depth - 1] != parts[depth - 1])
        };
        let mut line = String::new();
        for depth in 1..parts.len() {
            line.push_str(if goes_on(depth) { "│   " } else { "    " });
        }
        line.push_str(if goes_on(parts.len()) {
            "├── "
        } else {
            "└── "
        });
        let name = parts.last().copied().unwrap_or_default();
        app.ui.answer(format!(
            "{line}{}{}",
            shown(name),
            if *is_dir { "/" } else { "" }
        ));
    }
    Ok(code)
}

/// Runs `du`.
///
/// # Errors
/// A directory cannot be listed.
pub async fn du(app: &App, path: &str) -> Answer {
    let (tree, top, code) = whole(app, path).await?;
    let mut sums = std::collections::BTreeMap::<&str, u64>::new();
    let (mut total, mut files) = (0, 0);
    for node in tree.nodes.iter().filter(|node| !node.is_dir) {
        let size = node.facts.size.unwrap_or(0);
        (total, files) = (total + size, files + 1);
        if let Some((first, _)) = node.path.split_once('/') {
            *sums.entry(first).or_default() += size;
        }
    }
    if app.ui.json {
        let below =
            |(name, size): (&str, u64)| json!({ "name": names::display(name), "bytes": size });
        app.ui.answer(json!({
            "path": names::display(&top),
            "bytes": total,
            "files": files,
            "directories": sums.into_iter().map(below).collect::<Vec<_>>(),
        }));
        return Ok(code);
    }
    for (name, size) in sums {
        app.ui
            .answer(format!("{:>10}  {}/", table::size(size), shown(name)));
    }
    let top = if top.is_empty() { "." } else { &top };
    app.ui.answer(format!(
        "{:>10}  {} ({})",
        table::size(total),
        shown(top),
        table::count(files, "file")
    ));
    Ok(code)
}

/// Runs `find`.
///
/// # Errors
/// A directory cannot be listed, or the pattern cannot be read.
pub async fn find(app: &App, path: &str, name: Option<&str>) -> Answer {
    let matches = name
        .map(matcher)
        .transpose()
        .map_err(|error| Failure::usage(error.to_string()))?;
    let (tree, top, code) = whole(app, path).await?;
    let found = tree.nodes.iter().filter(|node| {
        let (_, last) = names::split(&node.path);
        matches.as_ref().is_none_or(|matches| matches(last))
    });
    if app.ui.json {
        let found = found.map(|node| node_as_json(&top, node));
        app.ui.answer(found.collect::<serde_json::Value>());
        return Ok(code);
    }
    for node in found {
        app.ui.answer(shown(&names::join(&top, &node.path)));
    }
    Ok(code)
}
