//! What the operands of a command mean.

use std::path::Path;

use crate::{
    app::{App, Failure, Link},
    cli::Patterns,
    error::{Error, RemoteError},
    plan::{
        filter::{BadPattern, Filter},
        walk::inner_name,
    },
    remote::{Kind, Remote, names},
    target::Target,
    transfer::make_all,
    ui::escape::shown,
};

/// Resolves remote operands: all must be on one server.
pub(super) async fn open_all(
    app: &App,
    operands: &[String],
) -> Result<(Link, Vec<String>), Failure> {
    let targets = operands
        .iter()
        .map(|text| app.target(text))
        .collect::<Result<Vec<_>, _>>()?;
    let first = targets
        .first()
        .ok_or_else(|| Failure::usage("nothing is named"))?;
    let server = |target: &Target| match target {
        Target::Url(server, _) => server.to_string(),
        Target::Site(name, _) => format!("{name}:"),
        Target::Path(_) => String::new(),
    };
    if targets
        .iter()
        .any(|target| target.is_explicit() && server(target) != server(first))
    {
        return Err(Failure::usage("the operands are on different servers"));
    }
    let user = |target: &Target| match target {
        Target::Url(server, _) => server.user.clone(),
        _ => None,
    };
    // One that names no user means the first one's.
    if targets
        .iter()
        .any(|target| user(target).is_some() && user(target) != user(first))
    {
        return Err(Failure::usage("the operands are for different users"));
    }
    let link = app.open(first).await?;
    let paths = targets
        .iter()
        .map(|target| names::join(&link.base, target.path()))
        .collect();
    Ok((link, paths))
}

/// Tells whether a path on the server is a directory, or a link to one: what is put there goes into it.
pub(super) async fn is_dir(session: &mut dyn Remote, path: &str) -> Result<bool, RemoteError> {
    match session.stat(path).await?.map(|entry| entry.kind) {
        None | Some(Kind::File) => return Ok(false),
        Some(Kind::Dir) => return Ok(true),
        Some(Kind::Link | Kind::Other) => {}
    }
    let back = session.pwd().await?;
    match session.cwd(path).await {
        // What is refused for the moment may be one.
        Err(RemoteError::Refused { reply, .. }) if reply.code >= 500 && session.is_usable() => {
            Ok(false)
        }
        entered => {
            entered?;
            session.cwd(&back).await?;
            Ok(true)
        }
    }
}

/// Makes a directory for a tree, where the server has said that there is none; `false`: there was one all the
/// same, as only this shows where an answer was wrong. What is in it is then not to be taken for nothing.
pub(super) async fn make_top(app: &App, link: &Link, path: &str) -> Result<bool, Error> {
    let mut is_asked_again = false;
    let making = app.persist(link, async |session| {
        let again = std::mem::replace(&mut is_asked_again, true);
        let is_new = make_all(session, path).await?;
        // The answer to the try before may have been lost.
        Ok(is_new || (again && holds_nothing(session, path).await?))
    });
    let is_new = making.await?;
    if is_new && app.ui.tells_steps() {
        app.ui.remark(format!("made directory {}", shown(path)));
    }
    Ok(is_new)
}

async fn holds_nothing(session: &mut dyn Remote, path: &str) -> Result<bool, RemoteError> {
    match session.list(path).await {
        Ok(listing) => {
            let is_whole = listing.lack.is_none() && listing.dropped.is_empty();
            Ok(listing.entries.is_empty() && is_whole)
        }
        Err(RemoteError::Refused { reply, .. }) if reply.code >= 500 && session.is_usable() => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Reads include and exclude patterns.
pub(super) fn filter(patterns: &Patterns) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    let bad = |error: BadPattern| Failure::usage(error.to_string());
    for (includes, pattern) in &patterns.rules {
        match includes {
            true => filter.include(pattern).map_err(bad)?,
            false => filter.exclude(pattern).map_err(bad)?,
        }
    }
    Ok(filter)
}

/// Tells whether an operand takes part, and says so when it does not. A directory that is named by no name
/// of its own (`DIR/.`) means what it holds.
pub(super) fn takes_operand(app: &App, filter: &Filter, name: &str, is_dir: bool) -> bool {
    let takes = matches!(name, "" | "." | "..") || filter.takes(name, is_dir);
    if !takes {
        app.ui
            .remark(format!("{}: left out by a pattern", shown(name)));
    }
    takes
}

/// The last component of a local path, in the inner form.
pub(super) fn local_file_name(path: &Path) -> Result<String, Error> {
    let absolute = std::path::absolute(path).map_err(|error| Error::local("open", path, error))?;
    let name = absolute.file_name().map(|name| inner_name(Path::new(name)));
    name.ok_or_else(|| Error::local("send", path, std::io::ErrorKind::InvalidFilename.into()))
}
