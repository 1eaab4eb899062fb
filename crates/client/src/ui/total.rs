//! The job as a whole: how much was planned, how much is done, and the words that tell it.

use std::time::Instant;

use super::{rate::Rate, table};

/// Files, and bytes of files.
#[derive(Clone, Copy, Default)]
struct Count {
    files: u64,
    bytes: u64,
}

pub(super) struct Total {
    planned: Count,
    done: Count,
    rate: Rate,
    /// Bytes that were counted without having moved.
    jumped: u64,
    /// Bytes that had moved of files that failed.
    lost: u64,
    /// Bytes that will not come: the sizes of those files.
    failed: u64,
}

impl Total {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            planned: Count::default(),
            done: Count::default(),
            rate: Rate::new(now, 0),
            jumped: 0,
            lost: 0,
            failed: 0,
        }
    }

    pub(super) fn plan(&mut self, files: u64, bytes: u64) {
        self.planned.files += files;
        self.planned.bytes = self.planned.bytes.saturating_add(bytes);
    }

    /// Tells whether more than one file was planned.
    pub(super) fn is_of_several(&self) -> bool {
        self.planned.files > 1
    }

    /// Counts a file that is there.
    pub(super) fn finish(&mut self, bytes: u64) {
        self.done.files += 1;
        self.done.bytes = self.done.bytes.saturating_add(bytes);
    }

    /// Notes bytes that came at no rate.
    pub(super) fn jump(&mut self, bytes: u64) {
        self.jumped = self.jumped.saturating_add(bytes);
    }

    /// Counts out a file that failed at the byte `at`: what follows is as fast as before, and is all that is left.
    pub(super) fn fail(&mut self, at: u64, size: Option<u64>) {
        self.lost = self.lost.saturating_add(at);
        self.failed = self.failed.saturating_add(size.unwrap_or(0));
    }

    /// Looks at the rate; `moving`: bytes of files that are on their way.
    pub(super) fn update(&mut self, now: Instant, moving: u64) {
        let bytes = self.done.bytes.saturating_add(moving);
        let moved = bytes.saturating_add(self.lost);
        self.rate.update(now, moved.saturating_sub(self.jumped));
    }

    pub(super) fn words(&self, now: Instant, moving: u64) -> String {
        let bytes = self.done.bytes.saturating_add(moving);
        let gone = bytes.saturating_add(self.failed);
        let left = self.planned.bytes.checked_sub(gone);
        format!(
            "{} of {}  {} of {}  {}",
            self.done.files,
            table::count(self.planned.files, "file"),
            table::size(bytes),
            table::size(self.planned.bytes),
            self.rate.words(now, left)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn sizes_that_a_server_makes_up_do_not_wrap() {
        let now = Instant::now();
        let mut total = Total::new(now);
        total.plan(2, u64::MAX);
        total.plan(1, 5);
        total.finish(u64::MAX);
        total.finish(5);
        total.jump(u64::MAX);
        total.jump(1);
        total.update(now, 5);
        let words = total.words(now, 5);
        let most = table::size(u64::MAX);
        let want = format!("2 of 3 files  {most} of {most}  ");
        assert!(words.starts_with(&want), "{words}");
    }

    #[test]
    fn a_file_that_fails_takes_its_bytes_with_it_but_not_the_rate() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut total = Total::new(begin);
        total.plan(2, 40 << 20);
        total.update(at(1), 20 << 20);
        total.fail(20 << 20, Some(30 << 20));
        total.update(at(2), 0);
        assert_eq!(
            total.words(at(2), 0),
            "0 of 2 files  0 B of 40.0 MiB    10.0 MiB/s  0:01 left"
        );
    }
}
