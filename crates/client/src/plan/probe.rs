//! Names that nobody else has, made for a moment, by which a disk is asked, here or behind a server.

use std::{
    fs::{self, OpenOptions},
    path::Path,
};

use super::walk::local_path;
use crate::{
    error::RemoteError,
    remote::{Kind, Remote, Start, names},
    work::chance_tag,
};

/// Where the names that are made lie, and who is asked of their disks.
pub enum Aim<'a> {
    /// On a server, below this directory.
    There(&'a mut dyn Remote, &'a str),
    /// Here, below this directory.
    Here(&'a Path),
}

impl Aim<'_> {
    /// Tells whether what is made under `ours` is found under `theirs`, by names that nobody else has.
    pub(super) async fn is_one(
        &mut self,
        ours: &str,
        theirs: &str,
        left: &mut Vec<String>,
    ) -> Result<Option<bool>, RemoteError> {
        let ((dir, ours), (_, theirs)) = (names::split(ours), names::split(theirs));
        let tag = chance_tag();
        let probes = (probe_of(ours, &tag), probe_of(theirs, &tag));
        match self {
            Self::There(session, top) => {
                let dir = names::join(top, dir);
                let dir = if dir.is_empty() { *top } else { dir.as_str() };
                is_one_there(&mut **session, dir, probes, left).await
            }
            Self::Here(top) => Ok(is_one_here(&top.join(local_path(dir)), probes)),
        }
    }

    pub(super) async fn is_blind(
        &mut self,
        dir: &str,
        left: &mut Vec<String>,
    ) -> Result<Option<bool>, RemoteError> {
        match self {
            Self::There(session, top) => {
                let dir = names::join(top, dir);
                let dir = if dir.is_empty() { *top } else { dir.as_str() };
                is_one_there(&mut **session, dir, probe_names(), left).await
            }
            Self::Here(top) if dir.is_empty() => Ok(is_blind_here(top)),
            Self::Here(top) => Ok(is_blind_here(&top.join(local_path(dir)))),
        }
    }

    /// Tells whether the target answers to a path that its listing does not show.
    pub(super) async fn answers_to(&mut self, path: &str) -> Result<bool, RemoteError> {
        match self {
            Self::There(session, top) => {
                let path = names::join(top, path);
                Ok(session.stat(&path).await?.is_some())
            }
            Self::Here(top) => Ok(top.join(local_path(path)).symlink_metadata().is_ok()),
        }
    }
}

fn is_blind_here(dir: &Path) -> Option<bool> {
    is_one_here(dir, probe_names())
}

/// A directory that is still to be made is like the one above it. Blocks.
fn is_one_here(dir: &Path, (lower, upper): (String, String)) -> Option<bool> {
    let dir = std::path::absolute(dir).ok()?;
    let dir = dir.ancestors().find(|dir| dir.is_dir())?;
    let (lower, upper) = (local_path(&lower), local_path(&upper));
    let lower = dir.join(lower);
    // Never through a link, nor over a file.
    let made = OpenOptions::new().write(true).create_new(true).open(&lower);
    made.ok()?;
    let blind = dir.join(upper).symlink_metadata().is_ok();
    let _gone = fs::remove_file(lower);
    Some(blind)
}

/// Finds the directory, or the one above it that is there; `None`: not even the top is shown.
async fn nearest_dir<'a>(
    session: &mut dyn Remote,
    mut dir: &'a str,
) -> Result<Option<&'a str>, RemoteError> {
    loop {
        let there = session.stat(dir).await?;
        if there.is_some_and(|entry| entry.kind == Kind::Dir) {
            return Ok(Some(dir));
        }
        if matches!(dir, "" | "/" | ".") {
            return Ok(None);
        }
        dir = names::split(dir).0;
    }
}

async fn is_one_there(
    session: &mut dyn Remote,
    dir: &str,
    (lower, upper): (String, String),
    left: &mut Vec<String>,
) -> Result<Option<bool>, RemoteError> {
    let Some(dir) = nearest_dir(session, dir).await? else {
        return Ok(None);
    };
    let (lower, upper) = (names::join(dir, &lower), names::join(dir, &upper));
    match write_byte(session, &lower).await {
        Err(RemoteError::Refused { .. }) if session.is_usable() => {
            // Where the byte did not fit the name may be there.
            let gone = session.remove_file(&lower).await;
            return unless_refused(&*session, gone).map(|_| None);
        }
        other => other?,
    }
    // What is refused is not known; the file goes all the same.
    let seen = session.size(&lower).await;
    let seen = unless_refused(&*session, seen)?;
    let other = session.size(&upper).await;
    let other = unless_refused(&*session, other)?;
    let may_be_other = other != Some(None);
    let gone = match session.remove_file(&lower).await {
        // Some servers keep it under the other name alone (Pure-FTPd).
        Err(RemoteError::Refused { .. }) if may_be_other => session.remove_file(&upper).await,
        gone => gone,
    };
    match gone {
        Err(RemoteError::Refused { .. }) => left.push(lower),
        other => other?,
    }
    // Nobody else has the other name: where it is seen, one became both.
    Ok(match (seen, other) {
        (_, Some(Some(_))) => Some(true),
        (Some(Some(_)), Some(None)) => Some(false),
        _ => None,
    })
}

/// Returns an answer; `None`: the server refused to give one.
pub(super) fn unless_refused<T>(
    session: &dyn Remote,
    answer: Result<T, RemoteError>,
) -> Result<Option<T>, RemoteError> {
    match answer {
        Err(RemoteError::Refused { .. }) if session.is_usable() => Ok(None),
        other => other.map(Some),
    }
}

pub(super) async fn write_empty(session: &mut dyn Remote, path: &str) -> Result<(), RemoteError> {
    session.open_write(path, Start::New).await?.finish().await
}

/// Not empty: of an empty file some servers tell no size (ftp-srv), as of none.
async fn write_byte(session: &mut dyn Remote, path: &str) -> Result<(), RemoteError> {
    let mut data = session.open_write(path, Start::New).await?;
    match data.send(b"-").await {
        Ok(()) => data.finish().await,
        Err(_) => data.cut().await,
    }
}

/// A name that nobody else has. What the other begins and ends with is where it was, since some servers drop
/// blanks there.
fn probe_of(name: &str, tag: &str) -> String {
    let bare = name.trim_start();
    let blanks = &name[..name.len() - bare.len()];
    format!("{blanks}.ftpc-case-{tag}-{bare}")
}

/// Two names that nobody else has, and that differ in case only.
fn probe_names() -> (String, String) {
    let tag = chance_tag();
    (format!(".ftpc-case-{tag}"), format!(".ftpc-CASE-{tag}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::{Dial as _, memory::Memory};

    #[test]
    fn a_disk_that_tells_cases_apart_takes_both() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("x"), "").unwrap();
        fs::write(temp.path().join("X"), "").unwrap_or_default();
        let blind = fs::read_dir(temp.path()).unwrap().count() == 1;
        let told = is_blind_here(&temp.path().join("not/made/yet"));
        assert_eq!(told, Some(blind));
        let left = fs::read_dir(temp.path()).unwrap().count();
        assert_eq!(left, if blind { 1 } else { 2 });
        assert_eq!(is_blind_here(Path::new("/proc/self")), None);
    }

    #[tokio::test]
    async fn a_question_that_is_refused_leaves_no_file() {
        for (refused, told) in [("SIZE", None), ("DELE", Some(false))] {
            let server = Memory::new(&[]);
            server.put("/t/x", b"1", std::time::SystemTime::UNIX_EPOCH);
            let mut session = server.dial().await.unwrap();
            let refusal = RemoteError::Refused {
                verb: refused.to_owned(),
                path: None,
                reply: crate::remote::Reply::new(451, "not just now"),
            };
            server.fail(refused, refusal);
            let mut left = Vec::new();
            let names = probe_names();
            let kept = names::join("/t", &names.0);
            let answer = is_one_there(&mut *session, "/t", names, &mut left).await;
            assert_eq!(answer.unwrap(), told, "{refused}");
            // What stays is told.
            assert_eq!(server.get(&kept).is_some(), refused == "DELE");
            assert_eq!(left.contains(&kept), refused == "DELE");
        }
    }

    #[tokio::test]
    async fn a_server_is_asked_by_a_file_that_goes_again() {
        for blind in [false, true] {
            let mut server = Memory::new(&[]);
            if blind {
                server = server.blind_below("/");
            }
            server.put("/t/x", b"1", std::time::SystemTime::UNIX_EPOCH);
            let mut session = server.dial().await.unwrap();
            for dir in ["/t", "/t/not/made/yet", "/t/x"] {
                let mut left = Vec::new();
                let told = is_one_there(&mut *session, dir, probe_names(), &mut left).await;
                assert_eq!((told.unwrap(), left.len()), (Some(blind), 0), "{dir}");
            }
            assert_eq!(server.paths(), ["/t", "/t/x"]);
        }
    }
}
