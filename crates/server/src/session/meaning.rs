//! The paths that a name on the wire may mean.

use ftp_config::{SharePath, lossless::is_raw, value::ValueError};

use super::Session;
use crate::{
    code,
    protocol::{Reply, pattern::Pattern},
    share::{Home, ShareError},
};

impl Session {
    /// Returns the path of something that should exist.
    pub(crate) async fn existing(&mut self, wire: &[u8]) -> Result<SharePath, Reply> {
        let mut all = self.ordered(wire).await?;
        Ok(all.swap_remove(0).path)
    }

    /// Returns every path that a name may mean: first the one that is meant.
    pub(crate) async fn ordered(&mut self, wire: &[u8]) -> Result<Vec<Meaning>, Reply> {
        let mut meanings = self.meanings(wire)?;
        let meant = self.meant(&meanings, Home::is_lately_gone).await?;
        // No listing has shown a pattern: whoever types one shows how it writes.
        if !meant.exists && meanings.shows_legacy && meanings.is_pattern() {
            self.names.note_legacy();
        }
        meanings.all.swap(0, meant.at);
        Ok(meanings.all)
    }

    /// Returns the path for something that may be new: what exists under any reading, else the
    /// best reading; 553 when only raw bytes could stand for it.
    pub(crate) async fn target(&mut self, wire: &[u8]) -> Result<SharePath, Reply> {
        let mut meanings = self.meanings(wire)?;
        let is_sure = meanings.all.len() == 1 && meanings.may_be_new;
        let meant = match is_sure {
            true => Meant::BEST,
            false => self.meant(&meanings, |_, _| false).await?,
        };
        self.forget_gone(&meanings);
        if meant.exists || meanings.may_be_new {
            if meant == Meant::BEST && meanings.shows_legacy {
                self.names.note_legacy();
            }
            return Ok(meanings.all.swap_remove(meant.at).path);
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

    /// Something new may have one of these names from now on.
    fn forget_gone(&self, meanings: &Meanings) {
        let Ok(home) = self.home() else { return };
        for one in meanings
            .all
            .iter()
            .filter(|one| !one.path.as_str().is_ascii())
        {
            home.forget_gone(&one.path);
        }
    }

    /// Finds the meaning that exists, or did until `was_there` says. A single one that is no raw bytes is not looked
    /// for.
    async fn meant(
        &mut self,
        meanings: &Meanings,
        was_there: fn(&Home, &SharePath) -> bool,
    ) -> Result<Meant, Reply> {
        let all: Vec<_> = meanings.all.iter().map(|one| one.path.clone()).collect();
        if all.len() == 1 && !all[0].as_str().chars().any(is_raw) {
            return Ok(Meant::BEST);
        }
        let is_legacy = self.names.is_legacy();
        let look = move |home: &Home| Meant::among(home, &all, is_legacy, was_there);
        let meant = self.on_home(look).await?;
        if meant.exists && meant.at == 0 && meanings.shows_legacy {
            self.names.note_legacy();
        }
        Ok(meant)
    }
}

/// Which of several meanings is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meant {
    at: usize,
    exists: bool,
}

impl Meant {
    /// The likeliest, for nothing has any of the names.
    const BEST: Self = Self {
        at: 0,
        exists: false,
    };

    /// Looks for them on the disk. Listings show raw bytes as they are, and all else to a client of UTF-8 as
    /// UTF-8: what has the very bytes it sends is what it has seen, whatever else they can be read as.
    /// What was there until the client removed it is still what it means.
    fn among(
        home: &Home,
        all: &[SharePath],
        is_legacy: bool,
        was_there: fn(&Home, &SharePath) -> bool,
    ) -> Result<Self, ShareError> {
        let mut order: Vec<_> = (0..all.len()).collect();
        if !is_legacy {
            order.reverse();
        }
        for at in order {
            // So it is with the directory of what is missing, or new.
            if at == 0 && !is_legacy && Self::is_below(home, all)? {
                let exists = false;
                return Ok(Self { at: 1, exists });
            }
            if home.has_name(&all[at])? {
                return Ok(Self { at, exists: true });
            }
            if was_there(home, &all[at]) {
                return Ok(Self { at, exists: false });
            }
        }
        Ok(Self::BEST)
    }

    /// Tells whether the second is in another directory than the first, and that one is there.
    fn is_below(home: &Home, all: &[SharePath]) -> Result<bool, ShareError> {
        let [best, below, ..] = all else {
            return Ok(false);
        };
        let is_raw_name = below.name().is_some_and(|name| name.chars().any(is_raw));
        match below.parent() {
            Some(dir) if !is_raw_name && best.parent().as_ref() != Some(&dir) => {
                home.has_name(&dir)
            }
            _ => Ok(false),
        }
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
