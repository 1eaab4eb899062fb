//! What a worker tells of a file that is over, and what goes with it.

use std::{path::Path, sync::atomic::Ordering, time::Duration};

use super::{
    super::{
        Outcome,
        batch::lock,
        fetch::Done,
        job::Job,
        moved::{self, Sent},
        originals::Original,
        tries::{ends_all, is_of_trust},
    },
    Worker,
};
use crate::{error::Error, event::Event};

/// Why an original stays that was to go.
const UNPROVED: &str = "the server does not tell what it has of it";

impl Worker {
    /// Removes what was sent, where it is to go; or leaves that to the end of the run.
    pub(super) fn sent(&self, job: &Job, source: Option<Sent>, done: &Done) -> Result<(), Error> {
        let (Some(sent), Job::Send(send, _)) = (source, job) else {
            return Ok(());
        };
        if !done.is_proved {
            return Err(moved::stays(&send.local, UNPROVED));
        }
        let session = self.session.as_deref();
        if !self.batch.wary || session.is_some_and(|remote| remote.abilities().atomic_stor()) {
            return sent.remove(&send.local);
        }
        lock(&self.batch.results).originals.push(Original {
            local: send.local.clone(),
            modified: send.modified.or_else(|| sent.modified()),
            sent,
            remote: send.remote.clone(),
            size: done.bytes,
        });
        Ok(())
    }

    /// The local file that goes once it was sent.
    pub(super) fn moving<'a>(&self, job: &'a Job) -> Option<&'a Path> {
        match job {
            Job::Send(send, _) if self.tools.options.move_files => Some(&send.local),
            _ => None,
        }
    }

    pub(super) fn succeeded(&self, job: &Job, done: &Done, took: Duration) {
        let mut results = lock(&self.batch.results);
        results.verified += u64::from(done.verified.is_some());
        if done.was_here {
            results.skipped += 1;
            let (id, name) = (job.id(), job.name());
            let reason = "is here already, of that size and time".to_owned();
            self.tools.events.send(Event::Skipped { id, name, reason });
            return;
        }
        results.files += 1;
        let moved = job.flow().wire.load(Ordering::Relaxed);
        results.bytes += moved.min(done.bytes);
        drop(results);
        self.batch.move_on();
        self.tools.events.send(Event::Finished {
            id: job.id(),
            bytes: done.bytes,
            took,
            verified: done.verified,
        });
    }

    pub(super) fn failed(&self, job: &Job, error: Error) {
        let name = job.name();
        self.tools.events.send(Event::Failed {
            id: job.id(),
            name: name.clone(),
            reason: error.chain(),
        });
        let mut results = lock(&self.batch.results);
        // What one cannot reach another may have.
        let is_end = match self.unreached {
            true => is_of_trust(&error) || !self.batch.is_served(),
            false => ends_all(&error),
        };
        if is_end && !self.batch.stop.swap(true, Ordering::AcqRel) {
            results.given_up = Some(error.chain());
        }
        results.failed.push(Outcome { name, error });
    }
}
