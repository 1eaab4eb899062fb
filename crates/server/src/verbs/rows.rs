//! Listings as bytes: what to list, and each entry in the form that the command wants.

use std::{collections::VecDeque, time::SystemTime};

use ftp_config::SharePath;
use jiff::tz::TimeZone;

use crate::{
    protocol::{
        Names,
        facts::{Choice, Facts},
        list::{Lister, Row},
        pattern::Pattern,
    },
    share::{Entry, Home, Kind, ListOptions, Listing, Meta, ShareError},
};

/// Names that one pattern may look at.
const MOST_GLOBBED: usize = 1_000_000;

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
        Ok(Self {
            source,
            form,
            names,
            home,
            show_owner,
        })
    }

    /// Appends entries until the block holds `enough` bytes; `false` when there are no more.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        while out.len() < enough {
            match self.next() {
                Some(entry) => self.write(&entry, out),
                None => return false,
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

    fn write(&self, entry: &Entry, out: &mut Vec<u8>) {
        match &self.form {
            Form::Long(lister) => self.write_long(lister, entry, out),
            Form::Names(prefix) => {
                out.extend(prefix);
                self.names.write(&entry.name, out);
                out.extend(b"\r\n");
            }
            Form::Facts(choice) => {
                // A link that stays inside is what it leads to; clients cannot do more with it.
                let meta = entry.target.as_ref().unwrap_or(&entry.meta);
                write_facts(*choice, meta, &self.home, out);
                self.names.write(&entry.name, out);
                out.extend(b"\r\n");
            }
        }
    }

    fn write_long(&self, lister: &Lister, entry: &Entry, out: &mut Vec<u8>) {
        let name = self.names.bytes(&entry.name);
        let target = entry.link_target.as_deref();
        let target = target.map(|target| self.names.bytes(target));
        let (owner, group) = if self.show_owner {
            (entry.meta.uid.to_string(), entry.meta.gid.to_string())
        } else {
            ("ftp".to_owned(), "ftp".to_owned())
        };
        let row = Row {
            kind: entry.meta.kind,
            mode: entry.meta.mode,
            links: entry.meta.links,
            owner: &owner,
            group: &group,
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
