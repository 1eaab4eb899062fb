//! Bytes between a file and a plain data connection that this program does not see.

use std::{fs::File, io, os::fd::OwnedFd};

use rustix::{
    event::PollFlags,
    fs::sendfile,
    io::Errno,
    net::sockopt::set_tcp_cork,
    pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice},
};

use super::data::FtpData;

/// How many bytes one call moves at most.
const MOVE: usize = 1 << 20;

/// Moves what one splice brought on into the file, by copying if the file cannot be spliced to.
fn drain_pipe(pipe: &OwnedFd, mut file: &File, mut left: usize) -> io::Result<()> {
    while left > 0 {
        match splice(pipe, None, file, None, left, SpliceFlags::MOVE) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => left -= count,
            Err(Errno::INTR) => {}
            Err(Errno::INVAL) => {
                let mut block = vec![0; left.min(MOVE)];
                let count = rustix::io::read(pipe, &mut block)?;
                io::Write::write_all(&mut file, &block[..count])?;
                left -= count;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn is_invalid(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INVAL.raw_os_error())
}

impl FtpData {
    /// Does what [`Data::splice_into`](crate::remote::Data::splice_into) says, by `splice` through a pipe.
    pub(super) fn pour_into(
        &mut self,
        file: &File,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>> {
        let socket = self.plain()?;
        let (out, into) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        // A smaller pipe only costs more calls.
        let _kept_small = fcntl_setpipe_size(&into, MOVE);
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let mut total = 0;
        loop {
            let came = self.retry(socket, PollFlags::IN, || {
                splice(socket, None, &into, None, MOVE, flags)
            });
            let step = match came {
                Ok(0) => return Some(Ok(total)),
                Ok(count) => drain_pipe(&out, file, count).and_then(|()| {
                    total += count as u64;
                    moved(count as u64)
                }),
                Err(error) => Err(error),
            };
            if let Err(error) = step {
                return Some(Err(error));
            }
        }
    }

    /// Does what [`Data::splice_from`](crate::remote::Data::splice_from) says, by `sendfile`.
    pub(super) fn pour_from(
        &mut self,
        file: &File,
        length: u64,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>> {
        let socket = self.plain()?;
        // No call ends with a segment that is not full.
        let _unsupported = set_tcp_cork(socket, true);
        let mut total = 0;
        while total < length {
            let block = usize::try_from(length - total).unwrap_or(MOVE).min(MOVE);
            let step = match self.retry(socket, PollFlags::OUT, || {
                sendfile(socket, file, None, block)
            }) {
                Ok(0) => break,
                Ok(count) => {
                    total += count as u64;
                    moved(count as u64)
                }
                // The file lies where sendfile cannot read: the caller copies.
                Err(error) if total == 0 && is_invalid(&error) => return None,
                Err(error) => Err(error),
            };
            if let Err(error) = step {
                return Some(Err(error));
            }
        }
        Some(Ok(total))
    }
}
