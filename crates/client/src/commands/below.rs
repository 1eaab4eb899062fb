//! `tree`, `du`, `find`: what is there, with all below.

use std::cmp::Ordering;

use serde_json::json;

use super::{Answer, list::unix, operands::open_all};
use crate::{
    app::{App, Failure},
    exit::ExitCode,
    plan::{
        filter::{Filter, matcher},
        walk::{self, Node, Tree},
    },
    remote::names,
    ui::{escape::shown, table},
};

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
    let branches = branches(&paths);
    for ((parts, is_dir), goes_on) in paths.iter().zip(branches) {
        let name = shown(parts.last().copied().unwrap_or_default());
        let mark = if *is_dir { "/" } else { "" };
        app.ui.answer(format!("{}{name}{mark}", drawn(&goes_on)));
    }
    Ok(code)
}

/// Tells for each level of each path whether a later one branches off the same directory. The paths are
/// sorted.
fn branches(paths: &[(Vec<&str>, bool)]) -> Vec<Vec<bool>> {
    let mut all: Vec<Vec<bool>> = Vec::with_capacity(paths.len());
    let (mut next, mut next_parts): (Vec<bool>, &[&str]) = (Vec::new(), &[]);
    for (parts, _) in paths.iter().rev() {
        let shared = parts
            .iter()
            .zip(next_parts)
            .take_while(|(a, b)| a == b)
            .count();
        let level = |depth: usize| match depth.cmp(&shared) {
            Ordering::Less => next[depth],
            Ordering::Equal => depth < next_parts.len(),
            Ordering::Greater => false,
        };
        let goes_on: Vec<bool> = (0..parts.len()).map(level).collect();
        (next, next_parts) = (goes_on.clone(), parts);
        all.push(goes_on);
    }
    all.reverse();
    all
}

/// What stands before a name.
fn drawn(goes_on: &[bool]) -> String {
    let Some((last, above)) = goes_on.split_last() else {
        return String::new();
    };
    let above = above.iter().map(|on| if *on { "│   " } else { "    " });
    let last = if *last { "├── " } else { "└── " };
    above.chain([last]).collect()
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
        total = u64::saturating_add(total, size);
        files += 1;
        if let Some((first, _)) = node.path.split_once('/') {
            let sum = sums.entry(first).or_default();
            *sum = sum.saturating_add(size);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_goes_on_when_a_later_line_is_in_the_same_directory() {
        let paths = ["a", "a/b", "a/b/x", "a/c", "d", "d/e", "d/e/f"];
        let paths: Vec<_> = paths
            .map(|path| (path.split('/').collect::<Vec<_>>(), false))
            .into();
        let lines: Vec<_> = branches(&paths).iter().map(|on| drawn(on)).collect();
        assert_eq!(
            lines,
            [
                "├── ",
                "│   ├── ",
                "│   │   └── ",
                "│   └── ",
                "└── ",
                "    └── ",
                "        └── ",
            ]
        );
    }
}
