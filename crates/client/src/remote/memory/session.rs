//! A session with the server in memory.

use std::time::SystemTime;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::{Item, Memory, calls::missing, transfer::Transfer};
use crate::{
    cancel::Cancel,
    error::RemoteError,
    hex,
    remote::{
        Abilities, Data, Entry, HashAlgorithm, HashVerb, Kind, Listing, Remote, RemoteName, Reply,
        SessionFacts, Start, names,
    },
};

pub(super) struct Session {
    pub(super) server: Memory,
    pub(super) abilities: Abilities,
    pub(super) dir: String,
    pub(super) usable: bool,
}

impl Session {}

fn entry(name: &str, item: &Item) -> Option<Entry> {
    let kind = if item.content.is_some() {
        Kind::File
    } else {
        Kind::Dir
    };
    let mut entry = Entry::new(RemoteName::new(name).ok()?, kind);
    entry.size = item.content.as_ref().map(|content| content.len() as u64);
    entry.modified = Some(item.modified);
    Some(entry)
}

#[async_trait]
impl Remote for Session {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn facts(&self) -> SessionFacts {
        SessionFacts::default()
    }

    fn is_usable(&self) -> bool {
        self.usable
    }

    async fn pwd(&mut self) -> Result<String, RemoteError> {
        Ok(self.dir.clone())
    }

    async fn cwd(&mut self, dir: &str) -> Result<(), RemoteError> {
        self.dir = self.at(dir);
        Ok(())
    }

    async fn list(&mut self, dir: &str) -> Result<Listing, RemoteError> {
        self.call("MLSD", dir)?;
        let top = self.at(dir);
        if top != "/"
            && self
                .server
                .get(&top)
                .is_none_or(|item| item.content.is_some())
        {
            return Err(missing("MLSD", dir));
        }
        let prefix = format!("{}/", top.trim_end_matches('/'));
        let state = self.server.state();
        let entries = state
            .items
            .iter()
            .filter_map(|(path, item)| {
                let name = path.strip_prefix(&prefix)?;
                (!name.contains('/')).then(|| entry(name, item))?
            })
            .collect();
        Ok(Listing {
            entries,
            ..Listing::default()
        })
    }

    async fn stat(&mut self, path: &str) -> Result<Option<Entry>, RemoteError> {
        self.call("MLST", path)?;
        let path = self.at(path);
        let item = self.server.get(&path);
        Ok(item.and_then(|item| entry(names::split(&path).1, &item)))
    }

    async fn open_read(&mut self, path: &str, offset: u64) -> Result<Box<dyn Data>, RemoteError> {
        let content = self.item("RETR", path)?.content;
        let content = content.ok_or_else(|| missing("RETR", path))?;
        let at = usize::try_from(offset).map_or(content.len(), |at| at.min(content.len()));
        Ok(Box::new(Transfer {
            server: self.server.clone(),
            upload: None,
            bytes: content,
            at,
            cancel: Cancel::default(),
        }))
    }

    async fn open_write(&mut self, path: &str, start: Start) -> Result<Box<dyn Data>, RemoteError> {
        self.call("STOR", path)?;
        let path = self.at(path);
        let old = self.server.get(&path).and_then(|item| item.content);
        let mut bytes = old.unwrap_or_default();
        match start {
            Start::New => bytes.clear(),
            Start::At(offset) => bytes.truncate(usize::try_from(offset).unwrap_or(usize::MAX)),
            Start::Append => {}
        }
        Ok(Box::new(Transfer {
            server: self.server.clone(),
            upload: Some(path),
            at: bytes.len(),
            bytes,
            cancel: Cancel::default(),
        }))
    }

    async fn settle(&mut self) -> Result<(), RemoteError> {
        Ok(())
    }

    async fn size(&mut self, path: &str) -> Result<Option<u64>, RemoteError> {
        self.call("SIZE", path)?;
        let item = self.server.get(&self.at(path));
        Ok(item
            .and_then(|item| item.content)
            .map(|content| content.len() as u64))
    }

    async fn modified(&mut self, path: &str) -> Result<Option<SystemTime>, RemoteError> {
        self.call("MDTM", path)?;
        Ok(self.server.get(&self.at(path)).map(|item| item.modified))
    }

    async fn rename(&mut self, from: &str, to: &str) -> Result<(), RemoteError> {
        let item = self.item("RNFR", from)?;
        self.call("RNTO", to)?;
        let (from, to) = (self.at(from), self.at(to));
        let mut state = self.server.state();
        state.items.remove(&from);
        state.items.insert(to, item);
        Ok(())
    }

    async fn remove_file(&mut self, path: &str) -> Result<(), RemoteError> {
        self.remove("DELE", path)
    }

    async fn remove_dir(&mut self, path: &str) -> Result<(), RemoteError> {
        self.remove("RMD", path)
    }

    async fn make_dir(&mut self, path: &str) -> Result<bool, RemoteError> {
        self.call("MKD", path)?;
        let path = self.at(path);
        let mut state = self.server.state();
        let made = !state.items.contains_key(&path);
        state.items.entry(path).or_insert(Item {
            content: None,
            modified: SystemTime::UNIX_EPOCH,
        });
        Ok(made)
    }

    async fn set_modified(
        &mut self,
        path: &str,
        time: SystemTime,
    ) -> Result<Option<u64>, RemoteError> {
        self.item("MFMT", path)?;
        if let Some(item) = self.server.state().items.get_mut(&self.at(path)) {
            item.modified = time;
        }
        Ok(None)
    }

    async fn set_mode(&mut self, path: &str, _mode: u32) -> Result<(), RemoteError> {
        self.item("SITE CHMOD", path).map(drop)
    }

    async fn hash(
        &mut self,
        path: &str,
        how: HashVerb,
        _size: Option<u64>,
    ) -> Result<String, RemoteError> {
        let content = self.item("HASH", path)?.content.unwrap_or_default();
        match how {
            HashVerb::Hash(HashAlgorithm::Sha256) => Ok(hex::of(&Sha256::digest(content))),
            _ => Err(RemoteError::Unsupported { what: "such hash" }),
        }
    }

    async fn raw(&mut self, command: &str) -> Result<Reply, RemoteError> {
        self.call(command, "")?;
        let hangs = self.server.state().hangs.as_deref() == Some(command);
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(Reply::new(200, "ok"))
    }

    async fn quit(&mut self) {
        self.usable = false;
    }
}
