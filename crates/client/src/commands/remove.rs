//! `rm`: files, and directories with all they hold. A link goes itself; what it leads to stays.

use super::{Answer, agree, files::done, look::look, operands::open_all};
use crate::{
    app::{App, Failure},
    cancel::Cancel,
    cli::Rm,
    error::{Error, RemoteError},
    exit::ExitCode,
    plan::walk::MAX_DEPTH,
    remote::{Entry, Kind, Remote, names},
    ui::escape::shown,
};

/// Something to remove.
struct Victim {
    path: String,
    kind: Kind,
    /// Where the login or the site begins: it is emptied, and stays.
    is_top: bool,
}

/// Runs `rm`.
///
/// # Errors
/// It was not allowed, the session broke, or nothing could be removed.
pub async fn rm(app: &App, args: &Rm) -> Answer {
    let (link, paths) = open_all(app, &args.paths).await?;
    let mut session = link.session().await?;
    let (mut victims, mut ledger) = (Vec::new(), Ledger::default());
    for (path, operand) in paths.iter().zip(&args.paths) {
        let bare = path.trim_end_matches('/');
        if matches!(bare, "" | ".") || bare == link.base.trim_end_matches('/') {
            allow_top(app, args, operand)?;
            victims.push(Victim {
                path: path.clone(),
                kind: Kind::Dir,
                is_top: true,
            });
        } else {
            let (found, lacks) = find(&mut *session, bare).await?;
            victims.extend(found);
            let left_out = |what| (bare.to_owned(), Error::LeftOut { what });
            ledger.failed.extend(lacks.into_iter().map(left_out));
        }
    }
    if let Some(dir) = victims.iter().find(|victim| victim.kind == Kind::Dir)
        && !args.recursive
    {
        return Err(Failure::Usage(
            format!("`{}` is a directory", shown_dir(&dir.path)),
            Some("remove it with all it holds: `ftpc rm -r`".to_owned()),
        ));
    }
    for victim in victims {
        let removed = remove(&mut *session, &app.cancel, victim, &mut ledger).await;
        if let Err(error) = removed {
            ledger.tell(app);
            return Err(error.into());
        }
    }
    let code = done(&link, session).await?;
    match (ledger.removed, ledger.failed.len()) {
        (_, 0) => Ok(code),
        (0, 1) => Err(ledger.failed.remove(0).1.into()),
        _ => {
            ledger.tell(app);
            Ok(ExitCode::SomeFailed)
        }
    }
}

/// What was removed, and what could not be.
#[derive(Default)]
struct Ledger {
    removed: u64,
    failed: Vec<(String, Error)>,
}

impl Ledger {
    /// Notes what became of a path; a refusal of one keeps nothing else.
    fn note<T>(&mut self, path: &str, done: Result<T, Error>) -> Result<Option<T>, Error> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(Error::Remote(RemoteError::Refused { reply, .. })) if reply.code == 421 => {
                let verb = "remove".to_owned();
                let path = Some(path.to_owned());
                Err(RemoteError::Refused { verb, path, reply }.into())
            }
            Err(error @ (Error::Remote(RemoteError::Refused { .. }) | Error::LeftOut { .. })) => {
                self.failed.push((path.to_owned(), error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells whether something below a directory, or itself, stays.
    fn holds_up(&self, dir: &str) -> bool {
        self.failed.iter().any(|(path, _)| {
            let rest = path.strip_prefix(dir);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn tell(&self, app: &App) {
        for (_, error) in &self.failed {
            app.ui.error(shown(&error.chain()));
        }
    }
}

/// An empty path is more often a variable that is not set than a wish.
fn allow_top(app: &App, args: &Rm, operand: &str) -> Result<(), Failure> {
    if !args.recursive || args.yes {
        return Ok(());
    }
    let operand = app.target(operand)?.to_string();
    let why = format!("all that `{}` holds would be removed", shown(&operand));
    agree(app, why, "`--yes` does it")
}

fn shown_dir(path: &str) -> String {
    shown(if path.is_empty() { "." } else { path })
}

/// Finds what an operand names.
async fn find(session: &mut dyn Remote, path: &str) -> Result<(Vec<Victim>, Vec<String>), Failure> {
    if matches!(names::split(path).1, "." | "..") {
        return Err(Failure::usage(format!(
            "`{}` is no name to remove",
            shown(path)
        )));
    }
    let victim = |path, kind| Victim {
        path,
        kind,
        is_top: false,
    };
    let (found, lacks) = match look(session, path).await {
        Ok(found) => found,
        // A link that leads nowhere is in the listing alone.
        Err(error) => match listed(session, path).await? {
            Some(kind) => return Ok((vec![victim(path.to_owned(), kind)], Vec::new())),
            None => return Err(error),
        },
    };
    let mut victims = Vec::new();
    for (name, entry) in found {
        // Asked for a link, some servers tell what it leads to.
        let kind = match entry.kind {
            Kind::Dir if name == path => listed(session, path).await?.unwrap_or(Kind::Dir),
            kind => kind,
        };
        victims.push(victim(name, kind));
    }
    Ok((victims, lacks))
}

/// What the listing of its directory calls a path; `None`: it does not name it.
async fn listed(session: &mut dyn Remote, path: &str) -> Result<Option<Kind>, RemoteError> {
    let (dir, name) = names::split(path);
    let listing = match session.list(dir).await {
        Err(RemoteError::Refused { .. }) if session.is_usable() => return Ok(None),
        other => other?,
    };
    let mut entries = listing.entries.into_iter();
    let entry = entries.find(|entry| entry.name.as_str() == name);
    Ok(entry.map(|entry| entry.kind))
}

/// What is still to do in a tree.
enum Visit {
    Enter(String, usize),
    Leave(String),
}

/// Removes a file, a link, or a tree, what is in a directory first.
async fn remove(
    session: &mut dyn Remote,
    cancel: &Cancel,
    victim: Victim,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    if victim.kind != Kind::Dir {
        return remove_file(session, cancel, &victim.path, ledger).await;
    }
    let mut waiting = vec![Visit::Enter(victim.path, 0)];
    while let Some(next) = waiting.pop() {
        go_on(cancel)?;
        let (dir, depth) = match next {
            Visit::Leave(dir) => {
                if !ledger.holds_up(&dir) {
                    let removed = session.remove_dir(&dir).await;
                    let removed = ledger.note(&dir, removed.map_err(Error::from))?;
                    ledger.removed += u64::from(removed.is_some());
                }
                continue;
            }
            Visit::Enter(dir, depth) => (dir, depth),
        };
        let is_top = victim.is_top && depth == 0;
        if !is_top && session.unlink(&dir).await? {
            ledger.removed += 1;
            continue;
        }
        let held = held_by(session, &dir, depth).await;
        let Some(held) = ledger.note(&dir, held)? else {
            continue;
        };
        let mut dirs = Vec::new();
        for entry in held {
            let path = entry.name.within(&dir);
            match entry.kind {
                Kind::Dir => dirs.push(path),
                _ => remove_file(session, cancel, &path, ledger).await?,
            }
        }
        if !is_top {
            waiting.push(Visit::Leave(dir));
        }
        waiting.extend(dirs.into_iter().map(|dir| Visit::Enter(dir, depth + 1)));
    }
    Ok(())
}

/// Lists what is to go of a directory; one that holds what cannot be named stays with all it holds.
async fn held_by(session: &mut dyn Remote, dir: &str, depth: usize) -> Result<Vec<Entry>, Error> {
    let cannot = |what: String| Error::LeftOut { what };
    if depth >= MAX_DEPTH {
        return Err(cannot(format!("`{}`: too deep", names::display(dir))));
    }
    let listing = session.list(dir).await?;
    if let Some(dropped) = listing.dropped.first() {
        return Err(cannot(format!("in `{}`: {dropped}", names::display(dir))));
    }
    Ok(listing.entries)
}

async fn remove_file(
    session: &mut dyn Remote,
    cancel: &Cancel,
    path: &str,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    go_on(cancel)?;
    let removed = session.remove_file(path).await.map_err(Error::from);
    let removed = ledger.note(path, removed)?;
    ledger.removed += u64::from(removed.is_some());
    Ok(())
}

fn go_on(cancel: &Cancel) -> Result<(), Error> {
    if cancel.is_stopped() {
        return Err(Error::Interrupted);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::remote::{Dial as _, memory::Memory};

    #[tokio::test]
    async fn an_interrupted_rm_removes_nothing_more() {
        for (at, left) in [
            ("DELE /t/a", &["/t", "/t/b", "/t/d", "/t/d/c"][..]),
            ("MLSD /t/d", &["/t", "/t/d", "/t/d/c"]),
        ] {
            let server = Memory::new(&[]);
            for path in ["/t/a", "/t/b", "/t/d/c"] {
                server.put(path, b"1", SystemTime::UNIX_EPOCH);
            }
            let cancel = Cancel::default();
            server.stop_at(at, &cancel);
            let mut session = server.dial().await.unwrap();
            let victim = Victim {
                path: "/t".to_owned(),
                kind: Kind::Dir,
                is_top: false,
            };
            let mut ledger = Ledger::default();
            let ended = remove(&mut *session, &cancel, victim, &mut ledger).await;
            assert!(matches!(ended, Err(Error::Interrupted)), "{at}");
            assert_eq!(server.paths(), left, "{at}");
        }
    }
}
