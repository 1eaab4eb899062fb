//! Whether a server keeps the times it is given, which FEAT tells of MFMT only.

use std::time::{Duration, SystemTime};

use super::{
    compare::{Difference, compare},
    probe::{unless_refused, write_empty},
    sync::by_path,
    walk::Tree,
};
use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    remote::{
        Remote, RemoteName,
        listing::{format_time, in_mlst},
        names,
    },
    work::chance_tag,
};

/// What is taken for the lead of a clock that cannot be measured: the zones of the world lie so far apart.
const UNMEASURED: Duration = Duration::from_secs(26 * 3600);
/// How many files are tried: one may belong to somebody else.
const TRIES: usize = 8;

/// Tells whether the times of uploads are kept, as far as the plan needs to know. Where FEAT does not
/// say, files that are there are given the time they have. Only a server that refuses all of them, or
/// has no command for it, is taken for one that keeps none: its times say nothing of changes. Where it
/// may not be tried (a dry run changes nothing), a command that is offered is believed.
///
/// # Errors
/// The session broke.
pub async fn are_kept(
    session: &mut dyn Remote,
    source: &Tree,
    (target, top): (&Tree, &str),
    may_try: bool,
) -> Result<bool, RemoteError> {
    let abilities = session.abilities();
    if abilities.sets_times() {
        return Ok(true);
    }
    let offered = [
        ("MDTM", abilities.has("MDTM")),
        ("SITE UTIME", abilities.has("SITE")),
    ];
    let verbs: Vec<&str> = offered
        .iter()
        .filter(|row| row.1)
        .map(|row| row.0)
        .collect();
    let mut refused = verbs.is_empty();
    if !may_try {
        return Ok(!refused);
    }
    for path in doubtful(source, target).take(TRIES) {
        let path = names::join(top, path);
        let Some(stamp) = session.modified(&path).await?.and_then(format_time) else {
            continue;
        };
        for verb in &verbs {
            let reply = session.raw(&format!("{verb} {stamp} {path}")).await?;
            if reply.is_ok() {
                return Ok(true);
            }
            refused = true;
        }
    }
    Ok(!refused)
}

/// Measures how far the server's clock is at most ahead of this one's, by an empty file that goes at once, if
/// there is a file whose time says it was uploaded later. Returns the file if it may not be removed.
///
/// # Errors
/// The session broke.
pub async fn ahead(
    session: &mut dyn Remote,
    source: &Tree,
    (target, top): (&Tree, &str),
) -> Result<(Duration, Option<String>), RemoteError> {
    if !is_any_newer(source, target) {
        return Ok((Duration::ZERO, None));
    }
    let name = format!(".ftpc-clock-{}", chance_tag());
    let path = names::join(top, &name);
    let before = SystemTime::now();
    match write_empty(session, &path).await {
        Err(RemoteError::Refused { .. }) if session.is_usable() => return Ok((UNMEASURED, None)),
        other => other?,
    }
    let told = session.modified(&path).await;
    let time = match unless_refused(&*session, told)?.flatten() {
        Some(time) => Some(time + Duration::from_secs(1)),
        None => {
            let listed = listed_time(session, top, &name).await;
            unless_refused(&*session, listed)?.flatten()
        }
    };
    let left = match session.remove_file(&path).await {
        Err(RemoteError::Refused { .. }) => Some(path),
        other => other.map(|()| None)?,
    };
    let measured = time.map(|time| time.duration_since(before).unwrap_or_default());
    Ok((measured.unwrap_or(UNMEASURED), left))
}

/// The latest time that a file may have by its listing.
async fn listed_time(
    session: &mut dyn Remote,
    dir: &str,
    name: &str,
) -> Result<Option<SystemTime>, RemoteError> {
    let listing = session.list(dir).await?;
    let mut entries = listing.entries.into_iter();
    let entry = entries.find(|entry| entry.name.as_str() == name);
    Ok(entry.and_then(|entry| Some(entry.modified? + entry.precision)))
}

/// What a server tells of the files that a coarse listing shows as unchanged.
#[derive(Debug, Default)]
pub struct Exact {
    /// Their times, each with the file's place in the tree.
    pub told: Vec<(usize, SystemTime)>,
    /// Of so many it tells no other time than the listing.
    pub untold: usize,
}

/// Asks for the exact times of files that a coarse listing shows as unchanged: LIST tells minutes, and days
/// of what is older than half a year (RFC 3659 §3). A server whose FEAT does not promise it is asked too, until it
/// has told nothing of several.
///
/// # Errors
/// The session broke, or a stop.
pub async fn exact(
    session: &mut dyn Remote,
    local: &Tree,
    (remote, top): (&Tree, &str),
    cancel: &Cancel,
) -> Result<Exact, Error> {
    let mut exact = Exact::default();
    let is_promised = session.abilities().has("MDTM");
    let here = by_path(local);
    for (place, node) in remote.nodes.iter().enumerate() {
        let is_coarse = !node.is_dir && node.facts.precision > Duration::from_secs(1);
        let seems_same = here.get(node.path.as_str()).is_some_and(|other| {
            !other.is_dir && compare(&node.facts, &other.facts) == Difference::Same
        });
        if !is_coarse || !seems_same {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let may_tell = is_promised || !exact.told.is_empty() || exact.untold < TRIES;
        let time = match may_tell {
            true => exact_time(session, &names::join(top, &node.path)).await?,
            false => None,
        };
        match time {
            Some(time) => exact.told.push((place, time)),
            None => exact.untold += 1,
        }
    }
    Ok(exact)
}

/// The time of a file by MDTM, or by MLST of a server that has it without a FEAT to say so (aioftp). One that
/// cannot be asked just now is judged by what the listing says.
async fn exact_time(
    session: &mut dyn Remote,
    path: &str,
) -> Result<Option<SystemTime>, RemoteError> {
    let told = session.modified(path).await;
    let told = unless_refused(&*session, told)?.flatten();
    if told.is_some() || session.abilities().has("MDTM") {
        return Ok(told);
    }
    let reply = session.raw(&format!("MLST {path}")).await?;
    let name = RemoteName::new(names::split(path).1).ok();
    let entry = name.filter(|_| reply.is_ok());
    let entry = entry.and_then(|name| in_mlst(&reply, &name));
    Ok(entry.and_then(|entry| entry.modified))
}

/// Tells whether a file is newer on the target, whatever its size.
#[must_use]
pub fn is_any_newer(source: &Tree, target: &Tree) -> bool {
    let there = by_path(target);
    source.nodes.iter().any(|node| {
        let other = there.get(node.path.as_str()).filter(|other| !other.is_dir);
        other.is_some_and(|other| other.facts.modified > node.facts.modified)
    })
}

/// Files of one size on both sides that are newer on the target: uploaded, or changed.
fn doubtful<'a>(source: &'a Tree, target: &Tree) -> impl Iterator<Item = &'a str> {
    let there = by_path(target);
    source.nodes.iter().filter_map(move |node| {
        let other = there.get(node.path.as_str())?;
        let files = !node.is_dir && !other.is_dir;
        let older = compare(&node.facts, &other.facts) == Difference::Older;
        (files && older).then_some(node.path.as_str())
    })
}
