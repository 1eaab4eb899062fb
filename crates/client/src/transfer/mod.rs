//! Runs a plan: workers with a session each, retries, events, and one summary.
//!
//! It never prints or asks. What one file needs is in `fetch`
//! and `send`; standard input and output are in [`stream`].

mod ahead;
mod batch;
mod behind;
mod copy;
mod crew;
mod fault;
mod fetch;
mod flow;
mod input;
mod job;
mod local;
mod moved;
mod options;
mod originals;
mod pace;
mod part;
mod progress;
mod publish;
mod resume;
mod send;
mod steps;
pub mod stream;
mod tries;
mod unsynced;
mod verify;
mod worker;

use std::{sync::Arc, time::Instant};

pub(crate) use self::{steps::make_all, tries::Tries};
pub use options::{Backoff, Options, Outcome, Summary};

pub use crate::cancel::Cancel;
use crate::{
    error::Error,
    event::{Event, Events},
    plan::{Plan, Step},
    remote::{Dial, pool::Pool},
};

use self::{
    crew::Crew, flow::Flow, local::LocalRoot, pace::Pace, progress::Board, tries::Vain,
    verify::Slow,
};

/// Runs plans against one server.
pub struct Engine {
    tools: Arc<Tools>,
}

/// What everything in a run shares.
pub(crate) struct Tools {
    endpoint: String,
    pool: Arc<Pool>,
    options: Options,
    events: Events,
    cancel: Cancel,
    pace: Option<Arc<Pace>>,
    board: Board,
    vain: Vain,
    slow: Slow,
}

impl Tools {
    /// Makes the counters of one file.
    fn flow(&self) -> Flow {
        Flow {
            cancel: self.cancel.clone(),
            pace: self.pace.clone(),
            ..Flow::default()
        }
    }
}

impl Engine {
    /// Makes an engine; sessions are made when a plan runs.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>, options: Options, events: Events, cancel: Cancel) -> Self {
        Self::with_pool(Arc::new(Pool::new(dial)), options, events, cancel)
    }

    /// Makes an engine that uses, and gives back, the sessions of a pool.
    #[must_use]
    pub fn with_pool(pool: Arc<Pool>, options: Options, events: Events, cancel: Cancel) -> Self {
        Self {
            tools: Arc::new(Tools {
                endpoint: pool.endpoint(),
                pace: Pace::new(options.limit).map(Arc::new),
                pool,
                options,
                events,
                cancel,
                board: Board::default(),
                vain: Vain::default(),
                slow: Slow::default(),
            }),
        }
    }

    /// Runs all steps and tells how it went. Errors of single steps are in the summary; the rest
    /// goes on, unless the server is gone, the login fails, or its disk is full.
    ///
    /// Not cancel-safe: stop it with its [`Cancel`], so that what can be resumed is kept.
    pub async fn run(&self, plan: Plan) -> Summary {
        let began = Instant::now();
        self.tools.events.send(Event::Planned {
            files: plan.files(),
            bytes: plan.bytes(),
        });
        let mut crew = Crew::new(Arc::clone(&self.tools));
        let root = match self.open_root(&plan) {
            Ok(root) => root,
            Err(error) => {
                let name = plan.local_root.display().to_string();
                self.tools.events.send(Event::Failed {
                    id: 0,
                    name: name.clone(),
                    reason: error.chain(),
                });
                crew.summary.failed.push(Outcome { name, error });
                return crew.summary;
            }
        };
        let work = crew.run(plan.steps, root);
        tokio::select! {
            () = work => {}
            () = self.tools.board.run(&self.tools.events) => {}
        }
        self.tools.board.tell(&self.tools.events);
        let mut summary = crew.summary;
        summary.interrupted = self.tools.cancel.is_stopped();
        summary.took = began.elapsed();
        summary
    }

    /// Says goodbye to the server.
    pub async fn close(&self) {
        self.tools.pool.close().await;
    }

    /// Opens the local root, if a step needs it; it is not made for nothing.
    fn open_root(&self, plan: &Plan) -> Result<Option<LocalRoot>, Error> {
        let is_local = |step: &Step| {
            matches!(
                step,
                Step::Fetch { .. } | Step::MakeLocalDir { .. } | Step::DeleteLocal { .. }
            )
        };
        if plan.steps.iter().any(is_local) {
            return LocalRoot::open(&plan.local_root).map(Some);
        }
        Ok(None)
    }
}
