//! Trees to lists of names: the remote one over a session, the local one from the disk.
//!
//! Names are checked where they come in, depth and number are limited, links are never followed:
//! a walk ends, and what it returns lies below its top.

mod local;
mod remote;

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

pub(crate) use self::local::precision_at;
pub(crate) use self::remote::remote_from;
pub use self::{
    local::{here, local},
    remote::remote,
};
use super::compare::Facts;
use crate::{
    error::{Error, RemoteError},
    remote::names,
};

/// The deepest directory that is entered.
pub const MAX_DEPTH: usize = 128;
const TOO_DEEP: &str = "deeper than 128 directories";
/// Why files that transfers keep are left out.
const PART: &str = "a part of a transfer";
/// Tells whether a file is a part of a transfer, or what downloads keep beside one, on either side: fetched, it
/// could take the place of one that is being written here, and what is sent must come back.
fn is_part(name: &[u8]) -> bool {
    name.ends_with(b".ftpc-part") || (name.starts_with(b".") && name.ends_with(b".ftpc-part.json"))
}

/// The most entries of one tree.
pub const MAX_ENTRIES: usize = 2_000_000;

/// One file or directory of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The path below the top, `/` between components, in the lossless inner form.
    pub path: String,
    /// What it is: a file or a directory.
    pub is_dir: bool,
    /// Size and time.
    pub facts: Facts,
}

/// A tree as walked: parents before children, sorted by path within a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Its files and directories, the top left out.
    pub nodes: Vec<Node>,
    /// What was left out and why: links, devices, names that cannot be used.
    pub notes: Vec<String>,
    /// What is there but cannot be had: the directory, and the name with the reason.
    pub refused: Vec<(String, String)>,
    /// Paths that are there but were not read: nothing is to be concluded from their absence. The
    /// empty one is the top.
    pub unread: Vec<String>,
    /// Those of them that could not be read, whatever they are.
    pub closed: Vec<String>,
    /// Directories that hold what takes no part.
    pub holding: Vec<String>,
}

impl Tree {
    fn note(&mut self, text: String) {
        if self.notes.len() < 1000 {
            self.notes.push(text);
        }
    }

    /// Leaves out what is there and takes no part, and notes why.
    pub fn leave_out(&mut self, path: &str, why: &str) {
        self.note(format!("{}: {why}", names::display(path)));
        self.unread.push(path.to_owned());
    }

    fn passes_over_one_in(&mut self, dir: &str) {
        if self.holding.last().is_none_or(|last| last != dir) {
            self.holding.push(dir.to_owned());
        }
    }

    /// Refuses what cannot be read, and concludes nothing from what it may hold.
    fn cannot_read(&mut self, path: &str, why: &str) {
        let (dir, name) = names::split(path);
        let name = names::escaped(name);
        self.refuse(
            if dir.is_empty() { "." } else { dir },
            format!("`{name}`: {why}"),
        );
        self.unread.push(path.to_owned());
        self.closed.push(path.to_owned());
    }

    /// Refuses a name that nobody could look at. It may be the new one of whatever its directory seems to lack.
    fn cannot_look_at(&mut self, dir: &str, path: &str, why: &str) {
        if self.unread.last().is_some_and(|last| last == dir) {
            self.unread.pop();
        }
        self.cannot_read(path, why);
        self.unread.push(dir.to_owned());
    }

    /// Takes in what was walked later.
    pub fn absorb(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
        self.notes.extend(other.notes);
        self.refused.extend(other.refused);
        self.unread.extend(other.unread);
        self.closed.extend(other.closed);
        self.holding.extend(other.holding);
    }

    /// Refuses a name of a directory, which is a failure of the whole.
    pub(super) fn refuse(&mut self, dir: &str, what: String) {
        if self.refused.len() < 1000 {
            self.refused.push((names::display(dir), what));
        }
    }

    /// Tells whether a path, or a directory above it, was not read.
    #[must_use]
    pub fn is_unread(&self, path: &str) -> bool {
        self.unread.iter().any(|unread| {
            unread.is_empty()
                || path
                    .strip_prefix(unread.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn push(&mut self, node: Node) -> Result<(), Error> {
        if self.nodes.len() >= MAX_ENTRIES {
            return Err(Error::Remote(RemoteError::TooLarge {
                verb: "walk".to_owned(),
                limit: MAX_ENTRIES as u64,
                unit: "entries",
            }));
        }
        self.nodes.push(node);
        Ok(())
    }
}

/// Returns the local name for a component of the inner form: raw bytes are bytes again.
#[must_use]
pub fn local_name(name: &str) -> PathBuf {
    PathBuf::from(OsString::from_vec(names::encode_lossless(name)))
}

/// Returns the local path for a path of a tree.
#[must_use]
pub fn local_path(path: &str) -> PathBuf {
    path.split('/').map(local_name).collect()
}

/// Returns the inner form of a local path.
#[must_use]
pub fn inner_name(path: &Path) -> String {
    names::decode_lossless(path.as_os_str().as_bytes())
}

fn below_of(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// A tree of these paths, directories with a `/` at their end.
#[cfg(test)]
pub(super) fn tree_of(paths: &[&str]) -> Tree {
    let node = |path: &&str| Node {
        path: path.trim_end_matches('/').to_owned(),
        is_dir: path.ends_with('/'),
        facts: Facts::default(),
    };
    Tree {
        nodes: paths.iter().map(node).collect(),
        ..Tree::default()
    }
}

#[cfg(test)]
mod tests;
