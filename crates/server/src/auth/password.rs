//! Passwords: made and proved with argon2id, off the runtime, behind a semaphore.
//!
//! Every check costs one argon2 run, whether the name exists or not, so time tells nothing. A
//! proven credential is remembered as a keyed digest in memory, so that a client that opens many
//! connections pays once. Nothing here knows names' rules or writes a file.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    thread,
};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHasher, Version,
    password_hash::phc::{Output, PasswordHash},
};
use ftp_config::{Secret, defaults::SAMPLE_PASSWORD, server::Password};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::hands;

/// The most proven credentials remembered; at the cap all are forgotten.
const MOST_PROVEN: usize = 4_096;
/// Blocks of 1 KiB that lie in memory of their own.
const OWN_MAPPING: usize = 33 << 10;

/// Why a password could not be hashed.
#[derive(Debug, Error)]
#[error("hash the password: {0}")]
pub struct HashError(String);

impl HashError {
    /// The system gives no random bytes.
    pub(super) fn no_randomness(cause: &str) -> Self {
        Self(cause.to_owned())
    }
}

/// Hashes a password as an argon2id PHC string with a fresh salt. Blocks for tens of milliseconds.
///
/// # Errors
/// [`HashError`] when the system gives no random bytes.
pub fn hash(password: &Secret) -> Result<String, HashError> {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.expose().as_bytes())
        .map_err(|e| HashError(e.to_string()))?;
    Ok(hash.to_string())
}

/// Proves passwords.
pub struct Verifier {
    permits: Semaphore,
    key: [u8; 32],
    decoy: String,
    proven: Mutex<HashSet<[u8; 32]>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(***)")
    }
}

impl Verifier {
    /// Makes a verifier with its own key and decoy.
    ///
    /// # Errors
    /// [`HashError`] when the system gives no random bytes.
    pub fn new() -> Result<Self, HashError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|e| HashError(e.to_string()))?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            permits: Semaphore::new(cores),
            key,
            decoy: hash(&Secret::new("no password is this one"))?,
            proven: Mutex::default(),
        })
    }

    /// Tells whether `password` is the one that `known` asks for; `None` is a user who cannot log
    /// in, for whom the same time is spent and the answer is no.
    pub async fn proves(&self, name: &str, password: &Secret, known: Option<&Password>) -> bool {
        let (asked, sample) = match known {
            Some(Password::Hash(hash)) => (Some(hash.expose()), false),
            Some(Password::Sample) => (None, true),
            Some(Password::Unset) | None => (None, false),
        };
        let digest = self.digest(name, password, asked.unwrap_or(SAMPLE_PASSWORD));
        let may_pass = asked.is_some() || sample;
        if may_pass && self.remembered().contains(&digest) {
            return true;
        }
        let Ok(permit) = self.permits.acquire().await else {
            return false;
        };
        // A thousand sessions of one client come at once: those that waited need no argon2 of
        // their own when one before them proved the same.
        if may_pass && self.remembered().contains(&digest) {
            return true;
        }
        let hash = asked.unwrap_or(&self.decoy).to_owned();
        let hashes_match = run_argon2(password.clone(), hash).await;
        let proved = (asked.is_some() && hashes_match)
            || (sample && constant_time_eq(password.expose(), SAMPLE_PASSWORD));
        if proved {
            self.remember(digest);
        }
        drop(permit);
        proved
    }

    /// Forgets every proven credential; called when the accounts change.
    pub fn forget(&self) {
        self.remembered().clear();
    }

    fn digest(&self, name: &str, password: &Secret, hash: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.key);
        for part in [name, password.expose(), hash] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        digest.update(self.key);
        digest.finalize().into()
    }

    fn remember(&self, digest: [u8; 32]) {
        let mut proven = self.remembered();
        if proven.len() >= MOST_PROVEN {
            proven.clear();
        }
        proven.insert(digest);
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 32]>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run_argon2(password: Secret, hash: String) -> bool {
    hands::run_soon(move |_| matches_hash(password.expose().as_bytes(), &hash).unwrap_or(false))
        .await
}

/// Runs argon2 as the PHC string says; `None`: it is none that this program can prove.
fn matches_hash(password: &[u8], hash: &str) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash
        .version
        .map_or(Ok(Version::default()), Version::try_from);
    let params = Params::try_from(&hash).ok()?;
    // More than the system's allocator ever takes from what it keeps for itself (32 MiB): this memory goes
    // back to the system at once. What is not touched takes no place.
    let blocks = params.block_count();
    let mut memory = Vec::new();
    memory.try_reserve_exact(blocks.max(OWN_MAPPING)).ok()?;
    memory.resize(blocks, Block::default());
    let mut found = vec![0; expected.len()];
    Argon2::new(algorithm, version.ok()?, params)
        .hash_password_into_with_memory(password, salt, &mut found, &mut memory)
        .ok()?;
    Some(Output::new(&found).ok()? == *expected)
}

fn constant_time_eq(a: &str, b: &str) -> bool {
    Sha256::digest(a.as_bytes()) == Sha256::digest(b.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(password: &str) -> Password {
        Password::Hash(Secret::new(hash(&Secret::new(password)).unwrap()))
    }

    #[tokio::test]
    async fn the_right_password_and_no_other_is_proved() {
        let verifier = Verifier::new().unwrap();
        let ann = known("hunter2");
        for _ in 0..2 {
            assert!(
                verifier
                    .proves("ann", &Secret::new("hunter2"), Some(&ann))
                    .await
            );
        }
        assert!(
            !verifier
                .proves("ann", &Secret::new("hunter3"), Some(&ann))
                .await
        );
        assert!(
            !verifier
                .proves("ann", &Secret::new(""), Some(&Password::Unset))
                .await
        );
        assert!(!verifier.proves("eve", &Secret::new("hunter2"), None).await);
        assert_eq!(verifier.remembered().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn every_refusal_pays_for_one_proof() {
        let verifier = Verifier::new().unwrap();
        let ann = known("hunter2");
        let wrong = Secret::new("wrong");
        let cores = u32::try_from(verifier.permits.available_permits()).unwrap();
        let all = verifier.permits.acquire_many(cores).await.unwrap();
        let hour = std::time::Duration::from_secs(3600);
        for who in [Some(&ann), Some(&Password::Unset), None] {
            let answer = tokio::time::timeout(hour, verifier.proves("ann", &wrong, who)).await;
            assert!(answer.is_err(), "{who:?} was answered without a proof");
        }
        drop(all);
        assert!(!verifier.proves("ann", &wrong, None).await);
    }

    #[tokio::test]
    async fn a_new_hash_is_not_proved_by_the_old_digest() {
        let verifier = Verifier::new().unwrap();
        assert!(
            verifier
                .proves("ann", &Secret::new("old"), Some(&known("old")))
                .await
        );
        assert!(
            !verifier
                .proves("ann", &Secret::new("old"), Some(&known("new")))
                .await
        );
        verifier.forget();
        assert!(verifier.remembered().is_empty());
    }

    #[tokio::test]
    async fn those_who_waited_take_the_answer_of_the_one_before() {
        let verifier = Verifier::new().unwrap();
        let ann = known("hunter2");
        let Password::Hash(hash) = &ann else {
            unreachable!("known makes a hash")
        };
        // Not the password of the hash: only what is remembered can say yes.
        let other = Secret::new("hunter3");
        let cores = u32::try_from(verifier.permits.available_permits()).unwrap();
        let all = verifier.permits.acquire_many(cores).await.unwrap();
        let (proved, ()) = tokio::join!(verifier.proves("ann", &other, Some(&ann)), async {
            verifier.remember(verifier.digest("ann", &other, hash.expose()));
            drop(all);
        });
        assert!(proved);
    }

    #[tokio::test]
    async fn the_sample_password_is_for_the_sample_user_only() {
        let verifier = Verifier::new().unwrap();
        let demo = Secret::new("demo");
        assert!(
            verifier
                .proves("demo", &demo, Some(&Password::Sample))
                .await
        );
        assert!(
            !verifier
                .proves("demo", &Secret::new("Demo"), Some(&Password::Sample))
                .await
        );
        assert!(
            !verifier
                .proves("eve", &Secret::new("no password is this one"), None)
                .await
        );
    }
}
