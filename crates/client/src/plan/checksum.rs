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
    error::{Error, RemoteError},
    remote::{Remote, names},
    transfer::hash_of,
};

/// Hashes on both sides and notes in `wishes` what is equal and what differs. `local` and
/// `remote` are the trees below the two tops.
///
/// # Errors
/// The server offers no hash, or either side cannot be read.
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
        if !same_size {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let theirs = session
            .hash(&names::join(remote_top, &node.path), how)
            .await?;
        let path = local_top.join(local_path(&node.path));
        let ours = hash_of(&path, how, cancel).await?;
        if ours == theirs {
            wishes.equal.insert(node.path.clone());
        } else {
            wishes.different.insert(node.path.clone());
        }
    }
    Ok(())
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
