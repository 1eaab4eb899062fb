//! Trees to lists of names: the remote one over a session, the local one from the disk.
//!
//! Names are checked where they come in, depth and number are limited, links are never followed:
//! a walk ends, and what it returns lies below its top.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{compare::Facts, filter::Filter};
use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    remote::{Entry, Kind, Remote, names},
};

/// The deepest directory that is entered.
pub const MAX_DEPTH: usize = 128;
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

    fn leave_out(&mut self, path: &str, why: &str) {
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
        let name = names::display(name).escape_debug().to_string();
        self.refuse(
            if dir.is_empty() { "." } else { dir },
            format!("`{name}`: {why}"),
        );
        self.unread.push(path.to_owned());
        self.closed.push(path.to_owned());
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

impl Tree {
    /// Takes an entry of a remote directory; tells whether it is a directory to walk.
    fn take_remote(
        &mut self,
        dir: &str,
        path: &str,
        entry: &Entry,
        depth: usize,
        filter: &Filter,
    ) -> Result<bool, Error> {
        let is_dir = entry.kind == Kind::Dir;
        if !filter.takes(path, is_dir) {
            self.passes_over_one_in(dir);
            return Ok(false);
        }
        let odd = match entry.kind {
            Kind::File if is_remote_part(entry.name.as_str()) => Some("a part of a transfer"),
            Kind::Dir if depth >= MAX_DEPTH => Some("too deep"),
            Kind::Dir | Kind::File => None,
            Kind::Link => Some("a link"),
            Kind::Other => Some("not a regular file"),
        };
        if let Some(odd) = odd {
            self.leave_out(path, odd);
            return Ok(false);
        }
        self.push(Node {
            path: path.to_owned(),
            is_dir,
            facts: Facts {
                size: entry.size.filter(|_| !is_dir),
                modified: entry.modified,
                precision: entry.precision,
            },
        })?;
        Ok(is_dir)
    }
}

/// Walks a remote directory. Parts of interrupted uploads are left out; a directory below the top
/// that the server does not list is refused.
///
/// # Errors
/// The top cannot be listed, the session broke, the tree has no end, or it was interrupted.
pub async fn remote(
    session: &mut dyn Remote,
    top: &str,
    filter: &Filter,
    cancel: &Cancel,
) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let mut waiting = vec![(String::new(), 0)];
    while let Some((dir, depth)) = waiting.pop() {
        let path = if dir.is_empty() {
            top.to_owned()
        } else {
            names::join(top, &dir)
        };
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let listed = cancel.or_leave(session.list(&path)).await;
        let listing = match listed.ok_or(Error::Interrupted)? {
            Err(error @ RemoteError::Refused { .. }) if !dir.is_empty() && session.is_usable() => {
                tree.cannot_read(&dir, &error.to_string());
                continue;
            }
            other => other?,
        };
        if !listing.dropped.is_empty() {
            // Which of the names that seem to be missing it was is not known.
            tree.unread.push(dir.clone());
        }
        for dropped in listing.dropped {
            tree.refuse(&path, dropped);
        }
        let mut below = Vec::new();
        for entry in listing.entries {
            let path = below_of(&dir, entry.name.as_str());
            if tree.take_remote(&dir, &path, &entry, depth, filter)? {
                below.push((path, depth + 1));
            }
        }
        waiting.extend(below.into_iter().rev());
    }
    Ok(tree)
}

fn below_of(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// Walks a local directory. Blocks. Partial files of interrupted downloads are left out.
///
/// # Errors
/// The top cannot be read; what cannot be read below it is refused.
pub fn local(top: &Path, filter: &Filter) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let mut waiting = vec![(String::new(), 0)];
    while let Some((dir, depth)) = waiting.pop() {
        let disk = top.join(local_name(&dir));
        let entries = match read_sorted(&disk) {
            Ok(entries) => entries,
            Err(error) if dir.is_empty() => return Err(Error::local("read", disk, error)),
            Err(error) => {
                tree.cannot_read(&dir, &Error::local("read", disk, error).chain());
                continue;
            }
        };
        let mut below = Vec::new();
        for name in entries {
            let path = below_of(&dir, &inner_name(Path::new(&name)));
            match look(&disk.join(&name)) {
                Ok(Some((is_dir, _))) if !filter.takes(&path, is_dir) || is_part(&name) => {
                    tree.passes_over_one_in(&dir);
                }
                Ok(Some((true, _))) if depth >= MAX_DEPTH => {
                    tree.leave_out(&path, "too deep");
                }
                Ok(Some((is_dir, facts))) => {
                    if is_dir {
                        below.push((path.clone(), depth + 1));
                    }
                    tree.push(Node {
                        path,
                        is_dir,
                        facts,
                    })?;
                }
                Ok(None) if !filter.takes(&path, false) => tree.passes_over_one_in(&dir),
                Ok(None) => tree.leave_out(&path, "not a regular file"),
                Err(error) => {
                    let error = Error::local("read", disk.join(&name), error);
                    tree.cannot_read(&path, &error.chain());
                }
            }
        }
        waiting.extend(below.into_iter().rev());
    }
    Ok(tree)
}

/// Parts of uploads, and what downloads keep beside their files: fetched, such a file could take the
/// place of one that is being written here.
fn is_remote_part(name: &str) -> bool {
    name.ends_with(".ftpc-part") || (name.starts_with('.') && name.ends_with(".ftpc-part.json"))
}

fn is_part(name: &OsString) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b".")
        && (bytes.ends_with(b".ftpc-part") || bytes.ends_with(b".ftpc-part.json"))
}

fn read_sorted(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Looks without following links; `None`: neither file nor directory.
fn look(path: &Path) -> io::Result<Option<(bool, Facts)>> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() && !meta.is_file() {
        return Ok(None);
    }
    let facts = Facts {
        size: meta.is_file().then_some(meta.len()),
        modified: meta.modified().ok(),
        precision: Duration::ZERO,
    };
    Ok(Some((meta.is_dir(), facts)))
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
mod tests {
    use super::*;
    use crate::remote::{Dial as _, memory::Memory};

    #[tokio::test]
    async fn a_remote_walk_lists_parents_first_and_only_what_is_wanted() {
        let server = Memory::new(&[]);
        let parts = ["/t/a.12345678.ftpc-part", "/t/.a.ftpc-part.json"];
        for path in ["/t/b/c", "/t/a", "/t/skip/x"].iter().chain(&parts) {
            server.put(path, b"1", std::time::SystemTime::UNIX_EPOCH);
        }
        let mut filter = Filter::default();
        filter.exclude("skip/").unwrap();
        let mut session = server.dial().await.unwrap();
        let tree = remote(&mut *session, "/t", &filter, &Cancel::default())
            .await
            .unwrap();
        let paths: Vec<_> = tree.nodes.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(paths, ["a", "b", "b/c"]);
        let notes = [".a.ftpc-part.json", "a.12345678.ftpc-part"]
            .map(|name| format!("{name}: a part of a transfer"));
        assert_eq!(tree.notes, notes);
        assert!(tree.is_unread("a.12345678.ftpc-part"));
        assert_eq!(tree.holding, [""], "`skip` lies in the top");
        assert!(!server.calls().contains(&"MLSD /t/skip".to_owned()));
        assert!(
            remote(&mut *session, "/none", &filter, &Cancel::default())
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn a_tree_without_end_is_cut_at_a_depth() {
        let server = Memory::new(&[]);
        let deep = "/d".repeat(MAX_DEPTH + 10);
        server.put(&deep, b"1", std::time::SystemTime::UNIX_EPOCH);
        let mut session = server.dial().await.unwrap();
        let tree = remote(&mut *session, "/", &Filter::default(), &Cancel::default())
            .await
            .unwrap();
        assert_eq!(tree.nodes.len(), MAX_DEPTH);
        assert!(tree.notes[0].ends_with("too deep"), "{:?}", tree.notes);
    }

    #[test]
    fn a_local_walk_leaves_links_and_partials_out_and_ends() {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path();
        fs::create_dir_all(top.join("d/e")).unwrap();
        fs::write(top.join("d/e/f"), b"123").unwrap();
        fs::write(top.join(".x.ftpc-part"), b"1").unwrap();
        std::os::unix::fs::symlink("..", top.join("d/loop")).unwrap();
        let raw = OsString::from_vec(b"\xB2\xE2".to_vec());
        fs::write(top.join(&raw), b"").unwrap();

        let tree = local(top, &Filter::default()).unwrap();
        let paths: Vec<_> = tree.nodes.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(paths, ["d", "\u{10ffb2}\u{10ffe2}", "d/e", "d/e/f"]);
        assert_eq!(tree.nodes[3].facts.size, Some(3));
        assert_eq!(tree.notes, ["d/loop: not a regular file"]);
        assert_eq!(tree.holding, [""], "the partial lies in the top");
        assert_eq!(local_name(&tree.nodes[1].path), PathBuf::from(raw));
        assert!(local(&top.join("missing"), &Filter::default()).is_err());
    }

    #[tokio::test]
    async fn a_top_that_is_not_listed_is_an_error() {
        let server = Memory::new(&[]);
        server.put("/t/x", b"1", std::time::SystemTime::UNIX_EPOCH);
        let refusal = RemoteError::Refused {
            verb: "MLSD".to_owned(),
            path: None,
            reply: crate::remote::Reply::new(550, "permission denied"),
        };
        let mut session = server.dial().await.unwrap();
        let (filter, cancel) = (Filter::default(), Cancel::default());
        server.fail("MLSD", refusal);
        let error = remote(&mut *session, "/t", &filter, &cancel).await;
        assert!(error.is_err());
    }

    #[tokio::test]
    async fn a_remote_walk_stops_when_it_is_interrupted() {
        let server = Memory::new(&[]);
        let mut session = server.dial().await.unwrap();
        let cancel = Cancel::default();
        cancel.stop();
        let stopped = remote(&mut *session, "/", &Filter::default(), &cancel).await;
        assert!(matches!(stopped, Err(Error::Interrupted)));
    }

    #[test]
    fn what_cannot_be_read_here_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        // Below a path that is too long for the system's calls.
        let dir = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority());
        let mut dir = dir.unwrap();
        let name = "n".repeat(250);
        for _ in 0..20 {
            dir.create_dir(&name).unwrap();
            dir = dir.open_dir(&name).unwrap();
        }
        let tree = local(temp.path(), &Filter::default()).unwrap();
        assert!(tree.notes.is_empty(), "{:?}", tree.notes);
        assert_eq!(tree.refused.len(), 1, "{:?}", tree.refused);
        assert!(tree.refused[0].1.contains("too long"), "{:?}", tree.refused);
        assert!(tree.is_unread(&tree.unread[0]));
    }
}
