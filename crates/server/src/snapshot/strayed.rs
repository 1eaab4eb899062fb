//! Whether `share.root` is still what is served, and whether its disk answers.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::warn;

use super::Snapshot;
use crate::share::At;

/// A look that takes longer is told of: on a disk that hangs it never ends.
pub const SILENT: Duration = Duration::from_secs(10);
const NO_ANSWER: &str = "the disk of share.root does not answer: what needs it waits";

/// What the looks at `share.root` have found.
#[derive(Debug, Default)]
pub(super) struct Strayed(Mutex<Looks>);

#[derive(Debug, Default)]
struct Looks {
    /// How it was told not to be what is served.
    told: Option<&'static str>,
    /// When the one began that has no answer yet, since the last answer.
    asked: Option<Instant>,
}

impl Strayed {
    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        self.looks().asked.get_or_insert_with(Instant::now);
    }

    /// Notes what was found; returns what is to be told anew.
    fn end(&self, why: Option<&'static str>) -> Option<&'static str> {
        let mut looks = self.looks();
        looks.asked = None;
        let before = std::mem::replace(&mut looks.told, why);
        why.filter(|_| before != why)
    }

    /// Tells of a look without an answer for so long, once.
    fn silence(&self, long: Duration) -> Option<&'static str> {
        let mut looks = self.looks();
        let is_silent = looks.asked.is_some_and(|asked| asked.elapsed() >= long);
        let is_new = is_silent && looks.told.replace(NO_ANSWER) != Some(NO_ANSWER);
        is_new.then_some(NO_ANSWER)
    }
}

impl Snapshot {
    /// Says how `share.root` is not what is served any more, if it is not. Blocks.
    #[must_use]
    pub fn strayed(&self) -> Option<&'static str> {
        match self.share.at(&self.config.share.root) {
            At::Here => None,
            At::Nothing => Some("share.root is gone; the directory that it named is served on"),
            At::Another => {
                Some("another directory or disk stands at share.root: `ftpd reload` serves it")
            }
            At::Dead => Some("the disk of share.root has failed, or what served it is gone"),
        }
    }

    /// Warns when `share.root` is not what is served any more, once for each way. Blocks.
    pub fn warn_if_strayed(&self) {
        self.strayed.begin();
        self.warn(self.strayed.end(self.strayed()));
    }

    /// Warns when a look at `share.root` has had no answer for [`SILENT`], once. Does not block.
    pub fn warn_if_silent(&self) {
        self.warn(self.strayed.silence(SILENT));
    }

    fn warn(&self, why: Option<&'static str>) {
        if let Some(why) = why {
            warn!(root = %self.config.share.root.display(), "{why}");
        }
    }

    /// Returns what the last look found: it is taken at logins, reloads and mounts. Does not block.
    #[must_use]
    pub fn told_strayed(&self) -> Option<&'static str> {
        self.warn_if_silent();
        self.strayed.looks().told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_does_not_answer_is_told_once_until_it_does() {
        let strayed = Strayed::default();
        assert_eq!(strayed.silence(Duration::ZERO), None, "nobody asked");
        strayed.begin();
        assert_eq!(strayed.silence(Duration::MAX), None);
        assert_eq!(strayed.silence(Duration::ZERO), Some(NO_ANSWER));
        strayed.begin();
        assert_eq!(strayed.silence(Duration::ZERO), None, "told already");
        assert_eq!(strayed.looks().told, Some(NO_ANSWER));
        assert_eq!(strayed.end(None), None);
        assert_eq!(strayed.looks().told, None);
        strayed.begin();
        assert_eq!(strayed.end(Some("gone")), Some("gone"));
        strayed.begin();
        assert_eq!(strayed.end(Some("gone")), None);
    }
}
