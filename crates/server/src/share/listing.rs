//! A directory as a list of entries: names first, facts one by one as they are asked for.
//!
//! The names are held (one block of bytes and an index), so 100,000 entries cost a few megabytes
//! for as long as the listing is on its way; of a large directory also some facts, which
//! [`early`](super::early) has read while the names came.

mod entries;
mod index;

use std::{
    borrow::Cow,
    collections::HashMap,
    ffi::OsStr,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    sync::{Arc, OnceLock},
};

use ftp_config::SharePath;
use rustix::{
    fs::{AtFlags, statat},
    io::Errno,
};
use tracing::warn;

use self::{
    entries::{each_entry, each_name},
    index::Names,
};
use super::{
    early::Lender,
    jail::Jail,
    meta::{Kind, Meta},
    names,
};
use crate::log::whole;

/// What to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListOptions {
    /// Names that begin with a dot too.
    pub all: bool,
    /// Facts of few names, or of none, will be asked for.
    pub names_only: bool,
}

/// One name in a directory.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The name as clients see it.
    pub name: Cow<'a, str>,
    /// Facts of the name itself: a link is a link.
    pub meta: Meta,
    /// Where a link leads, as it is written; `None` too when no line can hold it.
    pub link_target: Option<String>,
    /// What a link leads to, when that is inside.
    pub target: Option<Meta>,
}

/// The entries of a directory, by name; entries that vanish meanwhile are left out.
#[derive(Debug)]
pub struct Listing {
    jail: Arc<Jail>,
    dir: Arc<OwnedFd>,
    path: SharePath,
    names: Names,
    early: Vec<Option<Meta>>,
    next: usize,
    /// What the names are, asked for when the system tells nothing else of one.
    kinds: OnceLock<HashMap<Vec<u8>, Kind>>,
}

impl Entry<'_> {
    fn into_owned(self) -> Entry<'static> {
        Entry {
            name: Cow::Owned(self.name.into_owned()),
            meta: self.meta,
            link_target: self.link_target,
            target: self.target,
        }
    }
}

impl Listing {
    /// Reads the names of an opened directory.
    pub(super) fn read(
        jail: Arc<Jail>,
        dir: OwnedFd,
        path: SharePath,
        options: ListOptions,
    ) -> io::Result<Self> {
        let mut names = Names::default();
        let dir = Arc::new(dir);
        let mut lender = (!options.names_only).then(|| Lender::new(&dir));
        each_name(&dir, options, |name| {
            if let Some(lender) = &mut lender {
                lender.add(name);
            }
            names.add(name)
        })?;
        let early = lender.map_or_else(Vec::new, Lender::finish);
        names.sort();
        Ok(Self {
            jail,
            dir,
            path,
            names,
            early,
            next: 0,
            kinds: OnceLock::new(),
        })
    }

    /// Returns how many names there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Tells whether there was no name at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.len() == 0
    }

    /// Returns which entry the iterator looks at next.
    #[must_use]
    pub fn position(&self) -> usize {
        self.next
    }

    /// Returns a name as clients see it; `None` when no line can hold it, or behind the end.
    #[must_use]
    pub fn name(&self, at: usize) -> Option<Cow<'_, str>> {
        let (name, _) = self.names.get(at)?;
        fits_a_line(name).then(|| names::from_disk(name))
    }

    /// Looks at an entry: any thread may. `None` when it has gone, when no line can hold it, and
    /// behind the end.
    #[must_use]
    pub fn look(&self, at: usize) -> Option<Entry<'_>> {
        let (name, came) = self.names.get(at)?;
        if !fits_a_line(name) {
            return None;
        }
        match self.early.get(came) {
            Some(Some(meta)) => Some(Entry {
                name: names::from_disk(name),
                meta: *meta,
                link_target: None,
                target: None,
            }),
            _ => self.entry(name),
        }
    }

    fn entry<'a>(&self, name: &'a [u8]) -> Option<Entry<'a>> {
        let look = AtFlags::SYMLINK_NOFOLLOW;
        let meta = match statat(&self.dir, OsStr::from_bytes(name), look) {
            Ok(stat) => Meta::of(&stat),
            Err(Errno::NOENT) => return None,
            Err(error) => Meta::unknown(self.kind_of(name, error)),
        };
        let shown = names::from_disk(name);
        let (mut link_target, mut target) = (None, None);
        if meta.kind == Kind::Link {
            let written = rustix::fs::readlinkat(&self.dir, OsStr::from_bytes(name), Vec::new());
            let written = match written {
                Err(Errno::NOENT) => return None,
                written => written.unwrap_or_default(),
            };
            let is_shown = !written.is_empty() && fits_a_line(written.as_bytes());
            link_target = is_shown.then(|| names::from_disk(written.as_bytes()).into_owned());
            let full = SharePath::root()
                .join_known(&format!("{}/{shown}", self.path))
                .ok();
            target = full.and_then(|full| Some(Meta::of(&self.jail.stat(&full).ok()?)));
        }
        Some(Entry {
            name: shown,
            meta,
            link_target,
            target,
        })
    }
}

impl Listing {
    /// What a name is of which the system tells no facts (a disk that fails, a mount that is dead). Who
    /// makes another tree like this one must not take it for gone.
    fn kind_of(&self, name: &[u8], error: Errno) -> Kind {
        let kinds = self.kinds.get_or_init(|| {
            let (path, name) = (whole(self.path.as_str()), whole(&names::from_disk(name)));
            warn!(path, name, %error, "facts of names cannot be read");
            let mut kinds = HashMap::new();
            let all = ListOptions {
                all: true,
                names_only: true,
            };
            let _what_can_be_read = each_entry(&self.dir, all, |name, kind| {
                kinds.insert(name.to_vec(), kind);
                Ok(())
            });
            kinds
        });
        kinds.get(name).copied().unwrap_or(Kind::Other)
    }
}

/// A line of a listing cannot hold a line's end: such a name cannot be shown.
fn fits_a_line(name: &[u8]) -> bool {
    !name.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
}

impl Iterator for Listing {
    type Item = Entry<'static>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.len() {
            self.next += 1;
            if let Some(entry) = self.look(self.next - 1) {
                return Some(entry.into_owned());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::tests::{Bed, path};
    use ftp_config::Rights;

    /// Such as a mount below whose server is gone.
    #[test]
    fn a_name_of_which_no_facts_can_be_read_is_listed_as_what_it_is() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        std::fs::create_dir(bed.disk("nas")).unwrap();
        std::fs::write(bed.disk("f"), "bytes").unwrap();
        let listing = home.list(&path("/"), ListOptions::default()).unwrap();
        let kind = |name: &[u8]| listing.kind_of(name, Errno::NOTCONN);
        assert_eq!((kind(b"nas"), kind(b"f")), (Kind::Dir, Kind::File));
        assert_eq!(kind(b"gone"), Kind::Other);
        assert!(listing.entry(b"gone").is_none());
    }
}
