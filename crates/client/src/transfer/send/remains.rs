//! What tries that failed leave on the server: it goes, gets its name back, or is told.

use super::{Send, source::Source};
use crate::{error::Error, remote::Remote, transfer::verify};

impl Send {
    /// Removes what the server was left with, as far as it can be.
    pub(super) async fn clear_left(&self, remote: &mut dyn Remote, source: &Source) {
        for left in 0..self.left {
            let _ = remote.remove_file(&self.part(source, left)).await;
        }
    }

    /// Tells whether the last failure leaves something on the server that must not stay as it is.
    pub(in crate::transfer) fn leaves_something(&self, error: &Error) -> bool {
        self.aside.is_some()
            || self.is_torn
            || self.has_orphans(error)
            || self.has_empty_parts(error)
    }

    /// Tells whether parts may be left that hold nothing, and that a later run would wait for in vain while the
    /// server has them locked. Who has stopped it does not wait for them.
    fn has_empty_parts(&self, error: &Error) -> bool {
        !matches!(error, Error::Interrupted) && !self.unbegun.is_empty()
    }

    /// Tells whether parts are left that no later run would find; one that was told of stays.
    fn has_orphans(&self, error: &Error) -> bool {
        let is_told = matches!(error, Error::Unpublished { .. });
        error.is_transient() && !is_told && !self.orphans.is_empty()
    }

    /// Gives what was there its name back, and removes what no later run would find, now that no more is tried.
    pub(in crate::transfer) async fn tidy(&mut self, remote: &mut dyn Remote, error: &Error) {
        if self.aside.is_some() || self.is_torn {
            self.take_back(remote).await;
        }
        if self.has_orphans(error) {
            for part in std::mem::take(&mut self.orphans) {
                let _gone = remote.remove_file(&part).await;
            }
        }
        if self.has_empty_parts(error) {
            for part in std::mem::take(&mut self.unbegun) {
                remove_empty(remote, &part).await;
            }
        }
    }

    /// Makes of the last failure one that says where the old file is.
    pub(in crate::transfer) fn without_old(&self, error: Error) -> Error {
        let mut error = match error {
            Error::Aside { source, .. } => *source,
            other => other,
        };
        if let Error::Unpublished { aside, .. } = &mut error {
            aside.clone_from(&self.aside);
            return error;
        }
        match self.aside.clone() {
            Some(aside) => self.without(aside, error),
            // One that tells so itself needs no more words.
            None if self.is_torn || (self.is_wrong && !is_mismatch(&error)) => Error::Torn {
                path: self.remote.clone(),
                source: Box::new(error),
            },
            None => error,
        }
    }

    pub(super) fn without(&self, aside: String, error: Error) -> Error {
        Error::Aside {
            path: self.remote.clone(),
            aside,
            source: Box::new(error),
        }
    }
}

/// Tells whether an error says that what the server has is not the file.
pub(super) fn is_mismatch(error: &Error) -> bool {
    matches!(error, Error::Truncated { .. } | Error::HashMismatch { .. })
}

/// Removes a file that holds nothing. A part that holds anything may be gone on with, or be another run's of the same
/// file: that it had the part locked may be why the server did not answer.
pub(super) async fn remove_empty(remote: &mut dyn Remote, part: &str) {
    if matches!(verify::size_of(remote, part, false).await, Ok(Some(0))) {
        let _gone = remote.remove_file(part).await;
    }
}
