//! `cat`, `mv`, `mkdir`, `rmdir`, `chmod`, `quote`: one act on names that are there.

use super::{
    Answer,
    operands::{is_dir, open_all},
};
use crate::{
    app::{App, Failure, Link},
    error::Error,
    exit::ExitCode,
    remote::{Remote, names},
    target::Target,
    transfer::stream::{fetch_into, settle_stdout},
    ui::escape::shown,
};

/// Runs `cat`.
///
/// # Errors
/// A file cannot be read.
pub async fn cat(app: &App, paths: &[String]) -> Answer {
    let (link, paths) = open_all(app, paths).await?;
    let (mut session, terms) = (link.session().await?, app.terms());
    for path in &paths {
        match fetch_into(&mut *session, named(path), std::io::stdout(), &terms).await {
            Ok(_) => {}
            // Whoever read has enough.
            Err(Error::Local { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
                return Ok(ExitCode::Done);
            }
            Err(error) => return Err(error.into()),
        }
    }
    settle_stdout()?;
    done(&link, session).await
}

/// Runs `mv`.
///
/// # Errors
/// It cannot be renamed.
pub async fn mv(app: &App, from: &str, to: &str) -> Answer {
    let (link, paths) = open_all(app, &[from.to_owned(), to.to_owned()]).await?;
    let [from, to] = paths.as_slice() else {
        return Err(Failure::usage("two names are wanted"));
    };
    let mut session = link.session().await?;
    let into = to.ends_with('/') || is_dir(&mut *session, to).await?;
    let to = if into {
        names::join(to, names::split(from).1)
    } else {
        to.clone()
    };
    session.rename(named(from), &to).await?;
    done(&link, session).await
}

/// Runs `mkdir`.
///
/// # Errors
/// A directory cannot be made; without `parents`, one that exists is an error.
pub async fn mkdir(app: &App, paths: &[String], parents: bool) -> Answer {
    let (link, paths) = open_all(app, paths).await?;
    let mut session = link.session().await?;
    for path in &paths {
        let path = bare(path);
        if parents {
            let starts = path.match_indices('/').map(|(at, _)| &path[..at]);
            for dir in starts.filter(|dir| !dir.is_empty()).chain([path]) {
                session.make_dir(dir).await?;
            }
        } else if session.stat(path).await?.is_some() {
            app.ui.error(format!("`{}` is there already", shown(path)));
            app.ui
                .hint("`ftpc mkdir -p` takes a directory that is there");
            return Err(Failure::Said(ExitCode::Refused));
        } else {
            session.make_dir(path).await?;
        }
    }
    done(&link, session).await
}

/// Runs `rmdir`.
///
/// # Errors
/// A directory cannot be removed.
pub async fn rmdir(app: &App, paths: &[String]) -> Answer {
    let (link, paths) = open_all(app, paths).await?;
    let mut session = link.session().await?;
    for path in &paths {
        session.remove_dir(bare(path)).await?;
    }
    done(&link, session).await
}

/// Runs `chmod`.
///
/// # Errors
/// A mode cannot be set.
pub async fn chmod(app: &App, mode: u32, paths: &[String]) -> Answer {
    let (link, paths) = open_all(app, paths).await?;
    let mut session = link.session().await?;
    for path in &paths {
        session.set_mode(named(path), mode).await?;
    }
    done(&link, session).await
}

/// Runs `quote`: prints the reply; a refusal is its exit code.
///
/// # Errors
/// There was no reply.
pub async fn quote(app: &App, on: Option<&str>, words: &[String]) -> Answer {
    let target = match on {
        Some(text) => app.target(text)?,
        None => Target::Path(String::new()),
    };
    let link = app.open(&target).await?;
    let mut session = link.session().await?;
    let reply = session.raw(&words.join(" ")).await?;
    for line in &reply.lines {
        app.ui.answer(format!("{} {}", reply.code, shown(line)));
    }
    let refused = reply.code >= 400;
    let code = done(&link, session).await?;
    Ok(if refused { ExitCode::Refused } else { code })
}

/// The login directory by a name: commands that want one take no empty word (RFC 959 §5.3.2).
pub(super) fn named(path: &str) -> &str {
    match path {
        "" => ".",
        path => path,
    }
}

/// A directory's path without the slashes behind it.
fn bare(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.starts_with('/') => "/",
        bare => named(bare),
    }
}

pub(super) async fn done(link: &Link, session: Box<dyn Remote>) -> Answer {
    link.pool.give_back(session);
    link.close().await;
    Ok(ExitCode::Done)
}
