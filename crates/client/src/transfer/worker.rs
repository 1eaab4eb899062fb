//! One worker: takes a file from the queue, tries it until it is over, and tells how it ended.

mod report;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    Tools,
    batch::{Batch, InHands, Place},
    fetch::Done,
    job::Job,
    moved::Sent,
    tries::{Tries, begins_anew, is_of_trust, is_too_many, pause},
};
use crate::{
    error::{Error, RemoteError},
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

/// One of the crew, with a session of its own.
pub(super) struct Worker {
    tools: Arc<Tools>,
    batch: Arc<Batch>,
    session: Option<Box<dyn Remote>>,
    /// The last try did not even get a session.
    unreached: bool,
    /// That it has a session, for the others to see.
    place: Option<Place>,
    /// What the others had done when it began to ask for one.
    seen: usize,
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
            place: None,
            seen: 0,
        }
    }

    pub(super) async fn run(mut self) {
        let batch = Arc::clone(&self.batch);
        while !self.tools.cancel.is_stopped() && !self.batch.stop.load(Ordering::Acquire) {
            let Some(mut job) = self.next() else {
                return;
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

    /// Takes a file; with none left its session is there for the others before it goes home.
    fn next(&mut self) -> Option<Job> {
        let (session, place) = (&mut self.session, &mut self.place);
        let pool = &self.tools.pool;
        self.batch.next(|| {
            if let Some(session) = session.take() {
                pool.give_back(session);
                *place = None;
            }
        })
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
            if self.is_surplus(&error) {
                if self.goes_home(&error) {
                    return Ended::Surplus;
                }
                // The last one that had a session has left it in the pool.
                if self.unreached && self.batch.has_moved(self.seen) {
                    continue;
                }
            }
            if job.reached() > reached && !begins_anew(&error) {
                reached = job.reached();
                tries.advanced();
            } else if self.tools.vain.is_hopeless(&error) {
                return Ended::Failed(error);
            }
            let backoff = &self.tools.options.backoff;
            let Some(attempt) = tries.next(backoff, &error, self.unreached) else {
                if self.unreached && self.batch.is_served() && self.goes_home(&error) {
                    return Ended::Surplus;
                }
                self.gave_up(&error, begun);
                return Ended::Failed(error);
            };
            if !pause(&self.tools, job, attempt, &error).await {
                return Ended::Failed(Error::Interrupted);
            }
            self.tools.events.send(job.started());
        }
    }

    /// Tells whether the server serves others and has no place for one more, whatever its words. No connection
    /// at all may be the line's fault, which the others have not noticed yet: then only what they did since counts.
    fn is_surplus(&self, error: &Error) -> bool {
        let no_line = matches!(error, Error::Remote(error) if error.is_unreached());
        let serves = || self.batch.has_moved(self.seen) || (!no_line && self.batch.is_served());
        is_too_many(error) || (self.unreached && !is_of_trust(error) && serves())
    }

    /// Gives up its place, unless it is the last worker.
    fn goes_home(&self, error: &Error) -> bool {
        let leaves = self.batch.leave();
        if leaves {
            self.tools.events.message(format!(
                "the server wants fewer sessions: {}",
                error.chain()
            ));
        }
        leaves
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
                self.place = None;
                self.seen = self.batch.moves();
                tokio::select! {
                    dialled = self.tools.pool.dial() => dialled?,
                    () = self.tools.cancel.stopped() => return Err(Error::Interrupted),
                }
            }
        };
        self.unreached = false;
        self.place
            .get_or_insert_with(|| Place::new(Arc::clone(&self.batch)));
        let work = job.run(&self.tools, &mut *remote);
        let outcome = self.tools.cancel.or_keep(work).await;
        match remote.is_usable() {
            true => self.session = Some(remote),
            false => self.place = None,
        }
        outcome.unwrap_or(Err(Error::Interrupted))
    }
}
