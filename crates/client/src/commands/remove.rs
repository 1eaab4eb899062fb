//! `rm`: files, and directories with all they hold. A link goes itself; what it leads to stays.

mod ledger;
mod tree;

use self::{ledger::Ledger, tree::remove};
use super::{
    Answer, agree,
    files::done,
    look::{Spelt, look_spelt},
    operands::open_all,
};
use crate::{
    app::{App, Failure},
    cli::Rm,
    error::RemoteError,
    exit::ExitCode,
    remote::{Kind, Remote, names},
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
    rm_spelt(app, args, Spelt::ByHand).await
}

/// Runs `rm` on operands that are written so.
///
/// # Errors
/// As [`rm`].
pub(crate) async fn rm_spelt(app: &App, args: &Rm, spelt: Spelt) -> Answer {
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
            let (found, lacks) = find(&mut *session, bare, spelt).await?;
            victims.extend(found);
            ledger.leave_out(bare, lacks);
        }
    }
    if !args.recursive {
        refuse_dirs(&victims)?;
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

/// An empty path is more often a variable that is not set than a wish.
fn allow_top(app: &App, args: &Rm, operand: &str) -> Result<(), Failure> {
    if !args.recursive || args.yes {
        return Ok(());
    }
    let operand = app.target(operand)?.to_string();
    let why = format!("all that `{}` holds would be removed", shown(&operand));
    agree(app, why, "`--yes` does it")
}

fn refuse_dirs(victims: &[Victim]) -> Result<(), Failure> {
    let Some(dir) = victims.iter().find(|victim| victim.kind == Kind::Dir) else {
        return Ok(());
    };
    let path = if dir.path.is_empty() { "." } else { &dir.path };
    Err(Failure::Usage(
        format!("`{}` is a directory", shown(path)),
        Some("remove it with all it holds: `ftpc rm -r`".to_owned()),
    ))
}

/// Finds what an operand names.
async fn find(
    session: &mut dyn Remote,
    path: &str,
    spelt: Spelt,
) -> Result<(Vec<Victim>, Vec<String>), Failure> {
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
    let (found, lacks) = match look_spelt(session, path, spelt).await {
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
