//! Whether a disk, here or behind a server, takes two cases of a name for one.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    alike,
    case::Twin,
    spelling::{self, Pair, Spelled},
    walk::Tree,
};
use crate::error::RemoteError;

pub use super::probe::Aim;

/// What was learned of names that differ in case only.
#[derive(Debug, Default)]
pub struct Judged {
    /// Those that are one on their disk.
    pub one: Vec<Twin>,
    /// Those of which that cannot be seen.
    pub unseen: Vec<Twin>,
    /// Files of ours that the server does not let one remove.
    pub left: Vec<String>,
}

/// Asks for each directory in which two such names meet, for other disks may be mounted below the
/// top, by a file of one byte that goes at once.
///
/// # Errors
/// The session broke.
pub async fn judge(twins: Vec<Twin>, aim: &mut Aim<'_>) -> Result<Judged, RemoteError> {
    let mut judged = Judged::default();
    let mut known: HashMap<String, Option<bool>> = HashMap::new();
    for twin in twins {
        let dir = twin.dir();
        let told = match known.get(dir) {
            Some(told) => *told,
            None => {
                let told = aim.is_blind(dir, &mut judged.left).await?;
                known.insert(dir.to_owned(), told);
                told
            }
        };
        match told {
            Some(true) => judged.one.push(twin),
            Some(false) => {}
            None => judged.unseen.push(twin),
        }
    }
    Ok(judged)
}

/// Asks a disk, a server's mostly, whether it takes two names for one, by a file of one byte that goes at once, for each two
/// that are alike. Their own names are in its name: what is done to them is done to it.
///
/// # Errors
/// The session broke.
pub async fn judge_alike(aim: &mut Aim<'_>, twins: Vec<Twin>) -> Result<Judged, RemoteError> {
    let mut judged = Judged::default();
    let (mut asked, mut answers) = (0, HashMap::<String, (Option<bool>, usize)>::new());
    for twin in twins {
        let (known, times) = answers.entry(twin.first().to_owned()).or_default();
        let told = if *times >= ENOUGH {
            *known
        } else if asked < MOST_PROBES && judged.left.is_empty() {
            asked += 1;
            let told = aim
                .is_one(twin.first(), twin.second(), &mut judged.left)
                .await?;
            *times = if told == *known { *times + 1 } else { 1 };
            *known = told;
            told
        } else {
            None
        };
        match told {
            Some(true) => judged.one.push(twin),
            Some(false) => {}
            None => judged.unseen.push(twin),
        }
    }
    Ok(judged)
}

/// In a large group all are compared with the first one: what was so often so is so.
const ENOUGH: usize = 16;
/// So many questions of this kind are asked in a run; what is not asked about is in doubt.
const MOST_PROBES: usize = 256;

/// Makes one of what is one on the target's disk: of two names of the source the second is refused,
/// and the target's names are spelled as the source does, so that what the source has there is not
/// new, and what the target has is not surplus. `may_try`: the target may be given a file.
/// Returns those that stay.
///
/// # Errors
/// The session broke.
pub async fn match_cases(
    source: &mut Tree,
    target: &mut Tree,
    aim: &mut Aim<'_>,
    may_try: bool,
) -> Result<Vec<String>, RemoteError> {
    let mut left = Vec::new();
    if may_try {
        let by_case = judge(source.twins(), aim).await?;
        let otherwise = judge_alike(aim, source.alike()).await?;
        for judged in [by_case, otherwise] {
            source.refuse_twins(judged.one, "the target's disk takes them for one");
            left.extend(judged.left);
        }
    }
    // One name of each directory is asked for: all it holds lie on one disk.
    let mut pairs: Vec<Pair> = Vec::new();
    spelling::pair(source, target, &mut |pair| {
        if pairs.iter().all(|known| known.dir != pair.dir) {
            pairs.push(pair.clone());
        }
        true
    });
    let mut blind = HashSet::new();
    for pair in pairs {
        if aim.answers_to(&pair.ours).await? {
            blind.insert(pair.dir);
        }
    }
    if !blind.is_empty() {
        let spelled = spelling::pair(source, target, &mut |pair| blind.contains(&pair.dir));
        spelling::apply(target, &spelled);
    }
    Ok(left)
}

/// Finds what the target has stored under another name than the source's, and spells it as the source
/// does. Returns the paths of the target that may be such names and were not proved to be: they are to be
/// left alone. `may_try`: the target may be given files.
///
/// # Errors
/// The session broke.
pub async fn match_alike(
    source: &Tree,
    target: &mut Tree,
    aim: &mut Aim<'_>,
    may_try: bool,
) -> Result<(BTreeSet<String>, Vec<String>), RemoteError> {
    let mut doubtful = BTreeSet::new();
    let mut inquiry = Inquiry {
        may_try,
        ..Inquiry::default()
    };
    // Below a directory that is spelled anew there may be more.
    loop {
        let found = alike::counterparts(source, target);
        doubtful.extend(found.doubtful);
        let mut spelled = Spelled::new();
        for (ours, theirs) in found.pairs {
            if !inquiry.known.insert((ours.clone(), theirs.clone())) {
                continue;
            }
            let is_taken = spelled.contains_key(&theirs);
            match inquiry.is_one(aim, &ours, &theirs, is_taken).await? {
                Some(true) => drop(spelled.insert(theirs, ours)),
                Some(false) => {}
                None => drop(doubtful.insert(theirs)),
            }
        }
        if spelled.is_empty() {
            return Ok((doubtful, inquiry.left));
        }
        doubtful.retain(|path| !spelled.contains_key(path));
        let respelled = |path: String| spelling::spelling_of(&path, &spelled).unwrap_or(path);
        doubtful = doubtful.into_iter().map(respelled).collect();
        spelling::apply(target, &spelled);
    }
}

/// What was asked of a target about names that may be one, and learnt.
#[derive(Default)]
struct Inquiry {
    /// The target may be given files.
    may_try: bool,
    /// Pairs that were looked at.
    known: HashSet<(String, String)>,
    /// A server that reads one name by the usual encoding reads all so.
    reads: bool,
    /// Files that were made to ask by, and could not be removed.
    left: Vec<String>,
}

impl Inquiry {
    /// Tells whether two names are one; `None`: that is not proved. What another name has proved to be its own
    /// (`is_taken`) is not asked about.
    async fn is_one(
        &mut self,
        aim: &mut Aim<'_>,
        ours: &str,
        theirs: &str,
        is_taken: bool,
    ) -> Result<Option<bool>, RemoteError> {
        let is_read = alike::is_reading_of(ours, theirs);
        let asks = self.may_try && self.known.len() <= MOST_PROBES && self.left.is_empty();
        let proved = match is_read && self.reads {
            true => Some(true),
            false if asks && !is_taken => aim.is_one(ours, theirs, &mut self.left).await?,
            false => None,
        };
        let proved = proved.filter(|one| *one || !alike::begins_otherwise(ours, theirs));
        self.reads |= is_read && proved == Some(true);
        Ok(proved)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        plan::walk::tree_of,
        remote::{Dial as _, memory::Memory},
    };

    #[tokio::test]
    async fn each_directory_is_asked_for_itself() {
        let server = Memory::new(&[]).blind_below("/t/usb/");
        for path in ["/t/usb/x", "/t/disk/x"] {
            server.put(path, b"1", std::time::SystemTime::UNIX_EPOCH);
        }
        let mut session = server.dial().await.unwrap();
        let names = ["disk/A", "disk/a", "usb/A", "usb/a", "usb/B", "usb/b"];
        let mut aim = Aim::There(&mut *session, "/t");
        let judged = judge(tree_of(&names).twins(), &mut aim).await.unwrap();
        let dirs: Vec<_> = judged.one.iter().map(Twin::dir).collect();
        assert_eq!(dirs, ["usb", "usb"]);
        assert!(judged.unseen.is_empty() && judged.left.is_empty());
        let stored = server
            .calls()
            .iter()
            .filter(|call| call.starts_with("STOR"))
            .count();
        assert_eq!(stored, 2, "once a directory");
    }

    #[tokio::test]
    async fn a_link_with_the_wanted_name_does_not_make_one_of_two() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("readme"), "1").unwrap();
        std::os::unix::fs::symlink("nothing", temp.path().join("README")).unwrap();
        let mut source = tree_of(&["README"]);
        let mut target = tree_of(&["readme"]);
        target.unread = vec!["README".to_owned()];
        let mut aim = Aim::Here(temp.path());
        match_cases(&mut source, &mut target, &mut aim, true)
            .await
            .unwrap();
        assert_eq!(target.nodes[0].path, "readme");
    }
}
