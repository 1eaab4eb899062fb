//! The exact times of files whose listing tells minutes or days, where those do not decide.

use std::time::{Duration, SystemTime};

use super::TRIES;
use crate::{
    cancel::Cancel,
    error::{Error, RemoteError},
    plan::{
        compare::{Difference, Facts, compare},
        probe::unless_refused,
        sync::{Wishes, by_path},
        walk::Tree,
    },
    remote::{Remote, RemoteName, listing::in_mlst, names},
};

/// What a server tells of the files that it was asked about, each with its place in the tree.
#[derive(Debug, Default)]
pub struct Exact {
    /// Their times.
    pub told: Vec<(usize, SystemTime)>,
    /// Of these it tells no other time than the listing.
    pub untold: Vec<usize>,
}

impl Exact {
    /// Puts the times into their tree.
    pub fn take(&self, remote: &mut Tree) {
        for (place, time) in &self.told {
            let facts = &mut remote.nodes[*place].facts;
            (facts.modified, facts.precision) = (Some(*time), Duration::from_secs(1));
        }
    }
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
    remote: (&Tree, &str),
    cancel: &Cancel,
) -> Result<Exact, Error> {
    let seems_same =
        |there: &Facts, here: &Facts, _: &str| compare(there, here) == Difference::Same;
    ask(session, local, remote, cancel, &seems_same).await
}

/// Asks so of files of which the listing does not tell surely enough that the one that would be replaced is the older
/// one. What a server that tells exact times does not tell of a file is not known: a listing's may be in any zone.
///
/// # Errors
/// As [`exact`].
pub async fn exact_of_open(
    session: &mut dyn Remote,
    local: &Tree,
    remote: (&mut Tree, &str),
    wishes: &Wishes,
    cancel: &Cancel,
) -> Result<(), Error> {
    let is_open = |there: &Facts, here: &Facts, path: &str| {
        !wishes.equal.contains(path)
            && (compare(there, here) != Difference::Same || wishes.different.contains(path))
            && wishes.skew.is_open(wishes.way, there, here)
    };
    let (remote, top) = remote;
    let exact = ask(session, local, (remote, top), cancel, &is_open).await?;
    if session.abilities().has("MDTM") || !exact.told.is_empty() {
        for place in &exact.untold {
            remote.nodes[*place].facts.modified = None;
        }
    }
    exact.take(remote);
    Ok(())
}

/// Asks for those of the files on both sides that are told coarsely, and of which `wants` tells so by the facts
/// there and here.
async fn ask(
    session: &mut dyn Remote,
    local: &Tree,
    (remote, top): (&Tree, &str),
    cancel: &Cancel,
    wants: &(dyn Fn(&Facts, &Facts, &str) -> bool + Sync),
) -> Result<Exact, Error> {
    let mut exact = Exact::default();
    let is_promised = session.abilities().has("MDTM");
    let here = by_path(local);
    for (place, node) in remote.nodes.iter().enumerate() {
        let (path, facts) = (node.path.as_str(), &node.facts);
        let is_told = facts.modified.is_some() && facts.precision <= Duration::from_secs(1);
        let is_wanted = here
            .get(path)
            .is_some_and(|other| !other.is_dir && wants(facts, &other.facts, path));
        if node.is_dir || is_told || !is_wanted {
            continue;
        }
        if cancel.is_stopped() {
            return Err(Error::Interrupted);
        }
        let may_tell = is_promised || !exact.told.is_empty() || exact.untold.len() < TRIES;
        let time = match may_tell {
            true => exact_time(session, &names::join(top, path)).await?,
            false => None,
        };
        match time {
            Some(time) => exact.told.push((place, time)),
            None => exact.untold.push(place),
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
