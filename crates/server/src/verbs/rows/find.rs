//! What there is to list: a directory, one thing, or what fits a pattern.

use ftp_config::SharePath;

use super::{Source, Wish};
use crate::{
    protocol::pattern::Pattern,
    session::Meaning,
    share::{Entry, Home, Kind, ListOptions, Meta, ShareError},
};

/// Returns the source and what goes before each of its names.
pub(super) fn find(
    home: &Home,
    wish: &Wish,
    names_only: bool,
) -> Result<(Source, String), ShareError> {
    let options = ListOptions {
        all: wish.all,
        names_only,
    };
    let mut first_error = None;
    for Meaning { path, typed } in &wish.meanings {
        match home.metadata(path) {
            Ok(meta) if meta.kind == Kind::Dir => {
                let listing = home.list(path, options)?;
                let source = if names_only {
                    Source::Names(listing, 0)
                } else {
                    Source::Dir(listing)
                };
                return Ok((source, before_names(typed)));
            }
            Ok(_) if wish.only_dir => {
                return Err(ShareError::NotDirectory { path: path.clone() });
            }
            Ok(meta) => return Ok((one(meta, typed), String::new())),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    let missing = first_error.unwrap_or(ShareError::Missing {
        path: SharePath::root(),
    });
    if wish.only_dir {
        return Err(missing);
    }
    let mut meanings = wish.meanings.iter();
    meanings
        .find_map(|meaning| glob(home, meaning, wish.all))
        .ok_or(missing)
}

/// What goes before each name of a directory that was typed so.
fn before_names(typed: &str) -> String {
    match typed {
        "" | "." => String::new(),
        typed if typed.ends_with('/') => typed.to_owned(),
        typed => format!("{typed}/"),
    }
}

fn one(meta: Meta, typed: &str) -> Source {
    Source::One(Some(Box::new(Entry {
        name: typed.to_owned().into(),
        meta,
        link_target: None,
        target: None,
    })))
}

/// Finds what fits the last name of a path, where that is a pattern and its directory can be read.
fn glob(home: &Home, meaning: &Meaning, all: bool) -> Option<(Source, String)> {
    let Meaning { path, typed } = meaning;
    let pattern = path.name().and_then(Pattern::parse)?;
    let parent = path.parent()?;
    // The pattern itself decides about hidden names: `.*` asks for them.
    let options = ListOptions {
        all: all || path.name().is_some_and(|name| name.starts_with('.')),
        names_only: true,
    };
    let listing = home.list(&parent, options).ok()?;
    let prefix = typed.rfind('/').map_or("", |slash| &typed[..=slash]);
    Some((Source::Glob(listing, 0, pattern), prefix.to_owned()))
}
