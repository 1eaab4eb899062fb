//! Runs a batch, and gathers what came of it: nothing goes missing without a word.

use std::{collections::VecDeque, sync::Arc};

use tokio::task::JoinSet;

use super::{
    super::{Outcome, crew::Crew, job::Job, worker::Worker},
    Batch, lock,
};
use crate::error::Error;

/// So many files that were not tried are named.
const NAMED: usize = 10;

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
            self.fail(name, Error::BrokeOff);
        }
        self.summary.files += results.files;
        self.summary.bytes += results.bytes;
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
        if let Some(told) = untried(jobs) {
            self.tools.events.message(told);
        }
        self.summary.failed.extend(jobs.iter().map(|job| Outcome {
            name: job.name(),
            error: Error::GivenUp {
                reason: reason.to_owned(),
            },
        }));
    }
}

/// Names files that were not tried: all of a few.
fn untried(jobs: &VecDeque<Job>) -> Option<String> {
    let more = jobs.len().saturating_sub(NAMED);
    let names: Vec<_> = jobs
        .iter()
        .take(NAMED)
        .map(|job| format!("`{}`", job.name()))
        .collect();
    let names = names.join(", ");
    match (jobs.len(), more) {
        (0, _) => None,
        (1, _) => Some(format!("not tried: {names}")),
        (count, 0) => Some(format!("{count} files were not tried: {names}")),
        (count, more) => Some(format!(
            "{count} files were not tried: {names} and {more} more"
        )),
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
        assert!(told.starts_with("ftpc broke off"), "{told}");
    }

    #[test]
    fn files_that_were_not_tried_are_named() {
        use crate::transfer::{flow::Flow, send::Send};
        let jobs = |count: u64| -> VecDeque<_> {
            let send = |n: u64| {
                Send::new(
                    n,
                    format!("f{n}").into(),
                    String::new(),
                    None,
                    Flow::default(),
                )
            };
            (0..count).map(|n| Job::Send(send(n), 1)).collect()
        };
        let told = |count| untried(&jobs(count)).unwrap_or_default();
        assert_eq!(told(0), "");
        assert_eq!(told(1), "not tried: `f0`");
        assert_eq!(told(2), "2 files were not tried: `f0`, `f1`");
        let many = told(13);
        let (begin, end) = ("13 files were not tried: `f0`, ", "`f9` and 3 more");
        assert!(many.starts_with(begin) && many.ends_with(end), "{many}");
    }
}
