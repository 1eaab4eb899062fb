//! What wakes a session, and whether it may go on then.

use std::{future::pending, io};

use tokio::time::Instant;

use super::{
    MOST_HELD, Talk,
    end::{End, NO_LOGIN},
    outside::Outside,
    running::{Came, Ending, Running},
};

/// What woke the loop.
pub(super) enum Woken {
    Read(std::io::Result<usize>),
    Ended(Ending),
    /// A whole upload asks whether it may take its name.
    Asked(std::time::Instant),
    Kicked,
    Stopped,
    Killed,
    Late,
}

impl Talk {
    pub(super) async fn wake(&mut self, outside: &mut Outside<'_, '_>) -> Woken {
        let may_read = self.held.len() < MOST_HELD;
        let is_idle = self.running.is_none();
        // Whoever never stops sending would never be found late below.
        if self.session.login.is_none() && is_idle && Instant::now() >= self.deadline {
            return Woken::Late;
        }
        loop {
            outside.be_early(self.deadline);
            return tokio::select! {
                biased;
                () = outside.killed.as_mut() => Woken::Killed,
                () = outside.kicked.as_mut() => Woken::Kicked,
                came = run(&mut self.running) => match came {
                    Came::Ended(ending) => Woken::Ended(ending),
                    Came::Asked(until) => Woken::Asked(until),
                },
                () = outside.stopped.as_mut(), if is_idle => Woken::Stopped,
                read = self.wire.read(&mut self.lines), if may_read => Woken::Read(read),
                () = outside.alarm.as_mut(), if is_idle => {
                    if Instant::now() < self.deadline {
                        outside.alarm.as_mut().reset(self.deadline);
                        continue;
                    }
                    Woken::Late
                }
            };
        }
    }

    /// Ends a session that has more to say, but no time or place for it any more.
    pub(super) fn ensure_wanted(&self) -> Result<(), End> {
        if self.kill.is_cancelled() || self.stop.is_cancelled() && self.running.is_none() {
            return Err(End::stopped());
        }
        if self.kicked.is_cancelled() {
            return Err(self.is_kicked());
        }
        if self.session.login.is_none() && Instant::now() >= self.deadline {
            return Err(self.is_late());
        }
        Ok(())
    }

    pub(super) fn is_kicked(&self) -> End {
        End::goodbye(self.session.seat.kick_reason())
    }

    pub(super) fn is_late(&self) -> End {
        End::goodbye(match self.session.login {
            Some(_) => "No command for too long; goodbye",
            None => NO_LOGIN,
        })
    }
}

pub(super) fn is_end(read: &io::Result<usize>) -> bool {
    match read {
        Ok(count) => *count == 0,
        Err(error) => matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        ),
    }
}

async fn run(running: &mut Option<Running>) -> Came {
    match running {
        Some(running) => running.go_on().await,
        None => pending().await,
    }
}
