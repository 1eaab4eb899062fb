//! Listings as bytes: what to list, and one block of entries after the other. `pen` writes them.

mod find;
mod pen;

use std::sync::Arc;

pub(super) use self::pen::{Form, write_facts};
use self::{
    find::find,
    pen::{Pen, Unread},
};
use super::crew::Crew;
use crate::{
    hands::THREADS,
    protocol::{Names, pattern::Pattern},
    session::Meaning,
    share::{Entry, Home, Listing, ShareError},
};

/// Names that one pattern may look at.
const MOST_GLOBBED: usize = 1_000_000;

/// With fewer names to come, other threads cost more than they bring.
const MANY: usize = 2_048;

/// A listing on its way out.
#[derive(Debug)]
pub(super) struct Rows {
    source: Source,
    pen: Arc<Pen>,
}

#[derive(Debug)]
enum Source {
    One(Option<Box<Entry<'static>>>),
    Dir(Listing),
    /// Names only: which is next.
    Names(Listing, usize),
    /// What fits a pattern: which is next.
    Glob(Listing, usize, Pattern),
    /// The rest of a large directory.
    Crew(Crew),
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// Every path the argument may mean, most likely first; names keep the directory part that was typed.
    pub(super) meanings: Vec<Meaning>,
    /// Hidden names too.
    pub(super) all: bool,
    /// A directory is wanted: MLSD.
    pub(super) only_dir: bool,
}

impl Rows {
    /// Finds what to list: what exists under the name, else what fits it as a pattern. Blocks.
    pub(super) fn open(
        home: Home,
        wish: &Wish,
        form: Form,
        names: Names,
        show_owner: bool,
    ) -> Result<Self, ShareError> {
        let names_only = matches!(form, Form::Names(_));
        let (source, prefix) = find(&home, wish, names_only)?;
        let form = match form {
            Form::Names(_) => Form::Names(names.bytes(&prefix)),
            other => other,
        };
        let pen = Arc::new(Pen {
            form,
            names,
            home,
            show_owner,
            unread: Unread::default(),
        });
        Ok(Self { source, pen })
    }

    /// Returns what counts the names that could not be read, for the end of the listing.
    pub(super) fn unread(&self) -> Unread {
        self.pen.unread.clone()
    }

    /// Appends entries until the block holds `enough` bytes; `false` when there are no more. Blocks.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        while out.len() < enough {
            if !self.write_next(out) {
                return false;
            }
        }
        true
    }

    /// Writes the next entry, or the next block of them; `false` when there are no more.
    fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        let pen = &self.pen;
        match &mut self.source {
            Source::One(entry) => entry.take().map(|entry| pen.write(&entry, out)).is_some(),
            Source::Dir(listing) => listing.next().map(|entry| pen.write(&entry, out)).is_some(),
            Source::Names(listing, at) => {
                *at += 1;
                let name = listing.name(*at - 1);
                name.iter().for_each(|name| pen.write_name(name, out));
                *at <= listing.len()
            }
            Source::Glob(listing, at, pattern) => {
                *at += 1;
                let name = listing.name(*at - 1).filter(|name| pattern.matches(name));
                if let Some(entry) = name.and_then(|_| listing.look(*at - 1)) {
                    pen.write(&entry, out);
                }
                *at <= listing.len().min(MOST_GLOBBED)
            }
            Source::Crew(crew) => crew
                .next()
                .map(|mut block| out.append(&mut block))
                .is_some(),
        }
    }

    /// Calls other threads to what is left of a large directory, once. To be called when the data
    /// connection is open: nobody holds them while the client is waited for.
    pub(super) fn gather_crew(&mut self) {
        let is_large = |listing: &Listing| listing.len() - listing.position() > MANY;
        if !matches!(&self.source, Source::Dir(listing) if is_large(listing)) {
            return;
        }
        if let Source::Dir(listing) = std::mem::replace(&mut self.source, Source::One(None)) {
            let pen = Arc::clone(&self.pen);
            let entries = listing.position()..listing.len();
            let work = move |at: usize, out: &mut Vec<u8>| {
                if let Some(entry) = listing.look(at) {
                    pen.write(&entry, out);
                }
            };
            self.source = Source::Crew(Crew::start(*THREADS - 1, entries, Box::new(work)));
        }
    }
}
