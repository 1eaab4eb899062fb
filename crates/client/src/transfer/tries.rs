//! How often one thing is tried, how long a server is waited for that cannot be reached, and what an
//! error means for the rest of the run.

use std::{
    io::ErrorKind,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{Backoff, Tools, job::Job};
use crate::{
    error::{Error, RemoteError},
    work::chance,
};

/// The tries of one file or step.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    /// Tries in a row that brought nothing.
    failed: u32,
    /// Since when the server cannot be reached.
    lost_since: Option<Instant>,
}

impl Tries {
    /// Bytes advanced: the count begins anew.
    pub(super) fn advanced(&mut self) {
        self.failed = 0;
    }

    /// Counts a failure. Returns the number of the next try, or `None` when it was the last one;
    /// `unreached`: no session could be made.
    pub(crate) fn next(
        &mut self,
        backoff: &Backoff,
        error: &Error,
        unreached: bool,
    ) -> Option<u32> {
        let now = Instant::now();
        self.failed += 1;
        self.lost_since = unreached.then(|| self.lost_since.unwrap_or(now));
        let waits = self
            .lost_since
            .is_some_and(|since| now - since < backoff.patience);
        let again = waits || self.failed < backoff.attempts;
        (error.is_transient() && again).then_some(self.failed + 1)
    }
}

/// Waits before the next try; `false`: the run was stopped meanwhile.
pub(super) async fn pause(tools: &Tools, job: &Job, attempt: u32, error: &Error) -> bool {
    let reuse = matches!(error, Error::Remote(RemoteError::SessionReuse { .. }));
    let wait = if reuse {
        Duration::ZERO
    } else {
        tools.options.backoff.pause(attempt, chance())
    };
    tools.events.send(job.retrying(attempt, wait, error));
    tokio::select! {
        () = tokio::time::sleep(wait) => true,
        () = tools.cancel.stopped() => false,
    }
}

/// Files in a row that the server let not pass for the moment, however often it was asked.
///
/// A disk that fails says so of every file: each tried anew, some thousands of them take hours.
#[derive(Debug, Default)]
pub(super) struct Vain(Mutex<Row>);

#[derive(Debug, Default)]
struct Row {
    files: u32,
    /// When the last of them was given up.
    end: Option<Instant>,
}

/// So many files in a row are no accident.
const VAIN: u32 = 3;

impl Vain {
    /// Tells whether another try is one too many.
    pub(super) fn is_hopeless(&self, error: &Error) -> bool {
        is_of_the_moment(error) && self.row().files >= VAIN
    }

    /// Counts a file whose tries are used up, since it was begun; `true`: those behind it are hopeless now. Files that
    /// were tried side by side met one bad time, and count once.
    pub(super) fn gave_up(&self, error: &Error, begun: Instant) -> bool {
        let mut row = self.row();
        if !is_of_the_moment(error) || row.end.is_some_and(|end| begun < end) {
            return false;
        }
        row.files += 1;
        row.end = Some(Instant::now());
        row.files == VAIN
    }

    /// A file has passed.
    pub(super) fn went_well(&self) {
        *self.row() = Row::default();
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether nothing of what came is kept: of a file that grows, each try brings more, and none may end.
pub(super) fn begins_anew(error: &Error) -> bool {
    matches!(error, Error::Remote(RemoteError::Io { source, .. }) if source.kind() == ErrorKind::InvalidData)
}

/// Tells whether the server refuses this file, and says that it may be only for now (RFC 959 §4.2.1: 4yz).
fn is_of_the_moment(error: &Error) -> bool {
    matches!(error, Error::Remote(RemoteError::Refused { reply, .. })
        if matches!(reply.code, 425 | 426 | 450 | 451))
}

/// Tells whether nothing that follows can go better.
pub(super) fn ends_all(error: &Error) -> bool {
    if let Error::Aside { source, .. } | Error::Torn { source, .. } = error {
        return ends_all(source);
    }
    let Error::Remote(error) = error else {
        return matches!(error, Error::Local { source, .. }
            if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded));
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

/// Tells whether somebody else may have answered: who is served must not pass over that.
pub(super) fn is_of_trust(error: &Error) -> bool {
    let Error::Remote(error) = error else {
        return false;
    };
    matches!(
        error,
        RemoteError::Untrusted { .. }
            | RemoteError::CertificateChanged { .. }
            | RemoteError::TlsDowngrade { .. }
    )
}

/// Tells whether the server has enough sessions.
pub(super) fn is_too_many(error: &Error) -> bool {
    matches!(error, Error::Remote(error) if error.is_too_many())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Error {
        Error::Remote(RemoteError::Poisoned)
    }

    #[test]
    fn what_brings_nothing_is_tried_so_often_and_no_more() {
        let backoff = Backoff::default();
        let mut tries = Tries::default();
        for next in 2..=backoff.attempts {
            assert_eq!(tries.next(&backoff, &lost(), false), Some(next));
        }
        assert_eq!(tries.next(&backoff, &lost(), false), None);
        tries.advanced();
        assert_eq!(tries.next(&backoff, &lost(), false), Some(2));
        let refused = Error::GivenUp {
            reason: String::new(),
        };
        assert_eq!(tries.next(&backoff, &refused, true), None);
    }

    #[tokio::test(start_paused = true)]
    async fn files_that_met_one_bad_time_are_no_row() {
        let reply = crate::remote::Reply::new(451, "no");
        let (verb, path) = ("RETR".to_owned(), None);
        let busy = Error::Remote(RemoteError::Refused { verb, path, reply });
        let vain = Vain::default();
        let second = Duration::from_secs(1);
        let begun = Instant::now();
        for _ in 0..8 {
            tokio::time::advance(second).await;
            assert!(!vain.gave_up(&busy, begun));
        }
        assert!(!vain.is_hopeless(&busy));
        for is_last in [false, true] {
            let begun = Instant::now();
            tokio::time::advance(second).await;
            assert_eq!(vain.gave_up(&busy, begun), is_last);
        }
        assert!(vain.is_hopeless(&busy));
        assert!(!vain.is_hopeless(&lost()));
        vain.went_well();
        assert!(!vain.is_hopeless(&busy));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_cannot_be_reached_is_waited_for() {
        let backoff = Backoff::default();
        let mut tries = Tries::default();
        for next in 2..60 {
            assert_eq!(tries.next(&backoff, &lost(), true), Some(next));
            tokio::time::advance(backoff.patience / 60).await;
        }
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(tries.next(&backoff, &lost(), true), None);
        // It was there meanwhile: another wait is another one.
        tries.advanced();
        assert_eq!(tries.next(&backoff, &lost(), false), Some(2));
        assert_eq!(tries.next(&backoff, &lost(), true), Some(3));
        tokio::time::advance(backoff.patience / 2).await;
        assert_eq!(tries.next(&backoff, &lost(), true), Some(4));
    }
}
