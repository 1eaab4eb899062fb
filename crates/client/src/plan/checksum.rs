//! Which files of two trees are equal by their hashes, for `sync --checksum`.
//!
//! Only files of the same size on both sides are hashed; the server must offer a hash.

use std::path::Path;

use super::{
    sync::Wishes,
    walk::{Node, Tree, local_path},
};
use crate::{
    cancel::Cancel,
    digest,
    error::{Error, RemoteError},
    remote::{HashVerb, Remote, names},
};

/// Hashes on both sides and notes in `wishes` what is equal, what differs, and what cannot be hashed; what
/// is noted already is not asked about again. `local` and `remote` are the trees below the two tops.
///
/// # Errors
/// The server offers no hash, the session broke, or it was interrupted.
pub async fn compare(
    session: &mut dyn Remote,
    (local, local_top): (&Tree, &Path),
    (remote, remote_top): (&Tree, &str),
    cancel: &Cancel,
    wishes: &mut Wishes,
) -> Result<(), Error> {
    let how = session.abilities().hash().ok_or(RemoteError::Unsupported {
        what: "command to hash a file, which `--checksum` needs",
    })?;
    let there: std::collections::BTreeMap<&str, &Node> = remote
        .nodes
        .iter()
        .map(|node| (node.path.as_str(), node))
        .collect();
    for node in local.nodes.iter().filter(|node| !node.is_dir) {
        let same_size = there
            .get(node.path.as_str())
            .is_some_and(|other| !other.is_dir && other.facts.size == node.facts.size);
        let path = &node.path;
        let is_known = wishes.equal.contains(path)
            || wishes.different.contains(path)
            || wishes.unhashed.contains_key(path);
        if !same_size || is_known {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let ours = local_top.join(local_path(path));
        let theirs = names::join(remote_top, path);
        match by_hash(session, how, &ours, &theirs, cancel).await? {
            ByHash::Equal => drop(wishes.equal.insert(path.clone())),
            ByHash::Different => drop(wishes.different.insert(path.clone())),
            ByHash::Unknown(why) => drop(wishes.unhashed.insert(path.clone(), why)),
        }
    }
    Ok(())
}

/// What two files are by their hashes.
enum ByHash {
    Equal,
    Different,
    /// One of the two cannot be hashed.
    Unknown(String),
}

async fn by_hash(
    session: &mut dyn Remote,
    how: HashVerb,
    ours: &Path,
    theirs: &str,
    cancel: &Cancel,
) -> Result<ByHash, Error> {
    let theirs = match session.hash(theirs, how).await {
        Err(error) if session.is_usable() && is_final(&error) => {
            return Ok(ByHash::Unknown(error.to_string()));
        }
        theirs => theirs?,
    };
    match digest::of_path(ours, how, cancel).await {
        Ok(ours) if ours == theirs => Ok(ByHash::Equal),
        Ok(_) => Ok(ByHash::Different),
        Err(error @ Error::Local { .. }) => Ok(ByHash::Unknown(error.chain())),
        Err(error) => Err(error),
    }
}

/// Tells whether another answer is not to be had.
fn is_final(error: &RemoteError) -> bool {
    match error {
        RemoteError::Protocol { .. } => true,
        RemoteError::Refused { .. } => !error.is_transient(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{
        plan::{filter::Filter, sync::Way, walk},
        remote::{Dial as _, memory::Memory},
    };

    #[tokio::test]
    async fn equal_and_different_content_is_told_apart() {
        let temp = tempfile::tempdir().unwrap();
        let server = Memory::new(&["HASH SHA-256"]);
        for (name, here, there) in [
            ("same", "abc", "abc"),
            ("other", "abc", "abd"),
            ("size", "a", "ab"),
        ] {
            std::fs::write(temp.path().join(name), here).unwrap();
            server.put(
                &format!("/t/{name}"),
                there.as_bytes(),
                SystemTime::UNIX_EPOCH,
            );
        }
        let mut session = server.dial().await.unwrap();
        let local = walk::local(temp.path(), &Filter::default()).unwrap();
        let remote = walk::remote(&mut *session, "/t", &Filter::default(), &Cancel::default())
            .await
            .unwrap();
        let mut wishes = Wishes::new(Way::Up);
        let cancel = Cancel::default();
        compare(
            &mut *session,
            (&local, temp.path()),
            (&remote, "/t"),
            &cancel,
            &mut wishes,
        )
        .await
        .unwrap();
        assert!(wishes.equal.iter().eq(["same"]) && wishes.different.iter().eq(["other"]));
    }
}
