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

/// How far a server's clock, as its listings show it, is at most from this one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    /// Ahead of it.
    pub ahead: Duration,
    /// Behind it; zero where that is within what a listing leaves out.
    pub behind: Duration,
}

impl Skew {
    const UNMEASURED: Self = Self {
        ahead: UNMEASURED,
        behind: Duration::ZERO,
    };

    /// Of a time between these two that the server gave to a file that was written behind `before`.
    fn of(before: SystemTime, (first, last): (SystemTime, SystemTime)) -> Self {
        let is_behind = last < before;
        let behind = before.duration_since(first).ok().filter(|_| is_behind);
        Self {
            ahead: last.duration_since(before).unwrap_or_default(),
            behind: behind.unwrap_or_default(),
        }
    }
}

/// Measures the server's clock by an empty file that goes at once, if there is a file whose time says it was
/// uploaded later; with `wants_lag`, also if there is one that may only seem older. Returns the file if it may not be
/// removed.
///
/// # Errors
/// The session broke.
pub async fn skew(
    session: &mut dyn Remote,
    source: &Tree,
    (target, top): (&Tree, &str),
    wants_lag: bool,
) -> Result<(Skew, Option<String>), RemoteError> {
    let may_lag = || wants_lag && is_any_vaguely_older(source, target);
    if !is_any_newer(source, target) && !may_lag() {
        return Ok((Skew::default(), None));
    }
    let name = format!(".ftpc-clock-{}", chance_tag());
    let path = names::join(top, &name);
    let before = SystemTime::now();
    match write_empty(session, &path).await {
        Err(RemoteError::Refused { .. }) if session.is_usable() => {
            return Ok((Skew::UNMEASURED, None));
        }
        other => other?,
    }
    let told = session.modified(&path).await;
    let time = match unless_refused(&*session, told)?.flatten() {
        Some(time) => Some((time, time + Duration::from_secs(1))),
        None => {
            let listed = listed_time(session, top, &name).await;
            unless_refused(&*session, listed)?.flatten()
        }
    };
    let left = match session.remove_file(&path).await {
        Err(RemoteError::Refused { .. }) => Some(path),
        other => other.map(|()| None)?,
    };
    let measured = time.map(|times| Skew::of(before, times));
    Ok((measured.unwrap_or(Skew::UNMEASURED), left))
}

/// The first and the last time that a file may have by its listing.
async fn listed_time(
    session: &mut dyn Remote,
    dir: &str,
    name: &str,
) -> Result<Option<(SystemTime, SystemTime)>, RemoteError> {
    let listing = session.list(dir).await?;
    let mut entries = listing.entries.into_iter();
    let entry = entries.find(|entry| entry.name.as_str() == name);
    Ok(entry.and_then(|entry| {
        let time = entry.modified?;
        Some((time, time + entry.precision))
    }))
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

/// Tells whether a file that is told coarsely is older on the target, and may be newer: the zones of the world lie
/// further apart.
fn is_any_vaguely_older(source: &Tree, target: &Tree) -> bool {
    let there = by_path(target);
    source.nodes.iter().any(|node| {
        let other = there.get(node.path.as_str()).filter(|other| !other.is_dir);
        let facts = other.map(|other| &other.facts);
        let facts = facts.filter(|facts| facts.precision > Duration::from_secs(1));
        let times = facts.and_then(|facts| facts.modified.zip(node.facts.modified));
        times.is_some_and(|(theirs, ours)| theirs < ours && ours < theirs + UNMEASURED)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_measured_both_ways() {
        let second = Duration::from_secs;
        let now = SystemTime::UNIX_EPOCH + second(1_000_000);
        // As a listing tells it, by minutes.
        let told = |time: SystemTime| Skew::of(now, (time, time + second(60)));
        assert_eq!(
            (told(now).ahead, told(now).behind),
            (second(60), Duration::ZERO)
        );
        assert_eq!(told(now - second(40)).ahead, second(20));
        assert_eq!(told(now - second(40)).behind, Duration::ZERO);
        let behind = told(now - second(18_040));
        assert_eq!(
            (behind.ahead, behind.behind),
            (Duration::ZERO, second(18_040))
        );
    }
}
