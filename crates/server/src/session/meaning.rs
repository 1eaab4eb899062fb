//! The paths that a name on the wire may mean.

use ftp_config::{SharePath, lossless, value::ValueError};

use super::{Session, disk};
use crate::{
    code,
    protocol::{Reply, pattern::Pattern},
};

impl Session {
    /// Returns the path of something that should exist.
    pub(crate) async fn existing(&mut self, wire: &[u8]) -> Result<SharePath, Reply> {
        let mut all = self.ordered(wire).await?;
        Ok(all.swap_remove(0).path)
    }

    /// Returns every path that a name may mean: first the one that exists, if one does.
    pub(crate) async fn ordered(&mut self, wire: &[u8]) -> Result<Vec<Meaning>, Reply> {
        let mut meanings = self.meanings(wire)?;
        match self.first_that_exists(&meanings).await? {
            Some(at) => meanings.all.swap(0, at),
            // No listing has shown a pattern: whoever types one shows how it writes.
            None if meanings.shows_legacy && meanings.is_pattern() => self.names.note_legacy(),
            None => {}
        }
        Ok(meanings.all)
    }

    /// Returns the path for something that may be new: what exists under any reading, else the
    /// best reading; 553 when only raw bytes could stand for it.
    pub(crate) async fn target(&mut self, wire: &[u8]) -> Result<SharePath, Reply> {
        let mut meanings = self.meanings(wire)?;
        let is_sure = meanings.all.len() == 1 && meanings.may_be_new;
        let found = match is_sure {
            true => None,
            false => self.first_that_exists(&meanings).await?,
        };
        if found.is_some() || meanings.may_be_new {
            if found.is_none() && meanings.shows_legacy {
                self.names.note_legacy();
            }
            return Ok(meanings.all.swap_remove(found.unwrap_or(0)).path);
        }
        Err(Reply::new(
            code::BAD_NAME,
            "This name cannot be UTF-8 here: it is in no encoding that the server reads, or too long",
        ))
    }

    /// Returns every path that a name may mean.
    fn meanings(&self, wire: &[u8]) -> Result<Meanings, Reply> {
        let reading = self.names.read(wire);
        let joined = reading.all.into_iter().map(|typed| {
            let path = self.cwd.join_known(&typed)?;
            Ok(Meaning { path, typed })
        });
        let joined: Vec<Result<_, ValueError>> = joined.collect();
        // Decoded, a name may be over the limit that its raw bytes keep: nothing new by those.
        let is_first = joined.first().is_some_and(Result::is_ok);
        let why = joined.iter().find_map(|path| path.as_ref().err());
        let why = why.map(ToString::to_string).unwrap_or_default();
        let all: Vec<_> = joined.into_iter().filter_map(Result::ok).collect();
        if all.is_empty() {
            return Err(Reply::new(code::BAD_NAME, self.names.bytes(&why)));
        }
        Ok(Meanings {
            may_be_new: reading.best.is_some() && is_first,
            shows_legacy: reading.shows_legacy && is_first,
            all,
        })
    }

    /// Finds the meaning that exists. A single one that is no raw bytes is not looked for.
    async fn first_that_exists(&mut self, meanings: &Meanings) -> Result<Option<usize>, Reply> {
        let all: Vec<_> = meanings.all.iter().map(|one| one.path.clone()).collect();
        if all.len() == 1 && !all[0].as_str().chars().any(lossless::is_raw) {
            return Ok(None);
        }
        let home = self.home()?;
        let look = move || all.iter().position(|path| home.metadata(path).is_ok());
        let found = disk::act(look).await;
        if found == Some(0) && meanings.shows_legacy {
            self.names.note_legacy();
        }
        Ok(found)
    }
}

/// One path that a name may mean.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    pub(crate) path: SharePath,
    /// The name as typed and decoded.
    pub(crate) typed: String,
}

/// Every path that a name may mean, the likeliest first.
struct Meanings {
    all: Vec<Meaning>,
    /// The first may be used for something new.
    may_be_new: bool,
    /// Where the first is meant, the client writes the fallback encoding.
    shows_legacy: bool,
}

impl Meanings {
    /// Tells whether the last name of all is a pattern, in the one directory.
    fn is_pattern(&self) -> bool {
        let is_one = |one: &Meaning| one.path.parent() == self.all[0].path.parent();
        let last = self.all[0].path.name();
        self.all.iter().all(is_one) && last.is_some_and(|name| Pattern::parse(name).is_some())
    }
}
