//! Whether a server keeps the times it is given, which FEAT tells of MFMT only; `exact` asks for those that its
//! listing tells coarsely.

mod exact;

use std::time::{Duration, SystemTime};

pub use self::exact::{Exact, exact, exact_of_newer};

use super::{
    compare::{Difference, compare},
    probe::{unless_refused, write_empty},
    sync::by_path,
    walk::Tree,
};
use crate::{
    error::RemoteError,
    remote::{Remote, listing::format_time, names},
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
