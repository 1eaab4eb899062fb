//! What a server has and does not list: many leave out names that begin with a dot, and some others that they are
//! told to hide, or what lies in a directory that they may not read.

use super::{probe::unless_refused, sync::by_path, walk::Tree};
use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    remote::{Entry, Remote, names},
};

/// Asks for each name that the local tree alone seems to have, in a directory of both. Returns those that the server
/// has all the same, or may have, since it does not say.
///
/// # Errors
/// The session broke, or a stop.
pub async fn unlisted(
    session: &mut dyn Remote,
    local: &Tree,
    (remote, top): (&Tree, &str),
    cancel: &Cancel,
) -> Result<Vec<String>, Error> {
    let there = by_path(remote);
    let mut unlisted = Vec::new();
    for node in &local.nodes {
        let dir = names::split(&node.path).0;
        let is_in_both = dir.is_empty() || there.get(dir).is_some_and(|dir| dir.is_dir);
        let seems_gone = !there.contains_key(node.path.as_str()) && !remote.is_unread(&node.path);
        if !(is_in_both && seems_gone) {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        if may_have(session, &names::join(top, &node.path)).await? {
            unlisted.push(node.path.clone());
        }
    }
    Ok(unlisted)
}

async fn may_have(session: &mut dyn Remote, path: &str) -> Result<bool, RemoteError> {
    let abilities = session.abilities();
    let tells = abilities.mlst() || abilities.has("SIZE");
    if tells || names::split(path).1.starts_with('.') {
        return Ok(!matches!(Told::of(session, path).await?, Told::Nothing));
    }
    // What tells nothing else would list the whole directory for each name, as it has done.
    match session.size(path).await {
        Err(RemoteError::BadName { .. }) => Ok(true),
        told => Ok(unless_refused(&*session, told)?.is_none_or(|size| size.is_some())),
    }
}

/// What a server says of a path.
pub(super) enum Told {
    Entry(Box<Entry>),
    /// That nothing is there.
    Nothing,
    /// Nothing.
    Unknown,
}

impl Told {
    /// Asks for a path.
    pub(super) async fn of(session: &mut dyn Remote, path: &str) -> Result<Self, RemoteError> {
        let told = match session.stat(path).await {
            // No command can name it.
            Err(RemoteError::BadName { .. }) => return Ok(Self::Unknown),
            // Only a listing could tell, and that is not whole.
            Err(RemoteError::Io { .. }) if session.is_usable() => return Ok(Self::Unknown),
            told => unless_refused(&*session, told)?,
        };
        Ok(match told {
            Some(Some(entry)) => Self::Entry(Box::new(entry)),
            Some(None) => Self::Nothing,
            None => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::walk::tree_of,
        remote::{Dial as _, Reply, memory::Memory},
    };

    #[tokio::test]
    async fn what_the_server_says_nothing_of_may_be_there() {
        for feat in [&["MLST type*;size*;"][..], &[]] {
            let server = Memory::new(feat);
            for path in ["/t/.kept", "/t/d/hidden", "/t/.shown"] {
                server.put(path, b"1", std::time::SystemTime::UNIX_EPOCH);
            }
            let rows = [
                ".busy", ".gone", ".kept", ".shown", "d/", "d/hidden", "e/", "e/gone", "x",
            ];
            let (local, remote) = (tree_of(&rows), tree_of(&[".shown", "d/"]));
            let mut session = server.dial().await.unwrap();
            let refusal = RemoteError::Refused {
                verb: "MLST".to_owned(),
                path: None,
                reply: Reply::new(550, "not allowed"),
            };
            server.fail("MLST", refusal);
            let sides = (&remote, "/t");
            let found = unlisted(&mut *session, &local, sides, &Cancel::default()).await;
            assert_eq!(found.unwrap(), [".busy", ".kept", "d/hidden"]);
            let calls = server.calls();
            let asked = |verb: &str| calls.iter().filter(|call| call.starts_with(verb)).count();
            let (by_facts, by_size) = if feat.is_empty() { (3, 3) } else { (6, 0) };
            assert_eq!((asked("MLST"), asked("SIZE")), (by_facts, by_size));
            assert!(
                !calls.iter().any(|call| call.ends_with("e/gone")),
                "nor below what is gone"
            );
        }
    }
}
