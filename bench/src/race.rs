//! All sessions at the same moment, and what that took.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};

use crate::{peers::Server, proc, wire::Session};

/// What a round of all sessions took.
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// Server CPU seconds.
    pub(crate) cpu: f64,
}

/// Runs `prepare` on every session, then `last` once, then `work` on all of them at the same
/// moment; the time of `work` is returned. The sessions are still open when the CPU time is read.
pub(crate) fn together<P>(
    server: &Server,
    sessions: Vec<Session>,
    prepare: impl Fn(usize, &mut Session) -> Result<P> + Sync,
    last: impl FnOnce() -> Result<()>,
    work: impl Fn(usize, &mut Session, P) -> Result<()> + Sync,
) -> Result<Took> {
    let (ready, start) = (
        Barrier::new(sessions.len() + 1),
        Barrier::new(sessions.len() + 1),
    );
    let run = |i: usize, mut session: Session| {
        let prepared = prepare(i, &mut session);
        ready.wait();
        start.wait();
        prepared
            .and_then(|prepared| work(i, &mut session, prepared))
            .map(|()| session)
    };
    thread::scope(|scope| {
        let run = &run;
        let numbered = sessions.into_iter().enumerate();
        let threads: Vec<_> = numbered
            .map(|(i, session)| scope.spawn(move || run(i, session)))
            .collect();
        ready.wait();
        let last = last();
        let before = proc::cpu_seconds(server.leader());
        start.wait();
        let begun = Instant::now();
        let done: Vec<Result<Session>> = threads.into_iter().map(joined).collect();
        let wall = begun.elapsed();
        let cpu = proc::cpu_seconds(server.leader()) - before;
        last?;
        done.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Took { wall, cpu })
    })
}

fn joined(thread: thread::ScopedJoinHandle<'_, Result<Session>>) -> Result<Session> {
    let panicked = |_| Err(anyhow!("a session's thread panicked"));
    thread.join().unwrap_or_else(panicked)
}
