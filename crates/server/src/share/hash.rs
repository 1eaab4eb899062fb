//! Digests of files: streamed, stoppable, and few at a time.

use std::{
    fs::File,
    io::Read as _,
    ops::Range,
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ftp_config::SharePath;
use sha2::Digest;

use super::ShareError;
use crate::hex;

const BLOCK: usize = 1 << 20;
/// Bytes that are read without a place.
const SMALL: u64 = 4 << 20;

/// A digest that HASH and the X commands know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-32 (IEEE 802.3).
    Crc32,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every digest, in the order of FEAT.
    pub const ALL: [Self; 5] = [
        Self::Sha256,
        Self::Sha512,
        Self::Sha1,
        Self::Md5,
        Self::Crc32,
    ];

    /// The name by the IANA registry of hash functions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Returns the digest of that name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// A few places for readers of whole files, so that digests cannot starve transfers.
#[derive(Debug)]
pub(super) struct Places {
    free: Mutex<usize>,
    back: Condvar,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Mutex::new(count),
            back: Condvar::new(),
        }
    }

    /// Waits for a place; `None` when stopped meanwhile.
    fn take(&self, stop: &AtomicBool) -> Option<Place<'_>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let waited = self.back.wait_timeout(free, Duration::from_millis(100));
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Some(Place(self))
    }
}

struct Place<'a>(&'a Places);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.back.notify_one();
    }
}

/// Reads `range` of `file` and returns its digest in lower-case hex.
pub(super) fn digest(
    places: &Places,
    file: &File,
    path: &SharePath,
    algorithm: Algorithm,
    range: Range<u64>,
    stop: &AtomicBool,
) -> Result<String, ShareError> {
    let stopped = || ShareError::Stopped { path: path.clone() };
    // What is read in a moment waits for nobody's large file.
    let is_small = range.end.saturating_sub(range.start) <= SMALL;
    let _place = match is_small {
        true => None,
        false => Some(places.take(stop).ok_or_else(stopped)?),
    };
    let mut state = State::new(algorithm);
    let mut block = vec![0; BLOCK];
    let mut left = range.end.saturating_sub(range.start);
    let mut file = file;
    while left > 0 {
        if stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let want = left.min(BLOCK as u64) as usize;
        let n = file
            .read(&mut block[..want])
            .map_err(|error| ShareError::from_io(path, error))?;
        if n == 0 {
            break;
        }
        state.update(&block[..n]);
        left -= n as u64;
    }
    Ok(state.finish())
}

enum State {
    Crc32(crc32fast::Hasher),
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl State {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Algorithm::Md5 => Self::Md5(Digest::new()),
            Algorithm::Sha1 => Self::Sha1(Digest::new()),
            Algorithm::Sha256 => Self::Sha256(Digest::new()),
            Algorithm::Sha512 => Self::Sha512(Digest::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(state) => state.update(bytes),
            Self::Md5(state) => state.update(bytes),
            Self::Sha1(state) => state.update(bytes),
            Self::Sha256(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Crc32(state) => format!("{:08x}", state.finalize()),
            Self::Md5(state) => hex::of(&state.finalize()),
            Self::Sha1(state) => hex::of(&state.finalize()),
            Self::Sha256(state) => hex::of(&state.finalize()),
            Self::Sha512(state) => hex::of(&state.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Algorithm, range: Range<u64>) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "xxabc").unwrap();
        let mut file = File::open(&path).unwrap();
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(range.start)).unwrap();
        let stop = AtomicBool::new(false);
        digest(
            &Places::new(1),
            &file,
            &SharePath::root(),
            algorithm,
            range,
            &stop,
        )
        .unwrap()
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        // FIPS 180-4 and RFC 1321 examples for "abc".
        assert_eq!(
            of(Algorithm::Sha1, 2..5),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert_eq!(of(Algorithm::Md5, 2..5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of(Algorithm::Crc32, 2..5), "352441c2");
        assert!(of(Algorithm::Sha256, 2..5).starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert!(of(Algorithm::Sha512, 2..5).starts_with("ddaf35a193617abacc417349ae204131"));
    }

    #[test]
    fn a_stop_ends_even_the_wait_for_a_place() {
        let places = Places::new(0);
        assert!(places.take(&AtomicBool::new(true)).is_none());
    }
}
