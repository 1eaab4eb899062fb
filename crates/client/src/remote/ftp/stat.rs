//! What is under a name: MLST (RFC 3659 §7), or what SIZE, CWD and the listing tell of it.

use std::io;

use super::{FtpRemote, commands::refused, reply::is_unknown_verb};
use crate::{
    error::RemoteError,
    remote::{Entry, Kind, Remote as _, RemoteName, listing, names},
};

/// What MLST tells of a path.
pub(super) enum ByMlst {
    Entry(Entry),
    /// Nothing is there, or may be seen.
    Nothing,
    /// The server has no such verb, or its answer is not to be read.
    Untold,
}

/// What the last SIZE tells of a path where it tells no size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NoSize {
    /// That no file is there.
    #[default]
    Nothing,
    /// Nothing.
    Untold,
    /// That something is there: 213 without a number (ftp-srv, of empty files).
    There,
}

impl NoSize {
    pub(super) fn told_by(code: u16) -> Self {
        match code {
            213 => Self::There,
            // 450: some say so of every file that is not there (nodeftpd).
            450 | 500 | 502 => Self::Untold,
            _ => Self::Nothing,
        }
    }
}

impl FtpRemote {
    pub(super) async fn stat_by_mlst(&mut self, path: &str) -> Result<ByMlst, RemoteError> {
        if !self.abilities.mlst() || self.mlst_refused {
            return Ok(ByMlst::Untold);
        }
        let line = if path.is_empty() {
            "MLST".to_owned()
        } else {
            format!("MLST {path}")
        };
        let reply = self.command(&line).await?;
        if is_unknown_verb(reply.code) {
            self.mlst_refused = true;
            return Ok(ByMlst::Untold);
        }
        if reply.code == 550 || reply.code == 553 {
            return Ok(ByMlst::Nothing);
        }
        match listing::in_mlst(&reply, &name_of(path)) {
            Some(entry) if reply.is_ok() && listing::tells_kind(&reply) => Ok(ByMlst::Entry(entry)),
            _ if reply.is_ok() => Ok(ByMlst::Untold),
            _ => Err(RemoteError::Refused {
                verb: "MLST".to_owned(),
                path: Some(path.to_owned()),
                reply,
            }),
        }
    }

    /// Without MLST: what has a size is a file, what can be entered a directory. Where SIZE does not
    /// tell, the listing says what is there.
    pub(super) async fn stat_by_trying(
        &mut self,
        path: &str,
    ) -> Result<Option<Entry>, RemoteError> {
        let named = !path.is_empty() && path != "/";
        if named && let Some(size) = self.size(path).await? {
            if self.sizes_dirs().await? && self.can_enter(path).await? {
                return Ok(Some(Entry::new(name_of(path), Kind::Dir)));
            }
            let mut entry = Entry::new(name_of(path), Kind::File);
            entry.size = Some(size);
            entry.modified = self.modified(path).await?;
            return Ok(Some(entry));
        }
        let no_size = self.no_size;
        if self.can_enter(path).await? {
            return Ok(Some(Entry::new(name_of(path), Kind::Dir)));
        }
        match no_size {
            _ if !named => Ok(None),
            NoSize::Nothing => Ok(None),
            NoSize::Untold => self.stat_by_listing(path).await,
            NoSize::There => {
                let listed = self.stat_by_listing(path).await?;
                // The listing may spell it in another way.
                Ok(listed.or_else(|| Some(Entry::new(name_of(path), Kind::File))))
            }
        }
    }

    /// Whether this server tells a size of directories too (Twisted, ftp-srv): asked of the one that
    /// the session is in.
    async fn sizes_dirs(&mut self) -> Result<bool, RemoteError> {
        if let Some(known) = self.sizes_dirs {
            return Ok(known);
        }
        let here = self.pwd().await?;
        let sized = self.size(&here).await?.is_some();
        self.sizes_dirs = Some(sized);
        Ok(sized)
    }

    /// Tells whether a path is a directory that may be entered, by entering it and going back. Only 5xx says
    /// that it is none: what is refused for the moment (4xx) may be there, and hold the only copy of a file.
    pub(super) async fn can_enter(&mut self, path: &str) -> Result<bool, RemoteError> {
        let back = self.pwd().await?;
        let line = format!("CWD {}", if path.is_empty() { "." } else { path });
        let reply = self.command(&line).await?;
        match reply.code {
            400..=499 => return Err(refused("CWD", path, reply)),
            _ if reply.is_ok() => {}
            _ => return Ok(false),
        }
        self.go_back(&back).await?;
        Ok(true)
    }

    /// MLST may show a link as what it leads to (`ftpd` does); LIST does not.
    pub(super) async fn is_listed_as_link(&mut self, path: &str) -> Result<bool, RemoteError> {
        match self.stat_by_listing(path).await {
            Ok(entry) => Ok(entry.is_some_and(|entry| entry.kind == Kind::Link)),
            Err(_) if self.health.is_ready() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn stat_by_listing(&mut self, path: &str) -> Result<Option<Entry>, RemoteError> {
        let (dir, name) = names::split(path);
        match self.list_plain(dir).await {
            Ok(listing) => {
                let mut entries = listing.entries.into_iter();
                match (
                    entries.find(|entry| entry.name.as_str() == name),
                    listing.lack,
                ) {
                    // It may be one of those that are missing.
                    (None, Some(lack)) => Err(RemoteError::Io {
                        verb: "LIST".to_owned(),
                        source: io::Error::new(io::ErrorKind::InvalidData, lack.to_string()),
                    }),
                    (found, _) => Ok(found),
                }
            }
            // 450: ProFTPD says so of a directory that is not there.
            Err(RemoteError::Refused { reply, .. })
                if self.health.is_ready() && matches!(reply.code, 450 | 500..) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The name shown for a path; the root has none of its own.
pub(super) fn name_of(path: &str) -> RemoteName {
    let name = names::split(path).1;
    RemoteName::new(name)
        .or_else(|_| RemoteName::new("root"))
        .unwrap_or_else(|_| unreachable!("`root` is one safe component"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_has_a_name_to_show() {
        assert_eq!(name_of("/").as_str(), "root");
        assert_eq!(name_of("/a/b/").as_str(), "b");
    }
}
