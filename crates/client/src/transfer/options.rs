//! The wishes and the results of a run.

use std::time::Duration;

use ftp_config::{ByteRate, client::Verify, defaults};

use crate::error::Error;

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sessions at once, at least 1.
    pub jobs: usize,
    /// When hashes are compared.
    pub verify: Verify,
    /// Limit of all transfers of the run together.
    pub limit: ByteRate,
    /// Pauses between tries.
    pub backoff: Backoff,
    /// Go on where an interrupted transfer stopped, when it is the same file.
    pub resume: bool,
    /// Keep modification times.
    pub keep_times: bool,
    /// Replace local files that exist (uploads always replace).
    pub force: bool,
    /// Remove each local file once the server is proved to have it.
    pub move_files: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: defaults::JOBS as usize,
            verify: Verify::Auto,
            limit: ByteRate::UNLIMITED,
            backoff: Backoff::default(),
            resume: true,
            keep_times: true,
            force: false,
            move_files: false,
        }
    }
}

/// How often and how soon a file is tried again. The count begins anew when bytes advanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Tries in a row without a single new byte, at least 1.
    pub attempts: u32,
    /// How long a server that cannot be reached is waited for: it may be started anew meanwhile.
    pub patience: Duration,
    /// The pause before the second try; doubled each time, with half of it left to chance.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            attempts: 5,
            patience: Duration::from_secs(120),
            first: Duration::from_millis(500),
            longest: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// Returns the pause before try number `attempt` (from 2); `chance` is 0.0 to 1.0 and moves
    /// it by up to half either way.
    #[must_use]
    pub fn pause(&self, attempt: u32, chance: f64) -> Duration {
        let doubled = attempt.saturating_sub(2).min(20);
        let pause = self.first.saturating_mul(1 << doubled).min(self.longest);
        pause.mul_f64(0.5 + chance.clamp(0.0, 1.0))
    }
}

/// How one failed step ended.
#[derive(Debug)]
pub struct Outcome {
    /// The name as in the events.
    pub name: String,
    /// Why.
    pub error: Error,
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Summary {
    /// Files moved.
    pub files: u64,
    /// Bytes of these files that this run moved: neither what an earlier one did, nor what was sent twice.
    pub bytes: u64,
    /// Files that needed nothing.
    pub skipped: u64,
    /// Files and directories removed.
    pub deleted: u64,
    /// Files whose hash was compared.
    pub verified: u64,
    /// What went wrong.
    pub failed: Vec<Outcome>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// How long it took.
    pub took: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread() {
        let backoff = Backoff::default();
        assert_eq!(backoff.pause(2, 0.5), Duration::from_millis(500));
        assert_eq!(backoff.pause(3, 0.5), Duration::from_secs(1));
        assert_eq!(backoff.pause(60, 0.5), Duration::from_secs(10));
        assert_eq!(backoff.pause(2, 0.0), Duration::from_millis(250));
        assert_eq!(backoff.pause(2, 1.0), Duration::from_millis(750));
    }
}
