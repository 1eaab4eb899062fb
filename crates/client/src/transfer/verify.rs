//! Whether and how a moved file is proved: sizes always, hashes when both sides can.

use std::sync::atomic::{AtomicU64, Ordering};

use ftp_config::client::Verify;

use super::Tools;
use crate::{
    error::{Error, RemoteError},
    remote::{Abilities, HashVerb, Kind, Remote},
};

/// From this size on `auto` compares hashes.
const LARGE: u64 = 1 << 20;

/// From which size on the server does not hash in time, once a file has shown it.
#[derive(Debug)]
pub(super) struct Slow(AtomicU64);

impl Default for Slow {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Slow {
    /// What is taken for the size of a file that has none.
    const UNKNOWN: u64 = u64::MAX - 1;

    fn note(&self, size: Option<u64>) {
        let size = size.unwrap_or(Self::UNKNOWN);
        self.0.fetch_min(size, Ordering::Relaxed);
    }

    fn is_known_for(&self, size: Option<u64>) -> bool {
        size.unwrap_or(Self::UNKNOWN) >= self.0.load(Ordering::Relaxed)
    }
}

/// Asks for the size of what was sent. Where SIZE does not tell, MLST may, for one question more; `must_know`: the
/// only copy is to go, so a listing is read for it too.
///
/// # Errors
/// What may pass, or where it must be known, any refusal.
pub(super) async fn size_of(
    remote: &mut dyn Remote,
    path: &str,
    must_know: bool,
) -> Result<Option<u64>, RemoteError> {
    let told = remote.size(path).await?;
    if told.is_some() || !(must_know || remote.abilities().mlst()) {
        return Ok(told);
    }
    match remote.stat(path).await {
        Err(error @ RemoteError::Refused { .. })
            if !must_know && !error.is_transient() && remote.is_usable() =>
        {
            Ok(None)
        }
        found => Ok(found?
            .filter(|entry| entry.kind == Kind::File)
            .and_then(|entry| entry.size)),
    }
}

/// Decides whether a hash is compared and which.
///
/// # Errors
/// `always`, and the server offers none.
pub(super) fn choose(
    verify: Verify,
    abilities: &Abilities,
    size: Option<u64>,
    resumed: bool,
) -> Result<Option<HashVerb>, Error> {
    match (verify, abilities.hash()) {
        (Verify::Never, _) => Ok(None),
        (Verify::Always, None) => Err(Error::Remote(RemoteError::Unsupported {
            what: "command to hash a file",
        })),
        (Verify::Always, offered) => Ok(offered),
        (Verify::Auto, offered) => {
            let worth = resumed || size.is_none_or(|size| size >= LARGE);
            Ok(offered.filter(|_| worth))
        }
    }
}

/// Compares the hash of `path` on the server, of this size, with the local one, computed here if need be. Returns
/// the algorithm; `None`: the server would not tell.
pub(super) async fn compare(
    tools: &Tools,
    remote: &mut dyn Remote,
    (path, size): (&str, Option<u64>),
    how: HashVerb,
    local: impl AsyncFnOnce() -> Result<String, Error>,
) -> Result<Option<&'static str>, Error> {
    let is_auto = tools.options.verify == Verify::Auto;
    if is_auto && tools.slow.is_known_for(size) {
        let why = "the server takes too long over files of this size";
        tools.events.message(format!("not compared by hash: {why}"));
        return Ok(None);
    }
    let theirs = match digest_of(remote, (path, size), how).await {
        Ok(digest) => digest,
        // The session is lost over it; the next try does without, or there would be no end of it.
        Err(error @ RemoteError::Timeout { .. }) if is_auto => {
            tools.slow.note(size);
            return Err(error.into());
        }
        // `always` means a hash, and not that one was asked for.
        Err(error @ (RemoteError::Refused { .. } | RemoteError::Unsupported { .. }))
            if is_auto && !error.is_transient() =>
        {
            tools
                .events
                .message(format!("not compared by hash: {error}"));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    ensure_equal(path, how, local().await?, theirs)?;
    Ok(Some(how.algorithm().name()))
}

/// Refuses a file whose hashes differ.
pub(super) fn ensure_equal(
    path: &str,
    how: HashVerb,
    local: String,
    remote: String,
) -> Result<(), Error> {
    if local == remote {
        return Ok(());
    }
    Err(Error::HashMismatch {
        path: path.to_owned(),
        algorithm: how.algorithm().name(),
        local,
        remote,
    })
}

/// Asks for a hash. An answer without one will not be another the next time.
pub(super) async fn digest_of(
    remote: &mut dyn Remote,
    (path, size): (&str, Option<u64>),
    how: HashVerb,
) -> Result<String, RemoteError> {
    match remote.hash(path, how, size).await {
        Err(RemoteError::Protocol { .. }) if remote.is_usable() => Err(RemoteError::Unsupported {
            what: "hash in its reply to a command for one",
        }),
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_hashes_what_is_large_or_was_resumed() {
        let can = Abilities::of(&["HASH SHA-256"]);
        let cannot = Abilities::of(&["SIZE"]);
        let auto = |abilities, size, resumed| {
            choose(Verify::Auto, abilities, Some(size), resumed)
                .unwrap()
                .is_some()
        };
        assert!(auto(&can, LARGE, false) && auto(&can, 1, true));
        assert!(!auto(&can, LARGE - 1, false) && !auto(&cannot, LARGE, true));
        let unknown = choose(Verify::Auto, &can, None, false).unwrap();
        assert!(unknown.is_some(), "it may be large");
        assert!(choose(Verify::Always, &cannot, Some(1), false).is_err());
        assert_eq!(
            choose(Verify::Never, &can, Some(LARGE), true).unwrap(),
            None
        );
    }
}
