//! Whether a server keeps the times it is given, which FEAT tells of MFMT only; `exact` asks for those that its
//! listing tells coarsely, `clock` measures by which clock they are told, `skew` tells what that leaves open.

mod clock;
mod exact;
mod skew;

use std::time::Duration;

pub use self::{
    clock::{is_clock_wanted, measure},
    exact::{Exact, exact, exact_of_open},
    skew::{Age, Skew},
};

use super::{
    compare::{Difference, compare},
    sync::by_path,
    walk::Tree,
};
use crate::{
    error::RemoteError,
    remote::{Remote, listing::format_time, names},
};

/// So far apart lie the zones of the world, and with them a clock that cannot be measured.
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
