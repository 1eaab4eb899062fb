//! Steps that move no bytes: directories made, things removed, one after the other.

use std::collections::BTreeSet;

use super::{
    Outcome,
    local::LocalRoot,
    moved,
    tries::{Tries, ends_all},
};
use crate::{
    error::{Error, RemoteError},
    event::Event,
    plan::Step,
    remote::{Dial as _, Remote, names},
    work::chance,
};

use super::crew::Crew;

impl Crew {
    /// Runs one step and counts it.
    pub(super) async fn run_step(&mut self, step: Step, root: Option<&LocalRoot>) {
        if self.tools.cancel.is_stopped() {
            return;
        }
        if let Step::Skip { name, reason } = step {
            self.summary.skipped += 1;
            let id = self.take_id();
            self.tools.events.send(Event::Skipped { id, name, reason });
            return;
        }
        if self.stays(&step) {
            return;
        }
        let name = name_of(&step);
        if let Some(reason) = self.given_up.clone() {
            let error = Error::GivenUp { reason };
            self.summary.failed.push(Outcome { name, error });
            return;
        }
        match self.try_step(&step, root).await {
            // A directory that is there, or one that is removed once it is empty.
            Ok(false) => {}
            Ok(true) => self.done(&step, name),
            Err(Error::Interrupted) => {}
            Err(error) => {
                if ends_all(&error) {
                    self.given_up = Some(error.chain());
                }
                self.unmade |= matches!(step, Step::MakeRemoteDir { .. });
                // Without an answer a link may still lead elsewhere.
                self.incomplete |= matches!(
                    step,
                    Step::MakeRemoteDir { .. }
                        | Step::MakeLocalDir { .. }
                        | Step::UnlinkRemote { .. }
                );
                self.fail(name, error);
            }
        }
    }

    fn done(&mut self, step: &Step, name: String) {
        let (removed, what) = match step {
            Step::DeleteRemote { .. } | Step::DeleteLocal { .. } => (1, "removed"),
            Step::UnlinkRemote { path } => {
                self.unlinked.push(path.clone());
                (1, "removed")
            }
            Step::ClearSent { .. } => (0, "removed"),
            _ => (0, "made directory"),
        };
        self.summary.deleted += removed;
        self.tools.events.send(Event::Done { what, name });
    }

    /// Tells whether a removal must be left out, and counts it.
    fn stays(&mut self, step: &Step) -> bool {
        let removes = matches!(step, Step::DeleteRemote { .. } | Step::DeleteLocal { .. });
        if self.incomplete {
            self.spared += u64::from(removes);
            return removes || matches!(step, Step::UnlinkRemote { .. });
        }
        let Step::DeleteRemote { path, .. } = step else {
            return false;
        };
        self.unlinked.iter().any(|link| {
            path.strip_prefix(link.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Says how much was not removed, as one failure of the run.
    pub(super) fn tell_spared(&mut self) {
        if self.spared == 0 || self.tools.cancel.is_stopped() {
            return;
        }
        let error = Error::Spared { count: self.spared };
        self.fail("removals".to_owned(), error);
    }

    /// Tells whether there was something to do.
    async fn try_step(&mut self, step: &Step, root: Option<&LocalRoot>) -> Result<bool, Error> {
        let done = match (step, root) {
            (Step::MakeLocalDir { path }, Some(root)) => return root.make_dir(path),
            (Step::DeleteLocal { path, dir }, Some(root)) => root.remove(path, *dir),
            (
                Step::MakeRemoteDir { .. } | Step::DeleteRemote { .. } | Step::UnlinkRemote { .. },
                _,
            ) => return self.try_remote(step).await,
            (Step::ClearSent { dirs }, _) => moved::clear(dirs, self.unmade),
            (Step::Refuse { what, .. }, _) => Err(Error::LeftOut { what: what.clone() }),
            _ => Ok(()),
        };
        done.map(|()| true)
    }

    /// As for files: passing causes are tried again, on a new session.
    async fn try_remote(&mut self, step: &Step) -> Result<bool, Error> {
        let mut tries = Tries::default();
        let mut attempt = 1;
        loop {
            let error = match self.try_remote_once(step, attempt > 1).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let unreached = matches!(&error, Error::Remote(error) if error.is_unreached());
            let backoff = self.tools.options.backoff;
            let Some(next) = tries.next(&backoff, &error, unreached) else {
                return Err(error);
            };
            attempt = next;
            tokio::select! {
                () = tokio::time::sleep(backoff.pause(attempt, chance())) => {}
                () = self.tools.cancel.stopped() => return Err(Error::Interrupted),
            }
        }
    }

    async fn try_remote_once(&mut self, step: &Step, again: bool) -> Result<bool, Error> {
        let mut remote = match self.session.take().filter(|remote| remote.is_usable()) {
            Some(remote) => remote,
            None => {
                let dialled = self.tools.cancel.or_leave(self.tools.pool.dial()).await;
                dialled.ok_or(Error::Interrupted)??
            }
        };
        let work = act(&mut *remote, step, again);
        let outcome = self.tools.cancel.or_leave(work).await;
        if remote.is_usable() {
            self.session = Some(remote);
        }
        Ok(outcome.ok_or(Error::Interrupted)??)
    }
}

/// `again`: the answer to an earlier try may have been lost, so "not there" is success.
async fn act(remote: &mut dyn Remote, step: &Step, again: bool) -> Result<bool, RemoteError> {
    let done = match step {
        Step::MakeRemoteDir { path } => return make_all(remote, path).await,
        Step::UnlinkRemote { path } => return remote.unlink(path).await,
        Step::DeleteRemote { path, dir } => {
            let removed = if *dir {
                remote.remove_dir(path).await
            } else {
                remote.remove_file(path).await
            };
            match removed {
                Err(error) if again && error.is_not_found() => match remote.stat(path).await? {
                    None => Ok(()),
                    Some(_) => Err(error),
                },
                other => other,
            }
        }
        _ => Ok(()),
    };
    done.map(|()| true)
}

/// Makes a directory, and tells whether it had to; when its parent is missing, the parent first.
pub(crate) async fn make_all(remote: &mut dyn Remote, path: &str) -> Result<bool, RemoteError> {
    let mut missing = vec![path];
    // What failed is tried once more when its parent is there: a drop box shows neither.
    let mut failed = BTreeSet::new();
    let mut made = false;
    while let Some(last) = missing.last().copied() {
        match remote.make_dir(last).await {
            Ok(done) => {
                made = done;
                missing.pop();
            }
            Err(error) => {
                let parent = names::split(last).0;
                let higher = missing.len() < 128 && !matches!(parent, "" | "/");
                let climbing = missing.len() == 1 || missing[missing.len() - 2].starts_with(last);
                if !(higher && climbing && failed.insert(last) && error.is_not_found())
                    || remote.stat(parent).await?.is_some()
                {
                    return Err(error);
                }
                missing.push(parent);
            }
        }
    }
    Ok(made)
}

fn name_of(step: &Step) -> String {
    match step {
        Step::MakeRemoteDir { path }
        | Step::DeleteRemote { path, .. }
        | Step::UnlinkRemote { path } => names::display(path),
        Step::MakeLocalDir { path } | Step::DeleteLocal { path, .. } => path.display().to_string(),
        Step::ClearSent { dirs } => dirs
            .first()
            .map_or_else(String::new, |top| top.display().to_string()),
        Step::Refuse { name, .. } | Step::Skip { name, .. } => name.clone(),
        Step::Send { local, .. } => local.display().to_string(),
        Step::Fetch { remote, .. } => names::display(remote),
    }
}
