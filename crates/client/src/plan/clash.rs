//! Two things that would become one: `put a/f b/f DIR` names `DIR/f` twice, and the second would
//! replace the first. Pure.

use std::{
    collections::{HashMap, hash_map},
    ffi::OsString,
};

use super::{Plan, Step};
use crate::remote::names;

/// Two sources of one target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} would both become `{target}`")]
pub struct Clash {
    first: String,
    second: String,
    target: String,
}

/// What makes a target: a directory, or a file with its source.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Maker {
    Dir,
    File(OsString),
}

impl Maker {
    fn shown(&self) -> String {
        match self {
            Self::Dir => "a directory".to_owned(),
            Self::File(from) => format!("`{}`", from.display()),
        }
    }
}

impl Plan {
    /// Makes sure that each target has one source only; what was named twice is moved once.
    ///
    /// # Errors
    /// Two sources of one target.
    pub fn one_source_each(&mut self) -> Result<(), Clash> {
        let mut makers: HashMap<OsString, Maker> = HashMap::new();
        let mut clash = None;
        self.steps.retain(|step| {
            let Some((target, maker)) = made_by(step) else {
                return true;
            };
            match makers.entry(target) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(maker);
                    true
                }
                hash_map::Entry::Occupied(entry) if *entry.get() == maker => false,
                hash_map::Entry::Occupied(entry) => {
                    clash.get_or_insert_with(|| Clash {
                        first: entry.get().shown(),
                        second: maker.shown(),
                        target: entry.key().display().to_string(),
                    });
                    true
                }
            }
        });
        clash.map_or(Ok(()), Err)
    }
}

/// What a step makes, and of what.
pub(super) fn made_by(step: &Step) -> Option<(OsString, Maker)> {
    match step {
        Step::MakeRemoteDir { path } => Some((remote(path), Maker::Dir)),
        Step::MakeLocalDir { path } => Some((path.clone().into(), Maker::Dir)),
        Step::Send {
            local, remote: to, ..
        } => Some((remote(to), Maker::File(local.into()))),
        Step::Fetch {
            remote: from,
            local,
            ..
        } => Some((local.into(), Maker::File(names::display(from).into()))),
        _ => None,
    }
}

/// A remote path as one spelling of several: `a//b` and `./a/b` are `a/b`.
fn remote(path: &str) -> OsString {
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    (root.to_owned() + &parts.collect::<Vec<_>>().join("/")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(steps: &[Step]) -> Result<usize, String> {
        let mut plan = Plan::new(".");
        plan.steps = steps.to_vec();
        let outcome = plan.one_source_each();
        outcome
            .map(|()| plan.steps.len())
            .map_err(|clash| clash.to_string())
    }

    #[test]
    fn two_sources_of_one_target_are_refused_and_one_named_twice_is_moved_once() {
        let dir = |path: &str| Step::MakeRemoteDir {
            path: path.to_owned(),
        };
        let send = |local: &str, remote| Step::send(local, remote, 1);
        assert_eq!(
            checked(&[dir("d"), send("a/f", "d/f"), send("b/f", "./d//f")]),
            Err("`a/f` and `b/f` would both become `d/f`".to_owned())
        );
        assert_eq!(
            checked(&[send("a/f", "f"), dir("f")]),
            Err("`a/f` and a directory would both become `f`".to_owned())
        );
        assert_eq!(
            checked(&[dir("d"), dir("d"), send("a", "d/a"), send("a", "d/a")]),
            Ok(2)
        );
        assert_eq!(checked(&[send("a", "/d/a"), send("b", "d/a")]), Ok(2));
        let fetch = |remote| Step::fetch(remote);
        assert!(checked(&[fetch("x/f"), fetch("y/f")]).is_err());
        assert_eq!(checked(&[fetch("x/f"), fetch("x/g")]), Ok(2));
    }
}
