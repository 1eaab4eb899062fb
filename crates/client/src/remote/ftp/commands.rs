//! What a session is asked for, verb by verb, each over the one raw primitive.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{Act, FtpRemote, list::is_empty_directory, reply, stat::name_of};
use crate::{
    error::RemoteError,
    remote::{
        Abilities, Data, Entry, HashAlgorithm, HashVerb, Kind, Listing, Next, Remote, Reply,
        SessionFacts, Start, listing,
    },
};

/// How this server sets times, once known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetTime {
    /// Not tried yet.
    Unknown,
    /// `MFMT time name`.
    Mfmt,
    /// `MDTM time name` (vsftpd).
    Mdtm,
    /// `SITE UTIME time name`.
    Utime,
    /// Not at all.
    Never,
}

pub(super) fn is_unknown_verb(code: u16) -> bool {
    matches!(code, 500 | 501 | 502 | 504)
}

impl FtpRemote {
    async fn try_time(
        &mut self,
        how: SetTime,
        stamp: &str,
        path: &str,
    ) -> Result<Reply, RemoteError> {
        let verb = match how {
            SetTime::Mfmt => "MFMT",
            SetTime::Mdtm => "MDTM",
            SetTime::Utime | SetTime::Unknown | SetTime::Never => "SITE UTIME",
        };
        let line = format!("{verb} {stamp} {path}");
        let reply = self.answer(verb, &line).await?;
        match reply.is_ok() {
            true => Ok(reply),
            false => Err(refused(verb, path, reply)),
        }
    }
}

/// Files whose times a server may refuse before it is taken for one that keeps none.
const TIMES_REFUSED: u32 = 8;

/// Tells whether a time lies where some servers and disks have none: before 1970 or after 2038.
fn is_unusual(time: SystemTime) -> bool {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(true, |since| since.as_secs() > i32::MAX as u64)
}

/// Finds a size among the facts of an answer to MFMT (`213 Modify=20240102030405;Size=5; a.txt`).
fn told_size(reply: &Reply, path: &str) -> Option<u64> {
    let begins = reply.text().get(..7)?;
    if reply.code != 213 || !begins.eq_ignore_ascii_case("Modify=") {
        return None;
    }
    listing::parse_mlst(reply.text(), name_of(path))?.size
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

#[async_trait]
impl Remote for FtpRemote {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn facts(&self) -> SessionFacts {
        self.facts.clone()
    }

    fn is_usable(&self) -> bool {
        self.health.is_ready()
    }

    async fn pwd(&mut self) -> Result<String, RemoteError> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let reply = self.expect("PWD", "").await?;
        let dir = reply::quoted(reply.text()).ok_or_else(|| RemoteError::Protocol {
            verb: "PWD".to_owned(),
            what: format!("no path in `{reply}`"),
        })?;
        self.dir = Some(dir.clone());
        Ok(dir)
    }

    async fn cwd(&mut self, dir: &str) -> Result<(), RemoteError> {
        self.expect("CWD", dir).await?;
        self.dir = None;
        Ok(())
    }

    async fn list(&mut self, dir: &str) -> Result<Listing, RemoteError> {
        if !self.abilities.mlst() || self.mlst_refused {
            return self.list_plain(dir).await;
        }
        match self.list_with("MLSD", dir).await {
            Err(RemoteError::Refused { reply, .. }) if is_unknown_verb(reply.code) => {
                self.mlst_refused = true;
                self.list_plain(dir).await
            }
            Err(RemoteError::Refused { reply, .. }) if is_empty_directory(&reply, dir) => {
                Ok(Listing::default())
            }
            other => other,
        }
    }

    async fn stat(&mut self, path: &str) -> Result<Option<Entry>, RemoteError> {
        match self.stat_by_mlst(path).await? {
            Some(answer) => Ok(answer),
            None => self.stat_by_trying(path).await,
        }
    }

    fn foresee(&mut self, next: Next) {
        self.block.foresee(next);
    }

    /// AVBL, of draft-peterson-streamlined-ftp-command-extensions §4. Whoever may not ask is not told.
    async fn free_space(&mut self, dir: &str) -> Result<Option<u64>, RemoteError> {
        if !self.abilities.has("AVBL") {
            return Ok(None);
        }
        let line = match dir {
            "" => "AVBL".to_owned(),
            dir => format!("AVBL {dir}"),
        };
        let reply = self.command(&line).await?;
        Ok(reply
            .text()
            .trim()
            .parse()
            .ok()
            .filter(|_| reply.code == 213))
    }

    async fn open_read(&mut self, path: &str, offset: u64) -> Result<Box<dyn Data>, RemoteError> {
        self.begin(Act::Receive("RETR", path), offset).await
    }

    async fn open_write(&mut self, path: &str, start: Start) -> Result<Box<dyn Data>, RemoteError> {
        let offset = match start {
            Start::At(offset) => offset,
            Start::New | Start::Append => 0,
        };
        self.begin(Act::Store(path, start), offset).await
    }

    async fn settle(&mut self) -> Result<(), RemoteError> {
        if !self.health.enter_unsettled() {
            return match self.health.is_ready() {
                true => Ok(()),
                false => Err(RemoteError::Poisoned),
            };
        }
        let limit = self.deadlines.reply.min(Duration::from_secs(5));
        let outcome = tokio::time::timeout(limit, self.resync())
            .await
            .unwrap_or(Err(RemoteError::Poisoned));
        match outcome {
            Ok(()) => self.health.ready(),
            Err(_) => self.health.broken(),
        }
        outcome
    }

    async fn size(&mut self, path: &str) -> Result<Option<u64>, RemoteError> {
        self.undo().await?;
        let reply = self.command(&format!("SIZE {path}")).await?;
        let size = reply.text().split_whitespace().next();
        // 450: some say so of every file that is not there (nodeftpd).
        self.size_untold = matches!(reply.code, 450 | 500 | 502);
        match reply.code {
            213 => Ok(size.and_then(|word| word.parse().ok())),
            450 => Ok(None),
            400..=499 => Err(refused("SIZE", path, reply)),
            _ => Ok(None),
        }
    }

    async fn modified(&mut self, path: &str) -> Result<Option<SystemTime>, RemoteError> {
        let reply = self.command(&format!("MDTM {path}")).await?;
        let stamp = reply.text().split_whitespace().next();
        match reply.code {
            213 => Ok(stamp.and_then(listing::parse_time)),
            400..=499 => Err(refused("MDTM", path, reply)),
            _ => Ok(None),
        }
    }

    async fn rename(&mut self, from: &str, to: &str) -> Result<(), RemoteError> {
        let reply = self.command(&format!("RNFR {from}")).await?;
        if !(200..400).contains(&reply.code) {
            return Err(refused("RNFR", from, reply));
        }
        self.expect("RNTO", to).await.map(drop)
    }

    async fn remove_file(&mut self, path: &str) -> Result<(), RemoteError> {
        self.expect("DELE", path).await.map(drop)
    }

    async fn remove_dir(&mut self, path: &str) -> Result<(), RemoteError> {
        self.expect("RMD", path).await.map(drop)
    }

    async fn make_dir(&mut self, path: &str) -> Result<bool, RemoteError> {
        let reply = self.answer("MKD", &format!("MKD {path}")).await?;
        if reply.is_ok() || reply.code == 521 {
            return Ok(reply.is_ok());
        }
        let text = reply.text().to_ascii_lowercase();
        let says_taken = text.contains("exists") && !text.contains("no such");
        let refusal = refused("MKD", path, reply);
        if refusal.is_transient() {
            return Err(refusal);
        }
        match self.stat(path).await? {
            Some(entry) if entry.kind == Kind::Dir => Ok(false),
            // A drop box shows nothing, but may be entered.
            None if says_taken && self.can_enter(path).await? => Ok(false),
            _ => Err(refusal),
        }
    }

    async fn set_modified(
        &mut self,
        path: &str,
        time: SystemTime,
    ) -> Result<Option<u64>, RemoteError> {
        let Some(stamp) = listing::format_time(time) else {
            return Err(RemoteError::Unsupported {
                what: "times beyond the year 9999",
            });
        };
        match self.set_time {
            SetTime::Never => return Ok(None),
            SetTime::Unknown => {}
            known => {
                let reply = self.try_time(known, &stamp, path).await?;
                return Ok(told_size(&reply, path));
            }
        }
        let offered = [
            (SetTime::Mfmt, self.abilities.has("MFMT")),
            (SetTime::Mdtm, self.abilities.has("MDTM")),
            (SetTime::Utime, self.abilities.has("SITE")),
        ];
        let mut refusal = None;
        for (how, _) in offered.into_iter().filter(|row| row.1) {
            match self.try_time(how, &stamp, path).await {
                Ok(reply) => {
                    self.set_time = how;
                    return Ok(told_size(&reply, path));
                }
                Err(error @ RemoteError::Refused { .. }) if !error.is_transient() => {
                    refusal.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        // One file may be somebody else's, or one time may be too old: the next ones are tried too.
        self.times_refused += 1;
        if self.times_refused >= TIMES_REFUSED {
            self.set_time = SetTime::Never;
        }
        refusal.filter(|_| is_unusual(time)).map_or(Ok(None), Err)
    }

    async fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), RemoteError> {
        let line = format!("SITE CHMOD {:03o} {path}", mode & 0o7777);
        let reply = self.answer("SITE CHMOD", &line).await?;
        if reply.is_ok() {
            return Ok(());
        }
        Err(refused("SITE CHMOD", path, reply))
    }

    async fn hash(&mut self, path: &str, how: HashVerb) -> Result<String, RemoteError> {
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
        let reply = self.command_within(&line, self.deadlines.finish).await?;
        if !reply.is_ok() {
            return Err(refused(verb, path, reply));
        }
        find_digest(&reply, how.algorithm()).ok_or_else(|| RemoteError::Protocol {
            verb: verb.to_owned(),
            what: format!("no {} in `{reply}`", how.algorithm().name()),
        })
    }

    fn number(&self) -> u64 {
        self.number
    }

    async fn raw(&mut self, command: &str) -> Result<Reply, RemoteError> {
        self.dir = None;
        let reply = self.command(command).await?;
        self.block.overheard(command, &reply);
        self.undo.overheard(command, &reply);
        Ok(reply)
    }

    async fn quit(&mut self) {
        let limit = Duration::from_secs(2);
        let _gone = self.command_within("QUIT", limit).await;
        self.health.broken();
    }
}

fn refused(verb: &str, path: &str, reply: Reply) -> RemoteError {
    RemoteError::Refused {
        verb: verb.to_owned(),
        path: Some(path.to_owned()),
        reply,
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
