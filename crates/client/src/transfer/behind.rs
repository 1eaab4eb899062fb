//! What a large download has written is sent on to the disk while more comes, so that little is left to wait for at
//! its end: the system itself begins after half a minute, or with a tenth of the memory.
//!
//! On ext4, where it was measured. Disks that have written it by then, as those of the network may, would only forget
//! what they keep in memory.

use std::{
    fs::File,
    io::{self, Seek as _},
    num::NonZeroU64,
};

use rustix::fs::{Advice, fadvise};

use super::ahead::is_ext4;

/// What is sent on at once. A file that ends before it is not worth it.
const STEP: u64 = 16 << 20;
/// The most that is told of before it is written.
const WRITE: u64 = 1 << 20;

/// How far a file has been sent on.
pub(super) struct Behind<'a> {
    file: &'a File,
    /// Where the next byte goes.
    at: u64,
    /// Where that begins which was not sent on.
    from: u64,
    is_on: bool,
}

impl<'a> Behind<'a> {
    /// Begins where the file stands; `length` is how many bytes are to come.
    pub(super) fn new(file: &'a File, length: Option<u64>) -> Self {
        let place = { file }.stream_position().ok();
        let is_large = length.is_some_and(|length| length >= STEP);
        let at = place.unwrap_or_default();
        Self {
            file,
            at,
            from: at,
            is_on: place.is_some() && is_large && is_ext4(file),
        }
    }

    /// Notes that so many bytes are written, or will be now.
    pub(super) fn reach(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes);
        let length = self.at.saturating_sub(self.from.saturating_add(WRITE));
        if self.is_on && length >= STEP {
            // Where it cannot be told of, the end waits for all of it.
            self.is_on = send_on(self.file, self.from, length).is_ok();
            self.from += length;
        }
    }
}

/// "Not needed" makes Linux begin to write what is changed, without a wait for it; what is being written stays in
/// memory. What the disk refuses is told to whoever waits for it later, as ever.
fn send_on(file: &File, from: u64, length: u64) -> io::Result<()> {
    let length = NonZeroU64::new(length);
    Ok(fadvise(file, from, length, Advice::DontNeed)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_large_file_is_sent_on_step_by_step_and_stays_whole() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"head").unwrap();
        let block = vec![7; 1 << 20];
        let mut behind = Behind::new(&file, Some(40 << 20));
        behind.is_on = true;
        let mut begins = Vec::new();
        for _ in 0..40 {
            (&file).write_all(&block).unwrap();
            behind.reach(1 << 20);
            begins.push(behind.from - 4);
        }
        begins.dedup();
        assert_eq!(begins, [0, STEP, 2 * STEP]);
        assert!(behind.is_on);
        let mut all = Vec::new();
        file.rewind().unwrap();
        io::Read::read_to_end(&mut file, &mut all).unwrap();
        assert!(all.len() == (40 << 20) + 4 && all[4..].iter().all(|byte| *byte == 7));
    }

    #[test]
    fn a_file_that_is_small_or_of_unknown_size_or_cannot_be_told_of_is_not() {
        let file = tempfile::tempfile().unwrap();
        for length in [None, Some(0), Some(STEP - 1)] {
            let mut behind = Behind::new(&file, length);
            behind.reach(2 * STEP);
            assert_eq!(behind.from, 0, "{length:?}");
        }
        let large = Behind::new(&file, Some(STEP));
        assert_eq!(large.is_on, is_ext4(&file));
        let (pipe, _end) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(pipe));
        let mut behind = Behind {
            file: &pipe,
            at: 0,
            from: 0,
            is_on: true,
        };
        behind.reach(2 * STEP);
        assert!(!behind.is_on);
    }
}
