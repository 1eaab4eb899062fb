//! Listings: MLSD, or LIST put right by the server's clock.

use std::{io, time::SystemTime};

use super::{
    FtpRemote,
    act::Act,
    reply::out_of_step,
    told::{is_empty_directory, tells_of_a_lack},
};
use crate::{
    error::{Phase, RemoteError},
    remote::{
        Data, Kind, Lack, Listing, Remote as _, RemoteName, Reply,
        listing::{Endless, Format, Reader},
        names::Codec,
    },
};

impl FtpRemote {
    /// Lists by MLSD or LIST; `path` is what stands behind the verb, perhaps options.
    pub(super) async fn list_with(
        &mut self,
        verb: &'static str,
        path: &str,
    ) -> Result<Listing, RemoteError> {
        let mut data = match self.begin_list(Act::Receive(verb, path)).await {
            Ok(data) => data,
            // Some servers answer an empty directory at once, without a data connection.
            Err(RemoteError::Refused { reply, .. }) if matches!(reply.code, 226 | 250) => {
                return self.told_at_once(verb, &reply).await;
            }
            Err(error) => return Err(error),
        };
        data.end_within(self.deadlines.reply);
        let codec = std::sync::Arc::clone(&self.codec);
        let Heard {
            mut listing,
            has_total,
            is_nothing,
        } = match read(&mut data, verb, &codec).await {
            Err(Broken::Cut(error)) => return Err(self.cut(verb, error)),
            Err(Broken::TooLarge(error)) => return Err(error),
            Ok(heard) => heard,
        };
        let reply = data.end_with_reply().await?;
        if tells_of_a_lack(&reply, path) {
            if listing.entries.is_empty() {
                let (verb, path) = (verb.to_owned(), Some(path.to_owned()));
                return Err(RemoteError::Refused { verb, path, reply });
            }
            listing.lack = Some(Lack::Told(reply.to_string()));
        }
        self.lists_totals |= has_total;
        if is_nothing && verb == "LIST" && self.lists_totals {
            listing.lack = Some(Lack::Silent);
        }
        Ok(listing)
    }

    /// Takes an empty directory that was told without a data connection, unless that reply is one too many, of
    /// before: then the directory's own is still to come.
    async fn told_at_once(&mut self, verb: &str, reply: &Reply) -> Result<Listing, RemoteError> {
        match self.command("PWD").await {
            Ok(dir) if dir.code == 257 => Ok(Listing::default()),
            Ok(_) | Err(RemoteError::Protocol { .. }) => self.give_up(out_of_step(verb, reply)),
            Err(error) => Err(error),
        }
    }

    fn cut(&self, verb: &str, source: io::Error) -> RemoteError {
        if source.kind() == io::ErrorKind::TimedOut {
            return RemoteError::Timeout {
                phase: Phase::Data,
                after: self.deadlines.stalled,
            };
        }
        RemoteError::Io {
            verb: verb.to_owned(),
            source,
        }
    }

    /// LIST of a server without MLSD: from inside the directory, since a path could be taken for
    /// options or a pattern, and with `-a`, since hidden names belong to a tree too.
    pub(super) async fn list_plain(&mut self, dir: &str) -> Result<Listing, RemoteError> {
        let mut listing = self.list_inside("LIST", dir).await?;
        self.set_clock(dir, &mut listing).await;
        Ok(listing)
    }

    /// Takes the kinds from LIST where MLSD does not tell them; what is told by neither is left as it is, and the
    /// listing is said to lack it.
    pub(super) async fn list_kinds(
        &mut self,
        dir: &str,
        mut by_facts: Listing,
    ) -> Result<Listing, RemoteError> {
        let plain = match self.list_plain(dir).await {
            Err(RemoteError::Refused { .. }) if self.health.is_ready() => Listing::default(),
            other => other?,
        };
        let listed = |name: &RemoteName| {
            let at = plain.entries.binary_search_by(|entry| entry.name.cmp(name));
            at.ok().map(|at| &plain.entries[at])
        };
        let mut is_told = true;
        for entry in &mut by_facts.entries {
            if entry.kind != Kind::Other {
                continue;
            }
            match listed(&entry.name) {
                Some(other) => entry.fill_from(other),
                None => is_told = false,
            }
        }
        if is_told {
            by_facts.lack = plain.lack;
        }
        Ok(by_facts)
    }

    /// Lists a directory from inside, and goes back.
    pub(super) async fn list_inside(
        &mut self,
        verb: &'static str,
        dir: &str,
    ) -> Result<Listing, RemoteError> {
        let back = self.pwd().await?;
        let moves = !dir.is_empty() && dir != "." && dir != back;
        if moves {
            self.expect("CWD", dir).await?;
        }
        let listed = match verb {
            "LIST" => self.list_here(dir).await,
            verb => self.list_with(verb, "").await,
        };
        if moves && self.health.is_ready() {
            self.go_back(&back).await?;
        }
        listed.map_err(|error| of_dir(error, verb, dir))
    }

    /// Returns to where relative paths begin; a session that cannot would take them for others.
    pub(super) async fn go_back(&mut self, dir: &str) -> Result<(), RemoteError> {
        match self.expect("CWD", dir).await {
            Ok(_) => Ok(()),
            Err(error) => self.give_up(error),
        }
    }

    async fn list_here(&mut self, dir: &str) -> Result<Listing, RemoteError> {
        match self.list_with("LIST", "-a").await {
            Ok(listing) if !listing.entries.is_empty() => return Ok(listing),
            Ok(_) => {}
            Err(RemoteError::Refused { reply, .. }) if reply.code >= 450 => {}
            Err(error) => return Err(error),
        }
        match self.list_with("LIST", "").await {
            Err(RemoteError::Refused { reply, .. }) if is_empty_directory(&reply, dir) => {
                Ok(Listing::default())
            }
            other => other,
        }
    }
}

/// Tells whether a TLS connection ended without TLS's own end.
fn is_unended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// Why a listing was not read to its end.
enum Broken {
    Cut(io::Error),
    TooLarge(RemoteError),
}

/// What came over a listing's data connection.
struct Heard {
    listing: Listing,
    /// It has a line as `ls -l` begins with.
    has_total: bool,
    /// Not a byte.
    is_nothing: bool,
}

async fn read(data: &mut impl Data, verb: &str, codec: &Codec) -> Result<Heard, Broken> {
    let format = match verb {
        "MLSD" => Format::Facts,
        _ => Format::List,
    };
    let mut reader = Reader::new(format, codec, SystemTime::now());
    let (mut block, mut lack) = (vec![0; 64 * 1024], None);
    let endless = |Endless(limit, unit)| {
        let verb = verb.to_owned();
        Broken::TooLarge(RemoteError::TooLarge { verb, limit, unit })
    };
    loop {
        match data.receive(&mut block).await {
            Ok(0) => break,
            Ok(count) => reader.push(&block[..count]).map_err(endless)?,
            Err(error) if is_unended(&error) && reader.is_between_lines() => {
                lack = Some(Lack::Unended);
                break;
            }
            Err(error) => return Err(Broken::Cut(error)),
        }
    }
    let is_nothing = reader.is_empty();
    let (listing, has_total) = reader.finish_with_total().map_err(endless)?;
    let lack = lack.or(listing.lack);
    Ok(Heard {
        listing: Listing { lack, ..listing },
        has_total,
        is_nothing,
    })
}

/// A refused listing is told with the directory, not with the options that were sent.
fn of_dir(error: RemoteError, listed_by: &str, dir: &str) -> RemoteError {
    match error {
        RemoteError::Refused { verb, reply, .. } if verb == listed_by => {
            let dir = if dir.is_empty() { "." } else { dir };
            RemoteError::Refused {
                verb,
                path: Some(dir.to_owned()),
                reply,
            }
        }
        other => other,
    }
}
