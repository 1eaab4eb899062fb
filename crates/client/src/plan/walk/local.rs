//! A local tree, directory by directory.

use std::{ffi::OsString, fs, io, path::Path, time::Duration};

use super::{MAX_DEPTH, Node, PART, TOO_DEEP, Tree, below_of, inner_name, is_part, local_name};
use crate::{
    cancel::Cancel,
    error::Error,
    plan::{
        compare::{Facts, TWO_SECONDS},
        filter::Filter,
    },
    remote::names,
    work::blocking,
};

/// Walks a local directory. Blocks. Partial files of interrupted downloads are left out.
///
/// # Errors
/// The top cannot be read; what cannot be read below it is refused.
pub fn local(top: &Path, filter: &Filter) -> Result<Tree, Error> {
    until(top, filter, &Cancel::default())
}

/// Walks a local directory on a thread of its own.
///
/// # Errors
/// As [`local`], or it was interrupted.
pub async fn here(top: &Path, filter: &Filter, cancel: &Cancel) -> Result<Tree, Error> {
    let (top, filter, stop) = (top.to_owned(), filter.clone(), cancel.clone());
    let walk = blocking(move || until(&top, &filter, &stop));
    // A disk that does not answer is left behind.
    cancel.or_leave(walk).await.ok_or(Error::Interrupted)??
}

fn until(top: &Path, filter: &Filter, cancel: &Cancel) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let precision = precision_at(top);
    let mut waiting = vec![(String::new(), 0)];
    while let Some((dir, depth)) = waiting.pop() {
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
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
            let on_disk = disk.join(&name);
            let found = look(&on_disk, precision);
            if let Some(dir) = enter(&mut tree, &dir, &on_disk, found, filter, depth)? {
                below.push((dir, depth + 1));
            }
        }
        waiting.extend(below.into_iter().rev());
    }
    Ok(tree)
}

/// Enters what was found on the disk into the tree; returns the path of a directory to be walked.
fn enter(
    tree: &mut Tree,
    dir: &str,
    on_disk: &Path,
    found: io::Result<Option<(bool, Facts)>>,
    filter: &Filter,
    depth: usize,
) -> Result<Option<String>, Error> {
    let name = on_disk.file_name().unwrap_or_default();
    let path = below_of(dir, &inner_name(Path::new(name)));
    match found {
        Ok(Some((is_dir, _))) if !filter.takes(&path, is_dir) => tree.passes_over_one_in(dir),
        Ok(Some((false, _))) if is_part(name.as_encoded_bytes()) => {
            tree.note(format!("{}: {PART}", names::display(&path)));
            tree.passes_over_one_in(dir);
        }
        Ok(Some((true, _))) if depth >= MAX_DEPTH => tree.cannot_read(&path, TOO_DEEP),
        Ok(Some((is_dir, facts))) => {
            let walked = is_dir.then(|| path.clone());
            tree.push(Node {
                path,
                is_dir,
                facts,
            })?;
            return Ok(walked);
        }
        Ok(None) if !filter.takes(&path, false) => tree.passes_over_one_in(dir),
        Ok(None) => tree.leave_out(&path, odd(on_disk)),
        Err(_) if !filter.takes(&path, false) && !filter.takes(&path, true) => {
            tree.passes_over_one_in(dir);
        }
        Err(error) => {
            let has_gone = error.kind() == io::ErrorKind::NotFound;
            let why = Error::local("read", on_disk, error).chain();
            match has_gone {
                true => tree.cannot_read(&path, &why),
                false => tree.cannot_look_at(dir, &path, &why),
            }
        }
    }
    Ok(None)
}

/// Says what is neither file nor directory.
fn odd(path: &Path) -> &'static str {
    match path.is_symlink() {
        true => "a link",
        false => "not a regular file",
    }
}

fn read_sorted(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Looks without following links; `None`: neither file nor directory.
fn look(path: &Path, precision: Duration) -> io::Result<Option<(bool, Facts)>> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() && !meta.is_file() {
        return Ok(None);
    }
    let facts = Facts {
        size: meta.is_file().then_some(meta.len()),
        modified: meta.modified().ok(),
        precision,
    };
    Ok(Some((meta.is_dir(), facts)))
}

/// How exact the times are that a disk keeps.
pub(crate) fn precision_at(path: &Path) -> Duration {
    const FAT: i128 = 0x4d44;
    if let Ok(disk) = rustix::fs::statfs(path)
        && i128::from(disk.f_type) == FAT
    {
        return TWO_SECONDS;
    }
    Duration::ZERO
}
