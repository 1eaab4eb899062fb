//! Listings as bytes: what to list, and each entry in the form that the command wants.

use std::{collections::VecDeque, num::NonZero, thread, time::SystemTime};

use ftp_config::SharePath;
use jiff::tz::TimeZone;

use crate::{
    protocol::{
        Names,
        facts::{Choice, Facts},
        list::{Lister, Row},
        pattern::Pattern,
    },
    share::{Entry, Home, Kind, ListOptions, Listing, Meta, Place, ShareError},
};

/// Names that one pattern may look at.
const MOST_GLOBBED: usize = 1_000_000;

/// Names that are looked at together; below, another thread costs more than it brings.
const BATCH: usize = 2_048;
const MOST_THREADS: usize = 4;

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
    pen: Pen,
}

/// Writes one entry after the other; threads may share it.
#[derive(Debug)]
struct Pen {
    form: Form,
    names: Names,
    home: Home,
    show_owner: bool,
}

#[derive(Debug)]
enum Source {
    One(Option<Box<Entry>>),
    Dir(Listing),
    Glob(Listing, Pattern),
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// Every path the argument may mean, most likely first.
    pub(super) paths: VecDeque<SharePath>,
    /// The argument as typed and decoded; names keep its directory part.
    pub(super) typed: String,
    /// Hidden names too.
    pub(super) all: bool,
    /// A directory is wanted: MLSD.
    pub(super) only_dir: bool,
}

impl Form {
    pub(super) fn long() -> Self {
        Self::Long(Lister::new(SystemTime::now(), TimeZone::system()))
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
        let (source, prefix) = find(&home, wish)?;
        let form = match form {
            Form::Names(_) => Form::Names(names.bytes(&prefix)),
            other => other,
        };
        let pen = Pen {
            form,
            names,
            home,
            show_owner,
        };
        Ok(Self { source, pen })
    }

    /// Appends entries until the block holds `enough` bytes; `false` when there are no more.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        while out.len() < enough {
            let Self { source, pen } = self;
            match source {
                Source::Dir(listing) if pen.wants_names_only() => {
                    let Some(place) = listing.batch(1).pop() else {
                        return false;
                    };
                    let name = listing.name(place);
                    name.into_iter().for_each(|name| pen.write_name(&name, out));
                }
                // The first block goes ahead alone, so that the client is answered at once.
                Source::Dir(listing) if enough > BATCH * 16 && listing.remaining() > BATCH => {
                    pen.write_batch(listing, out);
                }
                _ => match self.next() {
                    Some(entry) => self.pen.write(&entry, out),
                    None => return false,
                },
            }
        }
        true
    }

    fn next(&mut self) -> Option<Entry> {
        match &mut self.source {
            Source::One(entry) => entry.take().map(|entry| *entry),
            Source::Dir(listing) => listing.next(),
            Source::Glob(listing, pattern) => listing
                .take(MOST_GLOBBED)
                .find(|entry| pattern.matches(&entry.name)),
        }
    }
}

impl Pen {
    fn wants_names_only(&self) -> bool {
        matches!(self.form, Form::Names(_))
    }

    /// Looks at many names on all processors, since most of a listing's time is the kernel's, and
    /// writes them in their order.
    fn write_batch(&self, listing: &mut Listing, out: &mut Vec<u8>) {
        let places = listing.batch(BATCH);
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = places.len().div_ceil(threads.min(MOST_THREADS)).max(1);
        let listing = &*listing;
        let work = |places: &[Place]| {
            let mut block = Vec::with_capacity(places.len() * 96);
            for entry in places.iter().filter_map(|place| listing.look(*place)) {
                self.write(&entry, &mut block);
            }
            block
        };
        let (mine, others) = places.split_at(share.min(places.len()));
        thread::scope(|scope| {
            let others: Vec<_> = others
                .chunks(share)
                .map(|places| {
                    let thread = thread::Builder::new().name("ftpd-list".to_owned());
                    (places, thread.spawn_scoped(scope, move || work(places)))
                })
                .collect();
            out.append(&mut work(mine));
            for (places, thread) in others {
                let block = thread.ok().and_then(|thread| thread.join().ok());
                out.append(&mut block.unwrap_or_else(|| work(places)));
            }
        });
    }

    fn write_name(&self, name: &str, out: &mut Vec<u8>) {
        if let Form::Names(prefix) = &self.form {
            out.extend(prefix);
        }
        self.names.write(name, out);
        out.extend(b"\r\n");
    }

    fn write(&self, entry: &Entry, out: &mut Vec<u8>) {
        match &self.form {
            Form::Long(lister) => self.write_long(lister, entry, out),
            Form::Names(_) => self.write_name(&entry.name, out),
            Form::Facts(choice) => {
                // A link that stays inside is what it leads to; clients cannot do more with it.
                let meta = entry.target.as_ref().unwrap_or(&entry.meta);
                write_facts(*choice, meta, &self.home, out);
                self.write_name(&entry.name, out);
            }
        }
    }

    fn write_long(&self, lister: &Lister, entry: &Entry, out: &mut Vec<u8>) {
        let name = self.names.bytes(&entry.name);
        let target = entry.link_target.as_deref();
        let target = target.map(|target| self.names.bytes(target));
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
            name: &name,
            target: target.as_deref(),
        };
        lister.write(&row, out);
    }
}

/// Appends the facts of one thing.
pub(super) fn write_facts(choice: Choice, meta: &Meta, home: &Home, out: &mut Vec<u8>) {
    let perm = meta.perm(home.account().rights);
    let unique = meta.unique();
    let facts = Facts {
        kind: meta.kind,
        size: meta.size,
        modified: meta.modified,
        perm: &perm,
        mode: meta.mode,
        unique: &unique,
    };
    choice.write(&facts, out);
}

/// Returns the source and what goes before each of its names.
fn find(home: &Home, wish: &Wish) -> Result<(Source, String), ShareError> {
    let options = ListOptions { all: wish.all };
    let mut first_error = None;
    for path in &wish.paths {
        match home.metadata(path) {
            Ok(meta) if meta.kind == Kind::Dir => {
                let prefix = match wish.typed.as_str() {
                    "" | "." => String::new(),
                    typed if typed.ends_with('/') => typed.to_owned(),
                    typed => format!("{typed}/"),
                };
                return Ok((Source::Dir(home.list(path, options)?), prefix));
            }
            Ok(_) if wish.only_dir => {
                return Err(ShareError::NotDirectory { path: path.clone() });
            }
            Ok(meta) => return Ok((one(meta, &wish.typed), String::new())),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    let missing = first_error.unwrap_or(ShareError::Missing {
        path: SharePath::root(),
    });
    match wish.paths.front() {
        Some(path) if !wish.only_dir => glob(home, path, wish, missing),
        _ => Err(missing),
    }
}

fn one(meta: Meta, typed: &str) -> Source {
    Source::One(Some(Box::new(Entry {
        name: typed.to_owned(),
        meta,
        link_target: None,
        target: None,
    })))
}

fn glob(
    home: &Home,
    path: &SharePath,
    wish: &Wish,
    missing: ShareError,
) -> Result<(Source, String), ShareError> {
    let pattern = path.name().and_then(Pattern::parse);
    let (Some(pattern), Some(parent)) = (pattern, path.parent()) else {
        return Err(missing);
    };
    // The pattern itself decides about hidden names: `.*` asks for them.
    let options = ListOptions {
        all: wish.all || path.name().is_some_and(|name| name.starts_with('.')),
    };
    let listing = home.list(&parent, options).map_err(|_| missing)?;
    let prefix = wish
        .typed
        .rfind('/')
        .map_or("", |slash| &wish.typed[..=slash]);
    Ok((Source::Glob(listing, pattern), prefix.to_owned()))
}
