//! The hash of a file, each server in its own way.

use std::time::Duration;

use super::{FtpRemote, commands::refused};
use crate::{
    error::RemoteError,
    remote::{HashAlgorithm, HashVerb, Reply},
};

/// How many bytes a second a server hashes at least, while it does other things too.
const SLOWEST: u64 = 10_000_000;

/// How long a hash is waited for.
fn limit_for(size: Option<u64>, finish: Duration) -> Duration {
    let reading = Duration::from_secs(size.unwrap_or_default() / SLOWEST);
    finish.saturating_add(reading)
}

/// Finds the digest in a reply: the first word of the last line that can be one. A path may look
/// like a digest, but it comes behind.
fn find_digest(reply: &Reply, algorithm: HashAlgorithm) -> Option<String> {
    let fits = |word: &&str| {
        let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex && match algorithm {
            HashAlgorithm::Sha256 => word.len() == 64,
            HashAlgorithm::Sha1 => word.len() == 40,
            HashAlgorithm::Md5 => word.len() == 32,
            HashAlgorithm::Crc32 => (1..=8).contains(&word.len()),
        }
    };
    let word = reply
        .lines
        .iter()
        .rev()
        .find_map(|line| line.split_whitespace().find(fits))?;
    Some(match algorithm {
        HashAlgorithm::Crc32 => format!("{:0>8}", word.to_ascii_lowercase()),
        _ => word.to_ascii_lowercase(),
    })
}

impl FtpRemote {
    pub(super) async fn hash_of(
        &mut self,
        path: &str,
        how: HashVerb,
        size: Option<u64>,
    ) -> Result<String, RemoteError> {
        let verb = match how {
            HashVerb::Hash(algorithm) => {
                if self.hash_set != Some(algorithm) {
                    self.expect("OPTS HASH", algorithm.name()).await?;
                    self.hash_set = Some(algorithm);
                }
                "HASH"
            }
            HashVerb::X(HashAlgorithm::Sha256) => "XSHA256",
            HashVerb::X(HashAlgorithm::Sha1) => "XSHA1",
            HashVerb::X(HashAlgorithm::Md5) => "XMD5",
            HashVerb::X(HashAlgorithm::Crc32) => "XCRC",
            HashVerb::Md5 => "MD5",
            HashVerb::SiteMd5 => "SITE MD5",
        };
        // The server reads the whole file before it answers.
        let line = format!("{verb} {path}");
        let limit = limit_for(size, self.deadlines.finish);
        let reply = self.command_within(&line, limit).await?;
        if !reply.is_ok() {
            return Err(refused(verb, path, reply));
        }
        find_digest(&reply, how.algorithm()).ok_or_else(|| RemoteError::Protocol {
            verb: verb.to_owned(),
            what: format!("no {} in `{reply}`", how.algorithm().name()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(lines: &[&str], algorithm: HashAlgorithm) -> Option<String> {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        find_digest(&Reply { code: 213, lines }, algorithm)
    }

    #[test]
    fn a_large_file_is_waited_for_longer() {
        let finish = Duration::from_secs(300);
        for (size, seconds) in [(None, 300), (Some(1 << 20), 300), (Some(1 << 40), 110_251)] {
            assert_eq!(limit_for(size, finish), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn a_digest_is_found_where_servers_put_it() {
        let sha = "A".repeat(64);
        let line = format!("SHA-256 0-49 {sha} {}", "b".repeat(64));
        let found = digest(&["Computing SHA-256 digest", &line], HashAlgorithm::Sha256);
        assert_eq!(found, Some("a".repeat(64)));
        assert_eq!(
            digest(&["1F3"], HashAlgorithm::Crc32).as_deref(),
            Some("000001f3")
        );
        assert_eq!(digest(&["no such digest"], HashAlgorithm::Md5), None);
    }
}
