//! How long a data connection may stand still, whether a thread waits for it or a task. A stop ends each wait.

use std::{
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use tokio::time::timeout;

use super::data::FtpData;
use crate::cancel::Cancel;

/// How often a waiting thread looks whether it was stopped.
const LOOK: Duration = Duration::from_millis(200);

fn stalled(limit: Duration) -> io::Error {
    let text = format!("nothing moved for {}s", limit.as_secs_f32());
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// Puts a future under the limit and the switch.
pub(super) async fn limited<T>(
    limit: Duration,
    cancel: &Cancel,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    tokio::select! {
        biased;
        () = cancel.stopped() => Err(io::ErrorKind::Interrupted.into()),
        outcome = timeout(limit, future) => outcome.unwrap_or_else(|_| Err(stalled(limit))),
    }
}

impl FtpData {
    /// Waits on this thread until the socket is ready.
    fn wait(&self, socket: BorrowedFd<'_>, flags: PollFlags) -> io::Result<()> {
        let began = Instant::now();
        loop {
            if self.parting.cancel.is_stopped() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let look = Timespec::try_from(LOOK).unwrap_or_default();
            let mut fds = [PollFd::from_borrowed_fd(socket, flags)];
            match poll(&mut fds, Some(&look)) {
                Ok(0) if began.elapsed() >= self.stalled => {
                    return Err(stalled(self.stalled));
                }
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Runs a call on the socket until it neither would block nor was interrupted.
    pub(super) fn retry<T>(
        &self,
        socket: BorrowedFd<'_>,
        flags: PollFlags,
        mut call: impl FnMut() -> rustix::io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match call() {
                Err(Errno::AGAIN) => self.wait(socket, flags)?,
                Err(Errno::INTR) => {}
                other => return other.map_err(io::Error::from),
            }
        }
    }
}
