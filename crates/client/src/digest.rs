//! The hashes that both sides can compute.

use std::{
    fs::File,
    io::{self, Read, Seek as _},
    path::{Path, PathBuf},
};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{
    cancel::Cancel,
    error::Error,
    hex,
    remote::{HashAlgorithm, HashVerb},
    work::blocking,
};

/// A hash that is being computed.
#[derive(Clone)]
pub(crate) enum Digest {
    Sha256(Sha256),
    Sha1(Sha1),
    Md5(Md5),
    Crc32(crc32fast::Hasher),
}

impl Digest {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            HashAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            HashAlgorithm::Md5 => Self::Md5(Md5::new()),
            HashAlgorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(digest) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Md5(digest) => digest.update(bytes),
            Self::Crc32(digest) => digest.update(bytes),
        }
    }

    /// Returns lower-case hex.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Sha256(digest) => hex::of(&digest.finalize()),
            Self::Sha1(digest) => hex::of(&digest.finalize()),
            Self::Md5(digest) => hex::of(&digest.finalize()),
            Self::Crc32(digest) => format!("{:08x}", digest.finalize()),
        }
    }
}

/// Hashes a file from where it stands to its end. Blocks.
pub(crate) fn of_file(
    mut file: &File,
    algorithm: HashAlgorithm,
    cancel: &Cancel,
) -> io::Result<String> {
    let mut digest = Digest::new(algorithm);
    let mut block = vec![0; 256 * 1024];
    loop {
        if cancel.is_stopped() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match file.read(&mut block) {
            Ok(0) => return Ok(digest.finish()),
            Ok(count) => digest.update(&block[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hashes a local file as a server would, on a blocking thread.
///
/// # Errors
/// It cannot be read, or the run was interrupted.
pub(crate) async fn of_path(path: &Path, how: HashVerb, cancel: &Cancel) -> Result<String, Error> {
    let file = File::open(path).map_err(|error| Error::local("open", path, error))?;
    of_whole(file, path.to_owned(), how, cancel).await
}

/// Hashes a local file from its beginning, on a blocking thread; `shown` is its path for messages.
///
/// # Errors
/// It cannot be read, or the run was interrupted.
pub(crate) async fn of_whole(
    file: File,
    shown: PathBuf,
    how: HashVerb,
    cancel: &Cancel,
) -> Result<String, Error> {
    let cancel = cancel.clone();
    blocking(move || {
        (&file)
            .rewind()
            .and_then(|()| of_file(&file, how.algorithm(), &cancel))
            .map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => Error::Interrupted,
                _ => Error::local("read", shown, error),
            })
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_known_ones() {
        let of = |algorithm| {
            let mut digest = Digest::new(algorithm);
            digest.update(b"123456");
            digest.update(b"789");
            digest.finish()
        };
        assert_eq!(of(HashAlgorithm::Crc32), "cbf43926");
        assert_eq!(of(HashAlgorithm::Md5), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(
            of(HashAlgorithm::Sha1),
            "f7c3bc1d808e04732adf679965ccc34ca7ae3441"
        );
        assert_eq!(
            of(HashAlgorithm::Sha256),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
        );
    }
}
