//! A directory as a stream of entries: names first, facts one by one as they are asked for.
//!
//! Only the names are held (one block of bytes and an index), so 100,000 entries cost a few
//! megabytes for as long as the listing is on its way.

use std::{
    ffi::OsStr,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    sync::Arc,
};

use ftp_config::SharePath;
use rustix::fs::{AtFlags, Dir, statat};

use super::{
    jail::Jail,
    meta::{Kind, Meta},
    names,
};

/// What to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListOptions {
    /// Names that begin with a dot too.
    pub all: bool,
}

/// One name in a directory.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name as clients see it.
    pub name: String,
    /// Facts of the name itself: a link is a link.
    pub meta: Meta,
    /// Where a link leads, as it is written.
    pub link_target: Option<String>,
    /// What a link leads to, when that is inside.
    pub target: Option<Meta>,
}

/// A name of a listing that was not looked at yet.
#[derive(Clone, Copy, Debug)]
pub struct Place((u32, u32));

/// The entries of a directory, by name; entries that vanish meanwhile are left out.
#[derive(Debug)]
pub struct Listing {
    jail: Arc<Jail>,
    dir: OwnedFd,
    path: SharePath,
    names: Vec<u8>,
    /// Begin and end of each name, in order.
    index: std::vec::IntoIter<(u32, u32)>,
}

impl Listing {
    /// Reads the names of an opened directory.
    pub(super) fn read(
        jail: Arc<Jail>,
        dir: OwnedFd,
        path: SharePath,
        options: ListOptions,
    ) -> io::Result<Self> {
        let mut names = Vec::new();
        let mut index: Vec<(u32, u32)> = Vec::new();
        for entry in Dir::read_from(&dir)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            let hidden = name.starts_with(b".") && !options.all;
            if matches!(name, b"." | b"..") || hidden || names::is_partial(OsStr::from_bytes(name))
            {
                continue;
            }
            let begin = names.len();
            names.extend_from_slice(name);
            let too_many = |_| io::Error::other("the directory holds too many names");
            index.push((
                u32::try_from(begin).map_err(too_many)?,
                u32::try_from(names.len()).map_err(too_many)?,
            ));
        }
        index.sort_unstable_by(|a, b| slice(&names, *a).cmp(slice(&names, *b)));
        Ok(Self {
            jail,
            dir,
            path,
            names,
            index: index.into_iter(),
        })
    }

    /// Returns how many names are still to come.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.index.len()
    }

    /// Takes the next names without their facts; shorter than `most` at the end only.
    #[must_use]
    pub fn batch(&mut self, most: usize) -> Vec<Place> {
        self.index.by_ref().take(most).map(Place).collect()
    }

    /// Returns the name at a place as clients see it; `None` when no line can hold it.
    #[must_use]
    pub fn name(&self, place: Place) -> Option<String> {
        let name = slice(&self.names, place.0);
        fits_a_line(name).then(|| names::from_disk(name))
    }

    /// Looks at a place: any thread may. `None` when nothing is there any more.
    #[must_use]
    pub fn look(&self, place: Place) -> Option<Entry> {
        let name = slice(&self.names, place.0);
        if fits_a_line(name) {
            self.entry(name)
        } else {
            None
        }
    }

    fn entry(&self, name: &[u8]) -> Option<Entry> {
        let stat = statat(
            &self.dir,
            OsStr::from_bytes(name),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .ok()?;
        let meta = Meta::of(&stat);
        let shown = names::from_disk(name);
        let (mut link_target, mut target) = (None, None);
        if meta.kind == Kind::Link {
            let written = rustix::fs::readlinkat(&self.dir, OsStr::from_bytes(name), Vec::new());
            link_target = Some(names::from_disk(written.ok()?.as_bytes()));
            let full = SharePath::root()
                .join(&format!("{}/{shown}", self.path))
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

/// A line of a listing cannot hold a line's end: such a name cannot be shown.
fn fits_a_line(name: &[u8]) -> bool {
    !name.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
}

fn slice(names: &[u8], (begin, end): (u32, u32)) -> &[u8] {
    &names[begin as usize..end as usize]
}

impl Iterator for Listing {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let place = Place(self.index.next()?);
            if let Some(entry) = self.look(place) {
                return Some(entry);
            }
        }
    }
}
