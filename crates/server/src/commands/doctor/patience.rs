//! Looks at disks that may never answer.

use std::{sync::mpsc, thread, time::Duration};

/// A disk that answers does so long before.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Looks on a thread of its own; `None`: without an answer for so long.
pub(super) fn in_time<T: Send + 'static>(
    limit: Duration,
    look: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (told, heard) = mpsc::channel();
    let thread = thread::Builder::new().spawn(move || told.send(look()));
    thread.ok()?;
    heard.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_answer_is_not_waited_for() {
        let (answer, asked) = mpsc::channel::<()>();
        assert_eq!(in_time(Duration::ZERO, move || asked.recv()), None);
        drop(answer);
        assert_eq!(in_time(Duration::from_secs(60), || 7), Some(7));
    }
}
