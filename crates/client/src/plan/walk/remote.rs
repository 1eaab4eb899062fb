//! A remote tree, directory by directory.

use std::time::Duration;

use super::{MAX_DEPTH, Node, PART, TOO_DEEP, Tree, below_of, is_part};
use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    plan::{compare::Facts, filter::Filter},
    remote::{Entry, Kind, Listing, Remote, names},
};

/// How long a server that cannot list just now is left alone.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

impl Tree {
    /// Notes what the listing of a remote directory lacks.
    fn take_lacks(&mut self, dir: &str, path: &str, listing: &Listing) {
        if !listing.dropped.is_empty() || listing.lack.is_some() {
            // Which of the names that seem to be missing it was is not known.
            self.unread.push(dir.to_owned());
        }
        if let Some(lack) = &listing.lack {
            self.refuse(path, lack.left_out());
        }
        for dropped in &listing.dropped {
            self.refuse(path, dropped.to_string());
        }
    }

    /// Takes an entry of a remote directory; tells whether it is a directory to walk.
    fn take_remote(
        &mut self,
        dir: &str,
        path: &str,
        entry: &Entry,
        depth: usize,
        filter: &Filter,
    ) -> Result<bool, Error> {
        let is_dir = entry.kind == Kind::Dir;
        if !filter.takes(path, is_dir) {
            self.passes_over_one_in(dir);
            return Ok(false);
        }
        if is_dir && depth >= MAX_DEPTH {
            self.cannot_read(path, TOO_DEEP);
            return Ok(false);
        }
        let odd = match entry.kind {
            Kind::File if is_part(entry.name.as_str().as_bytes()) => Some(PART),
            Kind::Dir | Kind::File => None,
            Kind::Link => Some("a link"),
            Kind::Other => Some("not a regular file"),
        };
        if let Some(odd) = odd {
            self.leave_out(path, odd);
            return Ok(false);
        }
        self.push(Node {
            path: path.to_owned(),
            is_dir,
            facts: Facts {
                size: entry.size.filter(|_| !is_dir),
                modified: entry.modified,
                precision: entry.precision,
            },
        })?;
        Ok(is_dir)
    }
}

/// Walks a remote directory. Parts of interrupted uploads are left out; a directory below the top
/// that the server does not list is refused.
///
/// # Errors
/// The top cannot be listed, the session broke, the tree has no end, or it was interrupted.
pub async fn remote(
    session: &mut dyn Remote,
    top: &str,
    filter: &Filter,
    cancel: &Cancel,
) -> Result<Tree, Error> {
    remote_from(session, (top, ""), filter, cancel).await
}

/// Walks what lies below one directory of such a tree; its paths are those of the whole one.
///
/// # Errors
/// As [`remote`].
pub(crate) async fn remote_from(
    session: &mut dyn Remote,
    (top, start): (&str, &str),
    filter: &Filter,
    cancel: &Cancel,
) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let depth = start.split_terminator('/').count();
    let mut waiting = vec![(start.to_owned(), depth)];
    while let Some((dir, depth)) = waiting.pop() {
        let path = if dir.is_empty() {
            top.to_owned()
        } else {
            names::join(top, &dir)
        };
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let listed = cancel.or_leave(list(session, &path)).await;
        let listing = match listed.ok_or(Error::Interrupted)? {
            Err(error @ RemoteError::Refused { .. }) if !dir.is_empty() && session.is_usable() => {
                tree.cannot_read(&dir, &error.to_string());
                continue;
            }
            other => other?,
        };
        tree.take_lacks(&dir, &path, &listing);
        let mut below = Vec::new();
        for entry in listing.entries {
            let path = below_of(&dir, entry.name.as_str());
            if tree.take_remote(&dir, &path, &entry, depth, filter)? {
                below.push((path, depth + 1));
            }
        }
        waiting.extend(below.into_iter().rev());
    }
    Ok(tree)
}

/// Lists a directory, and again when the server says that it just cannot. (450 is for good with ProFTPD,
/// where a directory may not be read.)
async fn list(session: &mut dyn Remote, path: &str) -> Result<Listing, RemoteError> {
    for pause in PAUSES {
        match session.list(path).await {
            Err(RemoteError::Refused { reply, .. })
                if matches!(reply.code, 425 | 426 | 451) && session.is_usable() => {}
            other => return other,
        }
        tokio::time::sleep(pause).await;
    }
    session.list(path).await
}
