//! Which files of two trees are equal by their hashes, for `sync --checksum`.
//!
//! Only files of the same size on both sides are hashed; the server must offer a hash.

use std::path::Path;

use super::{
    sync::{Wishes, by_path},
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
    let files = of_one_size(local, remote);
    for node in &files {
        let path = &node.path;
        if is_known(wishes, path) {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let ours = local_top.join(local_path(path));
        let theirs = names::join(remote_top, path);
        let found = by_hash(session, how, &ours, (&theirs, node.facts.size), cancel).await;
        if let Err(Error::Remote(error @ RemoteError::Timeout { .. })) = &found {
            give_up_from(node, &files, &error.to_string(), wishes);
        }
        match found? {
            ByHash::Equal => drop(wishes.equal.insert(path.clone())),
            ByHash::Different => drop(wishes.different.insert(path.clone())),
            ByHash::Unknown(why) => drop(wishes.unhashed.insert(path.clone(), why)),
        }
    }
    Ok(())
}

/// The local files that have the same size on the server.
fn of_one_size<'a>(local: &'a Tree, remote: &Tree) -> Vec<&'a Node> {
    let there = by_path(remote);
    let same_size = |node: &&Node| {
        let other = there.get(node.path.as_str());
        other.is_some_and(|other| !other.is_dir && other.facts.size == node.facts.size)
    };
    let files = local.nodes.iter().filter(|node| !node.is_dir);
    files.filter(same_size).collect()
}

fn is_known(wishes: &Wishes, path: &String) -> bool {
    wishes.equal.contains(path)
        || wishes.different.contains(path)
        || wishes.unhashed.contains_key(path)
}

/// A large file that the server does not hash in time is not asked for again, nor are those as large: the session
/// is lost over each. A small one is hashed soon by a server that answers at all.
fn give_up_from(late: &Node, files: &[&Node], why: &str, wishes: &mut Wishes) {
    const LARGE: u64 = 1 << 20;
    let size = late.facts.size.unwrap_or_default();
    if size < LARGE {
        return;
    }
    let as_large = |node: &&&Node| node.facts.size.is_some_and(|other| other >= size);
    for node in files.iter().filter(as_large) {
        if !is_known(wishes, &node.path) {
            wishes.unhashed.insert(node.path.clone(), why.to_owned());
        }
    }
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
    (theirs, size): (&str, Option<u64>),
    cancel: &Cancel,
) -> Result<ByHash, Error> {
    let theirs = match session.hash(theirs, how, size).await {
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

    #[tokio::test]
    async fn what_is_not_hashed_in_time_does_not_stop_the_rest() {
        let temp = tempfile::tempdir().unwrap();
        let server = Memory::new(&["HASH SHA-256"]);
        for (name, size) in [("large", 2 << 20), ("larger", 3 << 20), ("small", 5)] {
            let content = vec![7; size];
            std::fs::write(temp.path().join(name), &content).unwrap();
            server.put(&format!("/t/{name}"), &content, SystemTime::UNIX_EPOCH);
        }
        let mut session = server.dial().await.unwrap();
        let (all, cancel) = (Filter::default(), Cancel::default());
        let local = walk::local(temp.path(), &all).unwrap();
        let remote = walk::remote(&mut *session, "/t", &all, &cancel);
        let remote = remote.await.unwrap();
        let mut wishes = Wishes::new(Way::Up);
        let phase = crate::error::Phase::Reply;
        let after = std::time::Duration::from_secs(300);
        server.fail("HASH", RemoteError::Timeout { phase, after });
        let (here, there) = ((&local, temp.path()), (&remote, "/t"));
        let late = compare(&mut *session, here, there, &cancel, &mut wishes).await;
        assert!(late.is_err_and(|error| error.is_transient()));
        let again = compare(&mut *session, here, there, &cancel, &mut wishes).await;
        assert!(again.is_ok() && wishes.equal.iter().eq(["small"]));
        assert!(wishes.unhashed.keys().eq(["large", "larger"]));
    }
}
