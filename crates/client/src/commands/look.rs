//! What an operand on the server names: an entry, or those that a pattern matches.

use crate::{
    app::Failure,
    error::RemoteError,
    plan::filter::{is_pattern, matcher},
    remote::{Dropped, Entry, Lack, Remote, Reply, names},
};

/// What operands name, with the path of each.
pub(crate) type Found = Vec<(String, Entry)>;

/// How operands are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelt {
    /// By a person: one that is no name may be a pattern.
    ByHand,
    /// Each is one name, also where nothing has it any more: what it would match was not meant.
    Out,
}

/// Finds what an operand names; a name that exists is that name even when it holds `*?[`.
/// With a pattern, it is told too what the listing lacks of what may match.
pub(crate) async fn look(
    session: &mut dyn Remote,
    path: &str,
) -> Result<(Found, Vec<String>), Failure> {
    look_spelt(session, path, Spelt::ByHand).await
}

/// Finds what an operand names that is written so.
pub(crate) async fn look_spelt(
    session: &mut dyn Remote,
    path: &str,
    spelt: Spelt,
) -> Result<(Found, Vec<String>), Failure> {
    if let Some(entry) = session.stat(path).await? {
        return Ok((vec![(path.to_owned(), entry)], Vec::new()));
    }
    let (dir, pattern) = names::split(path);
    if spelt == Spelt::Out || !is_pattern(pattern) {
        return Err(why_unseen(session, path).await.into());
    }
    let matches = matcher(pattern).map_err(|error| Failure::usage(error.to_string()))?;
    let listing = session.list(dir).await?;
    let found: Found = listing
        .entries
        .into_iter()
        .filter(|entry| matches(entry.name.as_str()))
        .map(|entry| (entry.name.within(dir), entry))
        .collect();
    let mut lacks: Vec<String> = listing.lack.iter().map(Lack::left_out).collect();
    let might_match = |dropped: &&Dropped| match dropped {
        Dropped::Name { name, .. } => matches(name) || matches(names::split(name).1),
        Dropped::Line(line) => may_hold(line, &matches),
    };
    let dropped = listing.dropped.iter().filter(might_match);
    lacks.extend(dropped.map(ToString::to_string));
    if found.is_empty() && lacks.is_empty() {
        return Err(missing(path).into());
    }
    Ok((found, lacks))
}

/// Tells whether a line that cannot be read may be that of a name which matches: one of its words, or what stands
/// from one of them to the end, as names may hold blanks. Of one that was cut, or is one word, the name is not known.
fn may_hold(line: &str, matches: impl Fn(&str) -> bool) -> bool {
    let begins = line.match_indices(' ').map(|(at, _)| &line[at + 1..]);
    let mut ends = std::iter::once(line).chain(begins);
    let mut words = line.split_whitespace();
    let is_cut = line.len() >= Dropped::LONGEST_LINE;
    // As it stands, and without what is no part of a name.
    let is_like = |text: &str| {
        let bare = bare(text);
        matches(text) || matches(bare) || matches(names::split(bare).1)
    };
    is_cut || words.clone().count() < 2 || words.any(is_like) || ends.any(is_like)
}

/// Takes off what listings put around names: quotes and commas, the aim of a link, the mark of `ls -F`, the version
/// of VMS, blanks.
fn bare(name: &str) -> &str {
    let name = name.split(" -> ").next().unwrap_or_default().trim();
    let name = name.trim_matches(['"', '\'', ',']);
    let name = name.trim_end_matches(['*', '/', '@', '=', '|']);
    match name.rsplit_once(';') {
        Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// Says why nothing is seen under a name. Where the server has neither MLST nor SIZE only its listing could tell:
/// if it refuses that, it has not said that nothing is there.
async fn why_unseen(session: &mut dyn Remote, path: &str) -> RemoteError {
    let abilities = session.abilities();
    if abilities.mlst() || abilities.has("SIZE") {
        return missing(path);
    }
    match session.list(names::split(path).0).await {
        Ok(_) => missing(path),
        // There is no such directory.
        Err(RemoteError::Refused { verb, .. }) if verb == "CWD" => missing(path),
        Err(error) => error,
    }
}

fn missing(path: &str) -> RemoteError {
    RemoteError::Refused {
        verb: "look for".to_owned(),
        path: Some(path.to_owned()),
        reply: Reply::new(550, "no such file or directory"),
    }
}
