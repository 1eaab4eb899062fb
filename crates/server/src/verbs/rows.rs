//! Listings as bytes: what to list, and each entry in the form that the command wants.

mod find;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use self::find::find;
use super::{crew::Crew, zone};
use crate::{
    hands::THREADS,
    protocol::{
        Names, Reply,
        facts::{Choice, Facts},
        list::{Lister, Row},
        pattern::Pattern,
    },
    session::Meaning,
    share::{Entry, Home, Kind, Listing, Meta, ShareError},
};

/// Names that one pattern may look at.
const MOST_GLOBBED: usize = 1_000_000;

/// With fewer names to come, other threads cost more than they bring.
const MANY: usize = 2_048;

/// How entries are written.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// `ls -l`.
    Long(Lister),
    /// Names, with this before each.
    Names(Vec<u8>),
    /// Facts.
    Facts(Choice),
}

/// A listing on its way out.
#[derive(Debug)]
pub(super) struct Rows {
    source: Source,
    pen: Arc<Pen>,
}

/// Writes one entry after the other; threads may share it.
#[derive(Debug)]
struct Pen {
    form: Form,
    names: Names,
    home: Home,
    show_owner: bool,
    unread: Unread,
}

/// How many names there were of which the disk told no facts.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread(Arc<AtomicUsize>);

impl Unread {
    /// Says so in the last reply to a listing that came whole: who makes another tree like this one must not
    /// take what cannot be read for something else (`ftpc` hears the `could not`).
    pub(super) fn told(&self, reply: Reply) -> Reply {
        match self.0.load(Ordering::Relaxed) {
            0 => reply,
            _ if reply.code() >= 400 => reply,
            count => {
                let words =
                    format!("Listing sent, but the disk could not tell the facts of {count}");
                Reply::new(reply.code(), words)
            }
        }
    }
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

impl Form {
    pub(super) fn long() -> Self {
        Self::Long(Lister::new(SystemTime::now(), zone::local()))
    }

    /// Tells whether only what is in a directory is written so: MLSD.
    pub(super) fn is_of_directories(&self) -> bool {
        matches!(self, Self::Facts(_))
    }
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

impl Pen {
    fn write_name(&self, name: &str, out: &mut Vec<u8>) {
        if let Form::Names(prefix) = &self.form {
            out.extend(prefix);
        }
        self.names.write(name, out);
        out.extend(b"\r\n");
    }

    fn write(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        if entry.meta.is_unknown() {
            self.unread.0.fetch_add(1, Ordering::Relaxed);
        }
        match &self.form {
            Form::Long(lister) => self.write_long(lister, entry, out),
            Form::Names(_) => self.write_name(&entry.name, out),
            Form::Facts(choice) => {
                // A link to a file inside is that file; clients cannot do more with it. One to a directory
                // stays a link: whoever removes a tree would empty what lies elsewhere.
                let file = entry.target.as_ref().filter(|meta| meta.kind == Kind::File);
                let target = entry.link_target.as_deref();
                let target = target.map(|target| self.names.bytes(target));
                let meta = file.unwrap_or(&entry.meta);
                write_facts(*choice, meta, target.as_deref(), &self.home, out);
                self.write_name(&entry.name, out);
            }
        }
    }

    fn write_long(&self, lister: &Lister, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let number = |id: u32| self.show_owner.then(|| id.to_string());
        let (owner, group) = (number(entry.meta.uid), number(entry.meta.gid));
        let row = Row {
            kind: entry.meta.kind,
            mode: entry.meta.mode,
            links: entry.meta.links,
            owner: owner.as_deref().unwrap_or("ftp"),
            group: group.as_deref().unwrap_or("ftp"),
            size: entry.meta.size,
            modified: entry.meta.modified,
            name: &entry.name,
            target: entry.link_target.as_deref(),
        };
        lister.write(&row, &self.names, out);
    }
}

/// Appends the facts of one thing.
pub(super) fn write_facts(
    choice: Choice,
    meta: &Meta,
    target: Option<&[u8]>,
    home: &Home,
    out: &mut Vec<u8>,
) {
    let perm = meta.perm(home.account().rights);
    let unique = meta.unique();
    let facts = Facts {
        kind: meta.kind,
        target,
        size: meta.size,
        modified: meta.modified,
        perm: &perm,
        mode: meta.mode,
        unique: &unique,
    };
    choice.write(&facts, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code;

    #[test]
    fn the_last_reply_tells_of_names_that_could_not_be_read() {
        let unread = Unread::default();
        let done = || Reply::new(code::DONE, "Listing sent");
        assert_eq!(unread.told(done()).text(), "Listing sent");
        unread.0.store(2, Ordering::Relaxed);
        let told = unread.told(done());
        assert_eq!(told.code(), code::DONE);
        assert!(
            told.text().contains("could not tell the facts of 2"),
            "{}",
            told.text()
        );
        let broken = unread.told(Reply::new(code::ABORTED, "Transfer aborted"));
        assert_eq!(broken.text(), "Transfer aborted");
    }
}
