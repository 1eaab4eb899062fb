//! The stop token and the task tracker: where tasks are started and waited for, but those of stations, which
//! end with their threads.
//!
//! `daemon` owns a [`Life`] and ends it; rooms below get clones to spawn on and tokens to watch.

use std::{future::Future, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Everything that runs, and the word to end it.
#[derive(Clone, Debug, Default)]
pub struct Life {
    tasks: TaskTracker,
    services: TaskTracker,
    stop: CancellationToken,
    kill: CancellationToken,
}

impl Life {
    /// Starts a task that [`Life::end`] waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Starts a task that serves until the very end: it is not waited for in the grace period, and
    /// must watch [`Life::kill`].
    pub fn spawn_service<F>(&self, task: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.services.spawn(task);
    }

    /// Returns the token of the graceful stop: take no new work, finish what moves.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Returns the token of the end of the grace period: leave at once.
    #[must_use]
    pub fn kill(&self) -> CancellationToken {
        self.kill.clone()
    }

    /// Returns how many tasks run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Stops gracefully, waits up to `grace`, then cuts what is left; returns whether everything
    /// ended by itself in time.
    pub async fn end(&self, grace: Duration) -> bool {
        const LAST_WORDS: Duration = Duration::from_secs(2);
        self.stop.cancel();
        self.tasks.close();
        let in_time = tokio::time::timeout(grace, self.tasks.wait()).await.is_ok();
        self.kill.cancel();
        self.services.close();
        let all = async { tokio::join!(self.tasks.wait(), self.services.wait()) };
        let _ = tokio::time::timeout(LAST_WORDS, all).await;
        in_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_tasks_that_heed_the_stop() {
        let life = Life::default();
        let stop = life.stop();
        let task = life.spawn(async move {
            stop.cancelled().await;
            7
        });
        assert!(life.end(Duration::from_secs(30)).await);
        assert_eq!(task.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn services_do_not_hold_up_the_end_and_are_there_until_it() {
        let life = Life::default();
        let (stop, kill) = (life.stop(), life.kill());
        life.spawn_service(async move { kill.cancelled().await });
        life.spawn(async move { stop.cancelled().await });
        assert!(life.end(Duration::from_secs(30)).await);
        assert!(life.services.is_empty());
    }

    #[tokio::test]
    async fn what_outlives_the_grace_is_told_to_leave() {
        let life = Life::default();
        let kill = life.kill();
        life.spawn(async move { kill.cancelled().await });
        assert!(!life.end(Duration::ZERO).await);
        assert_eq!(life.running(), 0);
    }
}
