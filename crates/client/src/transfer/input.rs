//! Standard input as a stream that can be stopped while it is silent, and whose end is not believed
//! at once.

use std::{
    io::{self, Read},
    os::fd::AsFd,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, fstat},
    io::Errno,
};

/// How long a read waits before its caller may look whether it was stopped.
const LOOK: Duration = Duration::from_millis(50);
/// Ctrl-C ends the producer too, and the end of its pipe may be here before our own signal.
const DOUBT: Duration = Duration::from_millis(300);

/// A reader that returns `Interrupted` at least every 50 ms while nothing comes.
#[derive(Debug)]
pub struct Input<F> {
    file: F,
    ended: Option<Instant>,
}

impl<F: AsFd> Input<F> {
    /// Reads from this file, pipe or terminal.
    pub fn new(file: F) -> Self {
        Self { file, ended: None }
    }

    /// A regular file has no producer that could have been stopped.
    fn has_producer(&self) -> bool {
        !fstat(&self.file)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    }
}

impl<F: AsFd> Read for Input<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(ended) = self.ended {
            if ended.elapsed() >= DOUBT {
                return Ok(0);
            }
            thread::sleep(LOOK);
            return Err(io::ErrorKind::Interrupted.into());
        }
        let look = Timespec::try_from(LOOK).unwrap_or_default();
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        if poll(&mut fds, Some(&look))? == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match rustix::io::read(&self.file, buffer) {
            Ok(0) if self.has_producer() => {
                self.ended = Some(Instant::now());
                Err(io::ErrorKind::Interrupted.into())
            }
            Err(Errno::AGAIN) => Err(io::ErrorKind::Interrupted.into()),
            read => Ok(read?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn silence_can_be_looked_away_from_and_the_end_is_told_late() {
        let (out, mut into) = io::pipe().unwrap();
        let mut input = Input::new(out);
        let mut buffer = [0; 8];
        let silent = input.read(&mut buffer).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::Interrupted);
        into.write_all(b"abc").unwrap();
        assert_eq!(input.read(&mut buffer).unwrap(), 3);
        drop(into);
        let began = Instant::now();
        let end = input.read(&mut buffer).unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::Interrupted);
        // Whoever does not ask in between gets the end, later.
        assert_eq!(input.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert!(began.elapsed() >= DOUBT);
    }

    #[test]
    fn the_end_of_a_file_is_the_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let mut input = Input::new(file);
        let mut buffer = [0; 8];
        assert_eq!(input.read(&mut buffer).unwrap(), 3);
        assert_eq!(input.read(&mut buffer).unwrap(), 0);
    }
}
