//! One worker: takes a file from the queue, tries it until it is over, and tells how it ended.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    Outcome, Tools,
    batch::{Batch, InHands, lock},
    fetch::Done,
    job::Job,
    moved::{self, Sent},
    originals::Original,
    tries::{Tries, ends_all, is_too_many, pause},
};
use crate::{
    error::{Error, RemoteError},
    event::Event,
    remote::{Dial as _, Remote},
};

/// How one file ended.
enum Ended {
    Done(Done),
    Failed(Error),
    /// The server has enough sessions: the file goes back to the queue, the worker home.
    Surplus,
}

/// How long the server is waited for to give an old file its name back.
const RESTORING: Duration = Duration::from_secs(10);
/// Why an original stays that was to go.
const UNPROVED: &str = "the server does not tell what it has of it";

/// One of the crew, with a session of its own.
pub(super) struct Worker {
    tools: Arc<Tools>,
    batch: Arc<Batch>,
    session: Option<Box<dyn Remote>>,
    /// The last try did not even get a session.
    unreached: bool,
}

impl Worker {
    pub(super) fn new(
        tools: Arc<Tools>,
        batch: Arc<Batch>,
        session: Option<Box<dyn Remote>>,
    ) -> Self {
        Self {
            tools,
            batch,
            session,
            unreached: false,
        }
    }

    pub(super) async fn run(mut self) {
        let batch = Arc::clone(&self.batch);
        while !self.tools.cancel.is_stopped() && !self.batch.stop.load(Ordering::Acquire) {
            let Some(mut job) = self.batch.next() else {
                break;
            };
            let in_hands = InHands::new(&batch, job.name());
            let began = Instant::now();
            let source = self.moving(&job).map(Sent::look);
            let ended = {
                let tools = Arc::clone(&self.tools);
                let _row = tools.board.add(job.id(), Arc::clone(&job.flow().done));
                self.tools.events.send(job.started());
                self.run_job(&mut job).await
            };
            match ended {
                Ended::Done(done) => {
                    in_hands.release();
                    self.tools.vain.went_well();
                    self.succeeded(&job, &done, began.elapsed());
                    if let Err(error) = self.sent(&job, source, &done) {
                        self.failed(&job, error);
                    }
                }
                Ended::Failed(error) => {
                    let error = self.put_back(&mut job, error).await;
                    in_hands.release();
                    self.failed(&job, error);
                }
                Ended::Surplus => {
                    in_hands.release();
                    if self.batch.put_back(job) {
                        return;
                    }
                }
            }
        }
        if let Some(session) = self.session.take() {
            self.tools.pool.give_back(session);
        }
    }

    /// Where the old file was put aside for a new one that did not come to its end, it gets its name back.
    async fn put_back(&mut self, job: &mut Job, error: Error) -> Error {
        let Job::Send(send, _) = job else {
            return error;
        };
        if send.leaves_something(&error) {
            let restoring = async {
                let held = self.session.take().filter(|remote| remote.is_usable());
                let mut remote = match held {
                    Some(remote) => remote,
                    None => self.tools.pool.dial().await?,
                };
                send.tidy(&mut *remote, &error).await;
                Ok::<_, RemoteError>(remote)
            };
            // Not even a second Ctrl-C is to wait for a server that is gone.
            let restored = tokio::time::timeout(RESTORING, restoring).await;
            self.session = restored.ok().and_then(Result::ok);
        }
        send.without_old(error)
    }

    /// Removes what was sent, where it is to go; or leaves that to the end of the run.
    fn sent(&self, job: &Job, source: Option<Sent>, done: &Done) -> Result<(), Error> {
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
    fn moving<'a>(&self, job: &'a Job) -> Option<&'a Path> {
        match job {
            Job::Send(send, _) if self.tools.options.move_files => Some(&send.local),
            _ => None,
        }
    }

    fn succeeded(&self, job: &Job, done: &Done, took: Duration) {
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
        drop(results);
        self.tools.events.send(Event::Finished {
            id: job.id(),
            bytes: done.bytes,
            took,
            verified: done.verified,
        });
    }

    fn failed(&self, job: &Job, error: Error) {
        let name = job.name();
        self.tools.events.send(Event::Failed {
            id: job.id(),
            name: name.clone(),
            reason: error.chain(),
        });
        let mut results = lock(&self.batch.results);
        if (self.unreached || ends_all(&error)) && !self.batch.stop.swap(true, Ordering::AcqRel) {
            results.given_up = Some(error.chain());
        }
        results.failed.push(Outcome { name, error });
    }

    /// Tries one file until it is over, its cause is final, or the tries without a new byte are
    /// used up.
    async fn run_job(&mut self, job: &mut Job) -> Ended {
        let (mut tries, begun) = (Tries::default(), tokio::time::Instant::now());
        let mut reached = 0;
        loop {
            let error = match self.try_once(job).await {
                Ok(done) => return Ended::Done(done),
                Err(error) => error,
            };
            if self.tools.cancel.is_stopped() {
                return Ended::Failed(Error::Interrupted);
            }
            if is_too_many(&error) && self.batch.leave() {
                self.tools.events.message(format!(
                    "the server wants fewer sessions: {}",
                    error.chain()
                ));
                return Ended::Surplus;
            }
            if job.reached() > reached {
                reached = job.reached();
                tries.advanced();
            } else if self.tools.vain.is_hopeless(&error) {
                return Ended::Failed(error);
            }
            let backoff = &self.tools.options.backoff;
            let Some(attempt) = tries.next(backoff, &error, self.unreached) else {
                self.gave_up(&error, begun);
                return Ended::Failed(error);
            };
            if !pause(&self.tools, job, attempt, &error).await {
                return Ended::Failed(Error::Interrupted);
            }
            self.tools.events.send(job.started());
        }
    }

    /// Tells when this makes the files that follow hopeless.
    fn gave_up(&self, error: &Error, begun: tokio::time::Instant) {
        if self.tools.vain.gave_up(error, begun) {
            self.tools.events.message(format!(
                "the server lets no file pass, however often it is asked: each of the rest is tried once ({})",
                error.chain()
            ));
        }
    }

    async fn try_once(&mut self, job: &mut Job) -> Result<Done, Error> {
        let mut remote = match self.session.take().filter(|remote| remote.is_usable()) {
            Some(remote) => remote,
            None => {
                self.unreached = true;
                tokio::select! {
                    dialled = self.tools.pool.dial() => dialled?,
                    () = self.tools.cancel.stopped() => return Err(Error::Interrupted),
                }
            }
        };
        self.unreached = false;
        let work = job.run(&self.tools, &mut *remote);
        let outcome = self.tools.cancel.or_keep(work).await;
        if remote.is_usable() {
            self.session = Some(remote);
        }
        outcome.unwrap_or(Err(Error::Interrupted))
    }
}
