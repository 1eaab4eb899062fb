//! Runs a batch, and gathers what came of it: nothing goes missing without a word.

use std::{collections::VecDeque, sync::Arc};

use tokio::task::JoinSet;

use super::{
    super::{Outcome, crew::Crew, job::Job, worker::Worker},
    Batch, lock,
};
use crate::error::Error;

/// What became of a file whose worker panicked.
const BROKE_OFF: &str =
    "ftpc broke off in the middle of it (the system may have no thread left to give)";

impl Crew {
    pub(in crate::transfer) async fn run_batch(&mut self, jobs: VecDeque<Job>) {
        if jobs.is_empty() || self.tools.cancel.is_stopped() {
            return;
        }
        if let Some(reason) = self.given_up.clone() {
            return self.give_up(&jobs, &reason);
        }
        let workers = self.tools.options.jobs.max(1).min(jobs.len());
        let batch = Arc::new(Batch::new(jobs, workers, self.wary));
        let mut crew = JoinSet::new();
        let mut session = self.session.take();
        for _ in 0..workers {
            let (tools, batch) = (Arc::clone(&self.tools), Arc::clone(&batch));
            crew.spawn(Worker::new(tools, batch, session.take()).run());
        }
        // Who broke off has left word of it.
        while crew.join_next().await.is_some() {}
        self.gather(&batch);
    }

    fn gather(&mut self, batch: &Batch) {
        let results = std::mem::take(&mut *lock(&batch.results));
        self.incomplete |= !results.failed.is_empty() || !results.lost.is_empty();
        for name in results.lost {
            let reason = BROKE_OFF.to_owned();
            self.fail(name, Error::GivenUp { reason });
        }
        self.summary.files += results.files;
        self.summary.verified += results.verified;
        self.summary.skipped += results.skipped;
        self.summary.failed.extend(results.failed);
        self.originals.extend(results.originals);
        let left = std::mem::take(&mut *lock(&batch.queue));
        self.incomplete |= !left.is_empty();
        if let Some(reason) = results.given_up {
            self.give_up(&left, &reason);
            self.given_up = Some(reason);
        } else if !self.tools.cancel.is_stopped() {
            // Nothing may go missing without a word.
            self.give_up(&left, "no session was left for it");
        }
    }

    fn give_up(&mut self, jobs: &VecDeque<Job>, reason: &str) {
        self.summary.failed.extend(jobs.iter().map(|job| Outcome {
            name: job.name(),
            error: Error::GivenUp {
                reason: reason.to_owned(),
            },
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::RemoteError,
        event::Events,
        plan::{Plan, Step},
        remote::{Dial, Remote},
        transfer::{Cancel, Engine, Options},
    };

    /// Gives sessions to nobody, and breaks off when asked.
    struct Broken;

    #[async_trait::async_trait]
    impl Dial for Broken {
        async fn dial(&self) -> Result<Box<dyn Remote>, RemoteError> {
            panic!("no thread")
        }

        fn endpoint(&self) -> String {
            "h:21".to_owned()
        }
    }

    #[tokio::test]
    async fn a_file_whose_worker_breaks_off_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let mut plan = Plan::new(temp.path());
        for name in ["a", "b"] {
            std::fs::write(temp.path().join(name), "content").unwrap();
            let to = format!("/{name}");
            plan.push(Step::send(temp.path().join(name), &to, 7));
        }
        let engine = Engine::new(
            Arc::new(Broken),
            Options::default(),
            Events::silent(),
            Cancel::default(),
        );
        let summary = engine.run(plan).await;
        assert_eq!(summary.files, 0);
        assert_eq!(summary.failed.len(), 2);
        let told = summary.failed[0].error.chain();
        assert!(told.contains("broke off"), "{told}");
    }
}
