//! The crew: as many workers as wished, each with a session of its own, and the queue they empty.
//!
//! A server that has enough sessions sends one worker home, never the last. A server that no
//! session can be made with, or that has no room left, ends the run for all.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{
    Outcome, Summary, Tools,
    fetch::{Done, Fetch},
    local::LocalRoot,
    moved::Sent,
    send::Send,
};
use crate::{
    error::{Error, RemoteError},
    event::{Direction, Event, FileId},
    plan::Step,
    remote::{Dial as _, Remote, names},
};

/// One file to move.
pub(super) enum Job {
    Fetch(Fetch, LocalRoot),
    Send(Send, u64),
}

impl Job {
    fn id(&self) -> FileId {
        match self {
            Self::Fetch(fetch, _) => fetch.id,
            Self::Send(send, _) => send.id,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Fetch(fetch, _) => names::display(&fetch.remote),
            Self::Send(send, _) => send.local.display().to_string(),
        }
    }

    fn flow(&self) -> &super::Flow {
        match self {
            Self::Fetch(fetch, _) => &fetch.flow,
            Self::Send(send, _) => &send.flow,
        }
    }

    fn started(&self) -> Event {
        let (size, direction) = match self {
            Self::Fetch(fetch, _) => (fetch.size, Direction::Down),
            Self::Send(_, size) => (Some(*size), Direction::Up),
        };
        Event::Started {
            id: self.id(),
            name: self.name(),
            size,
            direction,
            offset: self.flow().done.load(Ordering::Relaxed),
        }
    }

    async fn run(&mut self, tools: &Tools, remote: &mut dyn Remote) -> Result<Done, Error> {
        match self {
            Self::Fetch(fetch, root) => fetch.run(tools, root, remote).await,
            Self::Send(send, _) => send.run(tools, remote).await,
        }
    }
}

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
    /// Links that were removed: what was listed below them is not theirs.
    pub(super) unlinked: Vec<String>,
}

/// What the workers of one batch share.
struct Batch {
    queue: Mutex<VecDeque<Job>>,
    workers: AtomicUsize,
    stop: AtomicBool,
    results: Mutex<Results>,
}

#[derive(Default)]
struct Results {
    files: u64,
    verified: u64,
    failed: Vec<Outcome>,
    given_up: Option<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            unlinked: Vec::new(),
        }
    }

    /// Runs the steps in order; files that follow each other move side by side.
    pub(super) async fn run(&mut self, steps: Vec<Step>, root: Option<LocalRoot>) {
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
            } => Job::Fetch(
                Fetch {
                    id,
                    remote: remote.clone(),
                    local: local.clone(),
                    size: *size,
                    modified: *modified,
                    flow: self.tools.flow(),
                },
                root?.clone(),
            ),
            Step::Send {
                local,
                remote,
                size,
                modified,
            } => Job::Send(
                Send {
                    id,
                    local: local.clone(),
                    remote: remote.clone(),
                    modified: *modified,
                    flow: self.tools.flow(),
                    direct: false,
                    renaming: false,
                    stored: None,
                    aside: None,
                },
                *size,
            ),
            _ => return None,
        };
        Some(job)
    }

    /// Returns a number that no event has had yet.
    pub(super) fn take_id(&mut self) -> FileId {
        self.next_id += 1;
        self.next_id - 1
    }

    async fn run_batch(&mut self, jobs: VecDeque<Job>) {
        if jobs.is_empty() || self.tools.cancel.is_stopped() {
            return;
        }
        if let Some(reason) = self.given_up.clone() {
            self.summary.failed.extend(jobs.iter().map(|job| Outcome {
                name: job.name(),
                error: Error::GivenUp {
                    reason: reason.clone(),
                },
            }));
            return;
        }
        let workers = self.tools.options.jobs.max(1).min(jobs.len());
        let batch = Arc::new(Batch {
            queue: Mutex::new(jobs),
            workers: AtomicUsize::new(workers),
            stop: AtomicBool::new(false),
            results: Mutex::default(),
        });
        let mut crew = JoinSet::new();
        let mut session = self.session.take();
        for _ in 0..workers {
            let worker = Worker {
                tools: Arc::clone(&self.tools),
                batch: Arc::clone(&batch),
                session: session.take(),
                unreached: false,
            };
            crew.spawn(worker.run());
        }
        while crew.join_next().await.is_some() {}
        self.gather(&batch);
    }

    fn gather(&mut self, batch: &Batch) {
        let results = std::mem::take(&mut *lock(&batch.results));
        self.incomplete |= !results.failed.is_empty();
        self.summary.files += results.files;
        self.summary.verified += results.verified;
        self.summary.failed.extend(results.failed);
        let left = std::mem::take(&mut *lock(&batch.queue));
        if let Some(reason) = results.given_up {
            self.summary.failed.extend(left.iter().map(|job| Outcome {
                name: job.name(),
                error: Error::GivenUp {
                    reason: reason.clone(),
                },
            }));
            self.given_up = Some(reason);
        }
    }
}

/// How one file ended.
enum Ended {
    Done(Done),
    Failed(Error),
    /// The server has enough sessions: the file goes back to the queue, the worker home.
    Surplus,
}

struct Worker {
    tools: Arc<Tools>,
    batch: Arc<Batch>,
    session: Option<Box<dyn Remote>>,
    /// The last try did not even get a session.
    unreached: bool,
}

impl Worker {
    async fn run(mut self) {
        while !self.tools.cancel.is_stopped() && !self.batch.stop.load(Ordering::Acquire) {
            let Some(mut job) = lock(&self.batch.queue).pop_front() else {
                break;
            };
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
                    self.succeeded(&job, done, began.elapsed());
                    if let (Some(sent), Some(path)) = (source, self.moving(&job))
                        && let Err(error) = sent.remove(path)
                    {
                        self.failed(&job, error);
                    }
                }
                Ended::Failed(error) => self.failed(&job, error),
                Ended::Surplus => {
                    lock(&self.batch.queue).push_front(job);
                    return;
                }
            }
        }
        if let Some(session) = self.session.take() {
            self.tools.pool.give_back(session);
        }
    }

    /// The local file that goes once it was sent.
    fn moving<'a>(&self, job: &'a Job) -> Option<&'a Path> {
        match job {
            Job::Send(send, _) if self.tools.options.move_files => Some(&send.local),
            _ => None,
        }
    }

    fn succeeded(&self, job: &Job, done: Done, took: Duration) {
        let mut results = lock(&self.batch.results);
        results.files += 1;
        results.verified += u64::from(done.verified.is_some());
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
        let mut attempt = 1;
        loop {
            let before = job.flow().done.load(Ordering::Relaxed);
            let error = match self.try_once(job).await {
                Ok(done) => return Ended::Done(done),
                Err(error) => error,
            };
            if self.tools.cancel.is_stopped() {
                return Ended::Failed(Error::Interrupted);
            }
            if is_too_many(&error) && self.may_leave() {
                self.tools.events.message(format!(
                    "the server wants fewer sessions: {}",
                    error.chain()
                ));
                return Ended::Surplus;
            }
            if job.flow().done.load(Ordering::Relaxed) > before {
                attempt = 1;
            }
            attempt += 1;
            let backoff = &self.tools.options.backoff;
            if backoff.is_over(attempt, &error, self.unreached) {
                return Ended::Failed(error);
            }
            if !pause(&self.tools, job, attempt, &error).await {
                return Ended::Failed(Error::Interrupted);
            }
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
        let outcome = job.run(&self.tools, &mut *remote).await;
        if remote.is_usable() {
            self.session = Some(remote);
        }
        outcome
    }

    /// Gives up this worker's place, unless it is the last.
    fn may_leave(&self) -> bool {
        self.batch
            .workers
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                (left > 1).then(|| left - 1)
            })
            .is_ok()
    }
}

/// Waits before the next try; `false`: the run was stopped meanwhile.
async fn pause(tools: &Tools, job: &Job, attempt: u32, error: &Error) -> bool {
    let reuse = matches!(error, Error::Remote(RemoteError::SessionReuse { .. }));
    let wait = if reuse {
        Duration::ZERO
    } else {
        tools.options.backoff.pause(attempt, chance())
    };
    tools.events.send(Event::Retrying {
        id: job.id(),
        name: job.name(),
        attempt,
        wait,
        reason: error.chain(),
    });
    tokio::select! {
        () = tokio::time::sleep(wait) => true,
        () = tools.cancel.stopped() => false,
    }
}

fn is_too_many(error: &Error) -> bool {
    matches!(error, Error::Remote(error) if error.is_too_many())
}

/// Tells whether nothing that follows can go better.
pub(super) fn ends_all(error: &Error) -> bool {
    let Error::Remote(error) = error else {
        return matches!(error, Error::Local { source, .. }
            if matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded));
    };
    match error {
        RemoteError::Resolve { .. }
        | RemoteError::Connect { .. }
        | RemoteError::NotFtp { .. }
        | RemoteError::Tls { .. }
        | RemoteError::Untrusted { .. }
        | RemoteError::CertificateChanged { .. }
        | RemoteError::TlsRefused { .. }
        | RemoteError::TlsDowngrade { .. }
        | RemoteError::Login { .. } => true,
        RemoteError::Refused { reply, .. } => matches!(reply.code, 452 | 552),
        _ => false,
    }
}

/// A number from 0 to 1 by chance; the middle when the system has none to give.
pub(super) fn chance() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

/// Returns a local path for messages.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
