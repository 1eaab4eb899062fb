//! What a server has and does not list: many leave out names that begin with a dot.

use super::{probe::unless_refused, sync::by_path, walk::Tree};
use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    remote::{Remote, names},
};

/// Asks for each name that begins with a dot and that the local tree alone seems to have, in a directory of both.
/// Returns those that the server has all the same, or may have, since it does not say.
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
        let (dir, name) = names::split(&node.path);
        let is_in_both = dir.is_empty() || there.get(dir).is_some_and(|dir| dir.is_dir);
        let seems_gone = !there.contains_key(node.path.as_str()) && !remote.is_unread(&node.path);
        if !(name.starts_with('.') && is_in_both && seems_gone) {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let told = match session.stat(&names::join(top, &node.path)).await {
            // No command can name it.
            Err(RemoteError::BadName { .. }) => None,
            told => unless_refused(&*session, told)?,
        };
        if !matches!(told, Some(None)) {
            unlisted.push(node.path.clone());
        }
    }
    Ok(unlisted)
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
        let server = Memory::new(&[]);
        for path in ["/t/.kept", "/t/d/.kept", "/t/.shown"] {
            server.put(path, b"1", std::time::SystemTime::UNIX_EPOCH);
        }
        let rows = [
            ".busy", ".gone", ".kept", ".shown", "d/", "d/.kept", "e/", "e/.gone", "x",
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
        assert_eq!(found.unwrap(), [".busy", ".kept", "d/.kept"]);
        let asked = server
            .calls()
            .iter()
            .filter(|call| call.starts_with("MLST"))
            .count();
        assert_eq!(asked, 4, "only where both have the directory");
    }
}
