//! What a session is asked for, verb by verb, each over the one raw primitive.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{
    Act, FtpRemote, reply,
    stat::{ByMlst, NoSize},
    told::is_empty_directory,
};
use crate::{
    error::RemoteError,
    remote::{
        Abilities, Data, Entry, HashVerb, Kind, Lack, Listing, Next, Remote, Reply, SessionFacts,
        Start, listing,
    },
};

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
        if !self.abilities.mlst() || self.mlsd_refused {
            return self.list_plain(dir).await;
        }
        let listed = match self.abilities.has("MLST") {
            true => self.list_with("MLSD", dir).await,
            // RFC 3659 §7.8 announces both by that one. Some that say MLSD alone (on microcontrollers) list the
            // directory that they are in, whatever is named.
            false => self.list_inside("MLSD", dir).await,
        };
        match listed {
            Ok(by_facts) if by_facts.lack == Some(Lack::Kinds) => {
                self.list_kinds(dir, by_facts).await
            }
            Err(RemoteError::Refused { reply, .. }) if reply::is_unknown_verb(reply.code) => {
                self.mlsd_refused = true;
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
            ByMlst::Entry(entry) => Ok(Some(entry)),
            ByMlst::Nothing => Ok(None),
            ByMlst::Untold => self.stat_by_trying(path).await,
        }
    }

    async fn is_link(&mut self, path: &str) -> Result<bool, RemoteError> {
        self.is_listed_as_link(path).await
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
        let free = reply.text().trim().parse().ok();
        Ok(free.filter(|_| reply.code == 213))
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
        let size = size.and_then(|word| word.parse().ok());
        self.no_size = NoSize::told_by(reply.code);
        match reply.code {
            213 => Ok(size),
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
        if !reply.is_ok() && !(300..400).contains(&reply.code) {
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
        self.set_time_of(path, time).await
    }

    async fn hash(
        &mut self,
        path: &str,
        how: HashVerb,
        size: Option<u64>,
    ) -> Result<String, RemoteError> {
        self.hash_of(path, how, size).await
    }

    async fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), RemoteError> {
        let line = format!("SITE CHMOD {:03o} {path}", mode & 0o7777);
        let reply = self.answer("SITE CHMOD", &line).await?;
        if reply.is_ok() {
            return Ok(());
        }
        Err(refused("SITE CHMOD", path, reply))
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

pub(super) fn refused(verb: &str, path: &str, reply: Reply) -> RemoteError {
    RemoteError::Refused {
        verb: verb.to_owned(),
        path: Some(path.to_owned()),
        reply,
    }
}
