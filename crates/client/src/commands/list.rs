//! `ls`, `tree`, `du`, `find`: what is there.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::{Answer, get::look, open_all};
use crate::{
    app::{App, Failure},
    cli::Ls,
    exit::ExitCode,
    plan::{
        filter::{Filter, is_pattern, matcher},
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
    let mut waiting = vec![paths.into_iter().next().unwrap_or_default()];
    let mut all = Vec::new();
    while let Some(path) = waiting.pop() {
        let (entries, is_dir) = entries(app, &mut *session, &path).await?;
        let entries: Vec<Entry> = entries
            .into_iter()
            .filter(|entry| args.all || !entry.name.as_str().starts_with('.'))
            .collect();
        if args.recursive && is_dir {
            if !app.ui.json {
                app.ui.answer(format!(
                    "{}:",
                    shown(if path.is_empty() { "." } else { &path })
                ));
            }
            let dirs = entries.iter().rev().filter(|entry| entry.kind == Kind::Dir);
            waiting.extend(dirs.map(|entry| entry.name.within(&path)));
        }
        for entry in &entries {
            match (app.ui.json, args.long) {
                (true, _) => all.push(as_json(&path, entry, is_dir)),
                (false, true) => app.ui.answer(table::long(entry)),
                (false, false) => app.ui.answer(short(entry)),
            }
        }
    }
    if app.ui.json {
        app.ui.answer(serde_json::Value::from(all));
    }
    link.pool.give_back(session);
    link.close().await;
    Ok(ExitCode::Done)
}

/// The entries of a directory, or the one file, or what a pattern matches.
async fn entries(
    app: &App,
    session: &mut dyn Remote,
    path: &str,
) -> Result<(Vec<Entry>, bool), Failure> {
    if !path.is_empty() && path != "/" {
        let found = look(session, path).await?;
        let dir = matches!(found.as_slice(), [(_, entry)] if entry.kind == Kind::Dir);
        if !dir || is_pattern(names::split(path).1) && found.len() > 1 {
            return Ok((found.into_iter().map(|(_, entry)| entry).collect(), false));
        }
    }
    let listing = session.list(path).await?;
    for name in &listing.dropped {
        app.ui
            .warn(format!("left out a name that is not safe: {}", shown(name)));
    }
    if let Some(lack) = &listing.lack {
        app.ui.warn(format!("the server left entries out: {lack}"));
    }
    Ok((listing.entries, true))
}

fn short(entry: &Entry) -> String {
    let mark = match entry.kind {
        Kind::Dir => "/",
        Kind::Link => "@",
        Kind::File | Kind::Other => "",
    };
    format!("{}{mark}", shown(entry.name.as_str()))
}

fn as_json(path: &str, entry: &Entry, is_dir: bool) -> serde_json::Value {
    let kind = match entry.kind {
        Kind::File => "file",
        Kind::Dir => "dir",
        Kind::Link => "link",
        Kind::Other => "other",
    };
    let modified = entry.modified.and_then(unix);
    let full = if is_dir {
        entry.name.within(path)
    } else {
        path.to_owned()
    };
    json!({
        "name": names::display(entry.name.as_str()),
        "path": names::display(&full),
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
