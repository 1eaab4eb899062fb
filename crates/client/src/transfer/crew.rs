//! The crew: as many workers as wished, each with a session of its own, and the queue they empty.
//!
//! A server that has enough sessions sends one worker home, never the last. A server that no
//! session can be made with, or that has no room left, ends the run for all.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    path::Path,
    sync::Arc,
};

use super::{
    Outcome, Summary, Tools,
    fetch::Fetch,
    job::Job,
    local::LocalRoot,
    originals::{self, Original},
    send::Send,
    unsynced::{Refused, What},
};
use crate::{
    error::{Error, plain},
    event::{Event, FileId},
    plan::Step,
    remote::{Entry, Remote},
    work::blocking,
};

/// The workers and what they have done.
pub(super) struct Crew {
    pub(super) tools: Arc<Tools>,
    pub(super) summary: Summary,
    pub(super) session: Option<Box<dyn Remote>>,
    next_id: FileId,
    /// Why the run was given up for all, once it was.
    pub(super) given_up: Option<String>,
    /// Something was not copied: what the source lacks may be all there is of it.
    pub(super) incomplete: bool,
    /// Removals that were left out for it.
    pub(super) spared: u64,
    /// A directory could not be made on the server.
    pub(super) unmade: bool,
    /// What directories held before, where that may be taken for what was sent.
    pub(super) before: BTreeMap<String, Vec<Entry>>,
    /// Originals wait for the end, since the server may store a name as another.
    pub(super) wary: bool,
    /// Those that do.
    pub(super) originals: Vec<Original>,
    /// Links that were removed: what was listed below them is not theirs.
    pub(super) unlinked: Vec<String>,
}

impl Crew {
    pub(super) fn new(tools: Arc<Tools>) -> Self {
        Self {
            tools,
            summary: Summary::default(),
            session: None,
            next_id: 1,
            given_up: None,
            incomplete: false,
            spared: 0,
            unmade: false,
            before: BTreeMap::new(),
            wary: false,
            originals: Vec::new(),
            unlinked: Vec::new(),
        }
    }

    /// Waits until the disk has what it was not waited for yet.
    async fn sync_all(&mut self, root: LocalRoot) {
        let synced = {
            let root = root.clone();
            blocking(move || root.sync()).await
        };
        let here = root.told_as(Path::new(".")).display().to_string();
        let refused = match synced {
            Ok(refused) => refused,
            Err(error) => return self.fail(here, error),
        };
        for Refused { what, error } in refused {
            let (name, error) = match what {
                What::Path(path) => (root.told_as(&path).display().to_string(), error),
                What::AnyOf { count, unmarked } => (here.clone(), any_of(count, unmarked, &error)),
            };
            self.fail(name.clone(), Error::local("sync", name, error));
        }
    }

    /// Tells a failure, and counts it.
    pub(super) fn fail(&mut self, name: String, error: Error) {
        let id = self.take_id();
        self.tools.events.send(Event::Failed {
            id,
            name: name.clone(),
            reason: error.chain(),
        });
        self.summary.failed.push(Outcome { name, error });
    }

    /// Runs the steps in order; files that follow each other move side by side.
    pub(super) async fn run(&mut self, steps: Vec<Step>, root: Option<LocalRoot>) {
        self.wary = self.tools.options.move_files && originals::are_doubtful(&steps);
        if self.wary {
            self.look_before(&steps).await;
        }
        let (ends, steps): (Vec<_>, Vec<_>) = steps
            .into_iter()
            .partition(|step| matches!(step, Step::ClearSent { .. }));
        let made: BTreeSet<String> = steps.iter().filter_map(made_dir).collect();
        let mut batch = VecDeque::new();
        for step in steps {
            if let Some(job) = self.job(&step, root.as_ref()) {
                batch.push_back(job);
                continue;
            }
            self.run_batch(std::mem::take(&mut batch)).await;
            self.run_step(step, root.as_ref()).await;
        }
        self.run_batch(batch).await;
        self.remove_originals(&made).await;
        for step in ends {
            self.run_step(step, root.as_ref()).await;
        }
        if let Some(root) = root {
            self.sync_all(root).await;
        }
        self.tell_spared();
        if let Some(session) = self.session.take() {
            self.tools.pool.give_back(session);
        }
    }

    fn job(&mut self, step: &Step, root: Option<&LocalRoot>) -> Option<Job> {
        let id = self.take_id();
        let job = match step {
            Step::Fetch {
                remote,
                local,
                size,
                modified,
                seen,
            } => Job::Fetch(
                Fetch {
                    id,
                    remote: remote.clone(),
                    local: local.clone(),
                    size: *size,
                    modified: *modified,
                    seen: *seen,
                    doubted: None,
                    asked_time: false,
                    flow: self.tools.flow(),
                },
                root?.clone(),
            ),
            Step::Send {
                local,
                remote,
                size,
                modified,
                top,
            } => {
                let flow = self.tools.flow();
                let mut send = Send::new(id, local.clone(), remote.clone(), *modified, flow);
                send.top.clone_from(top);
                Job::Send(send, *size)
            }
            _ => return None,
        };
        Some(job)
    }

    /// Returns a number that no event has had yet.
    pub(super) fn take_id(&mut self) -> FileId {
        self.next_id += 1;
        self.next_id - 1
    }
}

/// Says what to do where a disk does not tell which of the run's files it has lost.
fn any_of(count: usize, unmarked: usize, error: &io::Error) -> io::Error {
    let cause = plain(&error.to_string());
    let kept = match unmarked {
        0 => String::new(),
        // They look like those that are here.
        _ => format!(" ({unmarked} keep the server's time, so that `sync` would pass over them)"),
    };
    let words = format!(
        "any of {count} small files may not be whole, fetch them again with `get --force`{kept}: {cause}"
    );
    io::Error::new(error.kind(), words)
}

fn made_dir(step: &Step) -> Option<String> {
    match step {
        Step::MakeRemoteDir { path } => Some(path.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_does_not_tell_what_it_lost_is_told_with_the_way_out() {
        let error = any_of(40, 0, &io::Error::from_raw_os_error(28));
        let words = "sync local `d`: any of 40 small files may not be whole, fetch them again with `get --force`: no \
                 space left on device";
        assert_eq!(Error::local("sync", "d", error).chain(), words);
    }
}
