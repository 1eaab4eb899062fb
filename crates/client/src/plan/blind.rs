//! Whether a disk, here or behind a server, takes two cases of a name for one.

use std::{collections::HashSet, fs, path::Path};

use super::{
    spelling::{self, Pair},
    walk::{Tree, local_path},
};
use crate::{
    error::RemoteError,
    remote::{Remote, Start, names},
};

/// Asks the disk below a local directory. One that is still to be made is like the one above it; where
/// nothing can be written nothing can be overwritten either. Blocks.
#[must_use]
pub fn is_blind(dir: &Path) -> bool {
    let Ok(dir) = std::path::absolute(dir) else {
        return false;
    };
    let Some(dir) = dir.ancestors().find(|dir| dir.is_dir()) else {
        return false;
    };
    let probe = |word: &str| dir.join(probe_name(word));
    if fs::write(probe("case"), "").is_err() {
        return false;
    }
    let blind = probe("CASE").exists();
    let _gone = fs::remove_file(probe("case"));
    blind
}

/// Asks a server about one of its directories, or the one above if it is still to be made, by an empty
/// file that goes at once. `None`: it does not let one see.
///
/// # Errors
/// The session broke.
pub async fn is_blind_there(
    session: &mut dyn Remote,
    dir: &str,
) -> Result<Option<bool>, RemoteError> {
    let mut dir = dir;
    while !matches!(dir, "" | "/" | ".") && session.stat(dir).await?.is_none() {
        dir = names::split(dir).0;
    }
    let probe = |word: &str| names::join(dir, &probe_name(word));
    let (lower, upper) = (probe("case"), probe("CASE"));
    match write_empty(session, &lower).await {
        Err(RemoteError::Refused { .. }) if session.is_usable() => return Ok(None),
        other => other?,
    }
    let seen = session.size(&lower).await?.is_some();
    let twice = session.size(&upper).await?.is_some();
    match session.remove_file(&lower).await {
        Err(RemoteError::Refused { .. }) => {}
        other => other?,
    }
    Ok(seen.then_some(twice))
}

async fn write_empty(session: &mut dyn Remote, path: &str) -> Result<(), RemoteError> {
    session.open_write(path, Start::New).await?.finish().await
}

fn probe_name(word: &str) -> String {
    format!(".ftpc-{word}-{}", std::process::id())
}

/// Where the target of a `sync` lies.
pub enum Aim<'a> {
    /// On a server, below this directory.
    There(&'a mut dyn Remote, &'a str),
    /// Here, below this directory.
    Here(&'a Path),
}

impl Aim<'_> {
    async fn is_blind(&mut self) -> Result<bool, RemoteError> {
        match self {
            Self::There(session, top) => {
                let told = is_blind_there(&mut **session, top).await?;
                Ok(told.unwrap_or(false))
            }
            Self::Here(top) => Ok(is_blind(top)),
        }
    }

    /// Tells whether the target answers to a path that its listing does not show.
    async fn answers_to(&mut self, path: &str) -> Result<bool, RemoteError> {
        match self {
            Self::There(session, top) => {
                let path = names::join(top, path);
                Ok(session.stat(&path).await?.is_some())
            }
            Self::Here(top) => Ok(top.join(local_path(path)).symlink_metadata().is_ok()),
        }
    }
}

/// Makes one of what is one on the target's disk: of two names of the source the second is refused,
/// and the target's names are spelled as the source does, so that what the source has there is not
/// new, and what the target has is not surplus. `may_try`: the target may be given an empty file.
///
/// # Errors
/// The session broke.
pub async fn match_cases(
    source: &mut Tree,
    target: &mut Tree,
    aim: &mut Aim<'_>,
    may_try: bool,
) -> Result<(), RemoteError> {
    let twins = source.twins();
    if may_try && !twins.is_empty() && aim.is_blind().await? {
        source.refuse_twins(twins, "the target's disk takes them for one");
    }
    // One name of each directory is asked for: all it holds lie on one disk.
    let mut pairs: Vec<Pair> = Vec::new();
    spelling::pair(source, target, &mut |pair| {
        if pairs.iter().all(|known| known.dir != pair.dir) {
            pairs.push(pair.clone());
        }
        true
    });
    let mut blind = HashSet::new();
    for pair in pairs {
        if aim.answers_to(&pair.ours).await? {
            blind.insert(pair.dir);
        }
    }
    if !blind.is_empty() {
        let spelled = spelling::pair(source, target, &mut |pair| blind.contains(&pair.dir));
        spelling::apply(target, &spelled);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::{Dial as _, memory::Memory};

    #[test]
    fn a_disk_that_tells_cases_apart_takes_both() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("x"), "").unwrap();
        fs::write(temp.path().join("X"), "").unwrap_or_default();
        let blind = fs::read_dir(temp.path()).unwrap().count() == 1;
        assert_eq!(is_blind(&temp.path().join("not/made/yet")), blind);
        let left = fs::read_dir(temp.path()).unwrap().count();
        assert_eq!(left, if blind { 1 } else { 2 });
    }

    #[tokio::test]
    async fn a_server_is_asked_by_a_file_that_goes_again() {
        for blind in [false, true] {
            let mut server = Memory::new(&[]);
            if blind {
                server = server.blind();
            }
            server.put("/t/x", b"1", std::time::SystemTime::UNIX_EPOCH);
            let mut session = server.dial().await.unwrap();
            for dir in ["/t", "/t/not/made/yet", "/", ""] {
                let told = is_blind_there(&mut *session, dir).await.unwrap();
                assert_eq!(told, Some(blind), "{dir}");
            }
            assert_eq!(server.paths(), ["/t", "/t/x"]);
        }
    }
}
