//! Measuring a server's clock, where a plan depends on it.

use std::time::{Duration, SystemTime};

use super::{
    is_any_newer,
    skew::{Skew, Span},
};
use crate::{
    error::RemoteError,
    plan::{
        compare::{Difference, Facts, compare},
        probe::{unless_refused, write_empty},
        sync::{Way, Wishes, by_path},
        walk::Tree,
    },
    remote::{Remote, names},
    work::chance_tag,
};

/// Tells whether what is done to a file depends on the server's clock: where it keeps no times those of its files are
/// by it, and with `update_only` those that are not by MLSD, which tells UTC (RFC 3659 §7.5.3), may be by any.
#[must_use]
pub fn is_clock_wanted(wishes: &Wishes, here: &Tree, there: &Tree, has_mlsd: bool) -> bool {
    let is_own = wishes.way == Way::Up && !wishes.keeps_times;
    let is_any_close = || {
        let is_close = |there: &Facts, here: &Facts| is_close(wishes.way, there, here);
        is_any_pair(here, there, is_close)
    };
    (is_own && is_any_newer(here, there))
        || (wishes.update_only && (is_own || !has_mlsd) && is_any_close())
}

/// Tells whether a file would be copied, or not, that another clock would make the newer one, or the older one. Coming
/// down nothing is written to the server for the sake of what is older there.
fn is_close(way: Way, there: &Facts, here: &Facts) -> bool {
    let is_timed = there.modified.is_some() && here.modified.is_some();
    let skew = match way {
        Way::Up => Skew::UNMEASURED,
        Way::Down => Skew::default(),
    };
    is_timed && compare(there, here) != Difference::Same && skew.is_open(way, there, here)
}

fn is_any_pair(here: &Tree, there: &Tree, is_it: impl Fn(&Facts, &Facts) -> bool) -> bool {
    let others = by_path(there);
    here.nodes.iter().any(|node| {
        let other = others.get(node.path.as_str()).filter(|other| !other.is_dir);
        other.is_some_and(|other| !node.is_dir && is_it(&other.facts, &node.facts))
    })
}

/// Measures the server's clock by an empty file that goes at once. Returns the file if it may not be removed.
///
/// # Errors
/// The session broke.
pub async fn measure(
    session: &mut dyn Remote,
    top: &str,
) -> Result<(Skew, Option<String>), RemoteError> {
    let name = format!(".ftpc-clock-{}", chance_tag());
    let path = names::join(top, &name);
    let before = SystemTime::now();
    match write_empty(session, &path).await {
        Err(RemoteError::Refused { .. }) if session.is_usable() => {
            return Ok((Skew::UNMEASURED, None));
        }
        other => other?,
    }
    let written = (before, SystemTime::now());
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
    let measured = time.map(|times| Skew::of(written, times));
    Ok((measured.unwrap_or(Skew::UNMEASURED), left))
}

/// What a listing tells of a file's time.
async fn listed_time(
    session: &mut dyn Remote,
    dir: &str,
    name: &str,
) -> Result<Option<Span>, RemoteError> {
    let listing = session.list(dir).await?;
    let mut entries = listing.entries.into_iter();
    let entry = entries.find(|entry| entry.name.as_str() == name);
    Ok(entry.and_then(|entry| {
        let time = entry.modified?;
        Some((time, time + entry.precision))
    }))
}
