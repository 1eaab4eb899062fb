//! How a file, a link or a tree is removed: what is in a directory first, and a link itself.

use super::{Victim, ledger::Ledger};
use crate::{
    cancel::Cancel,
    error::Error,
    plan::walk::MAX_DEPTH,
    remote::{Entry, Kind, Remote, names},
};

/// What is still to do in a tree.
enum Visit {
    Enter(String, usize),
    Leave(String),
}

/// Removes a file, a link, or a tree, what is in a directory first.
pub(super) async fn remove(
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
            Visit::Enter(dir, depth) => (dir, depth),
            Visit::Leave(dir) => {
                leave(session, &dir, ledger).await?;
                continue;
            }
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

/// Removes a directory that was emptied, unless something in it stays.
async fn leave(session: &mut dyn Remote, dir: &str, ledger: &mut Ledger) -> Result<(), Error> {
    if ledger.holds_up(dir) {
        return Ok(());
    }
    let removed = session.remove_dir(dir).await.map_err(Error::from);
    let removed = ledger.note(dir, removed)?;
    ledger.removed += u64::from(removed.is_some());
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
