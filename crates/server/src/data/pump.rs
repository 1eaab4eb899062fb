//! Bytes between a file and a data connection, on one blocking thread for the whole transfer.
//!
//! Plain downloads go by `sendfile`, plain uploads by `splice`; whatever must see the bytes (TLS,
//! a rate limit, text conversion, a listing) goes by blocks. The socket's own time limits, and `patience`, are the
//! stall limit; the [`Brake`](super::Brake) ends every wait.

mod conduit;
mod drain;

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    fs::sendfile,
    io::{Errno, retry_on_intr},
    pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice},
};

pub use self::{conduit::Conduit, drain::Drain};
use super::{
    fill_segments,
    meter::{Broken, Meter, network, sending},
    patience::patiently,
    stride::Stride,
};

/// Bytes of one block on the copying paths.
pub const BLOCK: usize = 256 << 10;
const PIPE: usize = 1 << 20;
const MOVE: SpliceFlags = SpliceFlags::MOVE.union(SpliceFlags::MORE);
/// How long bytes wait for more before they are written.
const TOGETHER: Duration = Duration::from_millis(200);

/// Sends a file from its position to its end; returns the bytes sent.
///
/// # Errors
/// [`Broken`].
pub fn send_file(conduit: &mut Conduit, file: &File, meter: &Meter) -> Result<u64, Broken> {
    if conduit.is_tls() || !meter.throttle.is_unlimited() {
        return send_blocks(conduit, meter, &mut |block| fill(file, block));
    }
    let mut sent = 0;
    let mut stride = Stride::default();
    fill_segments(&*conduit.socket);
    loop {
        meter.check()?;
        if !meter.throttle.is_unlimited() {
            // A reload has set a limit meanwhile.
            let rest = send_blocks(conduit, meter, &mut |block| fill(file, block))?;
            return Ok(sent + rest);
        }
        let began = Instant::now();
        let next = || Ok(sendfile(&*conduit.socket, file, None, stride.bytes())?);
        match patiently(next).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO)) {
            Ok(0) => return Ok(sent),
            Ok(moved) => {
                stride.learn(began.elapsed());
                sent += moved as u64;
                meter.count(moved as u64);
            }
            Err(Errno::INVAL | Errno::NOSYS) if sent == 0 => {
                return send_blocks(conduit, meter, &mut |block| fill(file, block));
            }
            Err(e) => return Err(settle(sending(file, e), meter)),
        }
    }
}

/// Sends what `next` puts into the block, until it puts nothing; returns the bytes sent.
///
/// # Errors
/// [`Broken`].
pub fn send_blocks(
    conduit: &mut Conduit,
    meter: &Meter,
    next: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), Broken>,
) -> Result<u64, Broken> {
    let mut block = Vec::new();
    let mut sent = 0;
    loop {
        meter.check()?;
        block.clear();
        next(&mut block)?;
        if block.is_empty() {
            return Ok(sent);
        }
        let most = meter.block_bytes(block.len());
        for part in block.chunks(most) {
            conduit.send(part).map_err(|e| settle(e, meter))?;
            sent += part.len() as u64;
            meter.pay(part.len() as u64)?;
        }
    }
}

/// Receives to the client's end of file, giving each block to `sink`; returns the bytes received.
///
/// # Errors
/// [`Broken`].
pub fn receive_blocks(
    conduit: &mut Conduit,
    meter: &Meter,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), Broken>,
) -> Result<u64, Broken> {
    let (mut block, mut received) = (Vec::new(), 0);
    loop {
        meter.check()?;
        block.resize(meter.block_bytes(BLOCK), 0);
        let (filled, end) = gather(conduit, &mut block);
        // What came before a break is kept too.
        sink(&block[..filled])?;
        received += filled as u64;
        let is_end = end.map_err(|e| settle(e, meter))?;
        meter.pay(filled as u64)?;
        if is_end {
            return Ok(received);
        }
    }
}

/// Fills the block with what comes; returns how much that is, and whether it is the end. A slow client's
/// bytes go to disk as they come; only TLS hands them out in crumbs, which wait for each other a moment.
fn gather(conduit: &mut Conduit, block: &mut [u8]) -> (usize, Result<bool, Broken>) {
    let mut filled = 0;
    let mut first = None;
    while filled < block.len() {
        match conduit.receive(&mut block[filled..]) {
            Ok(0) => return (filled, Ok(true)),
            Ok(read) => filled += read,
            Err(broken) => return (filled, Err(broken)),
        }
        let Some(tls) = &conduit.tls else { break };
        let begun = *first.get_or_insert_with(Instant::now);
        if !tls.is_ready(TOGETHER.saturating_sub(begun.elapsed())) {
            break;
        }
    }
    (filled, Ok(false))
}

/// Receives to the client's end of file straight into `file`, at its position. `room` is asked
/// before each stride whether that many bytes may still come.
///
/// # Errors
/// [`Broken`].
pub fn receive_file(
    conduit: &mut Conduit,
    file: &File,
    meter: &Meter,
    room: &mut dyn FnMut(u64) -> Result<(), Broken>,
) -> Result<u64, Broken> {
    if conduit.is_tls() || !meter.throttle.is_unlimited() {
        return receive_copying(conduit, file, meter, room);
    }
    let Ok((out, into)) = pipe_with(PipeFlags::CLOEXEC) else {
        return receive_copying(conduit, file, meter, room);
    };
    let stride = fcntl_setpipe_size(&into, PIPE).unwrap_or(64 << 10);
    let mut received = 0;
    loop {
        meter.check()?;
        if !meter.throttle.is_unlimited() {
            return Ok(received + receive_copying(conduit, file, meter, room)?);
        }
        let piped = match splice(&*conduit.socket, None, &into, None, stride, MOVE) {
            Ok(0) => {
                // A pull shuts the socket down, which looks like the client's end of file.
                meter.check()?;
                return Ok(received);
            }
            Ok(piped) => piped,
            Err(Errno::INTR) => continue,
            Err(Errno::INVAL) if received == 0 => {
                return receive_copying(conduit, file, meter, room);
            }
            Err(e) => return Err(settle(network(e.into()), meter)),
        };
        room(piped as u64)?;
        received += piped as u64;
        meter.count(piped as u64);
        if !pour(&out, file, piped)? {
            return Ok(received + receive_copying(conduit, file, meter, room)?);
        }
    }
}

/// Writes what waits in the pipe to the file. Some disks take nothing from a pipe (HFS+, eCryptfs): they get it by copying, and
/// `false` says so.
fn pour(out: impl AsFd, file: &File, mut piped: usize) -> Result<bool, Broken> {
    while piped > 0 {
        match splice(&out, None, file, None, piped, MOVE) {
            Ok(written) if written > 0 => piped -= written,
            Ok(_) => return Err(Broken::Disk(io::ErrorKind::WriteZero.into())),
            Err(Errno::INTR) => {}
            Err(Errno::INVAL) => return drain(out, file, piped).map(|()| false),
            Err(e) => return Err(Broken::Disk(e.into())),
        }
    }
    Ok(true)
}

fn drain(out: impl AsFd, mut file: &File, mut piped: usize) -> Result<(), Broken> {
    let mut block = vec![0; piped];
    while piped > 0 {
        let read = retry_on_intr(|| rustix::io::read(&out, &mut block[..piped]));
        let read = read.map_err(|e| Broken::Disk(e.into()))?;
        if read == 0 {
            return Err(Broken::Disk(io::ErrorKind::UnexpectedEof.into()));
        }
        file.write_all(&block[..read]).map_err(Broken::Disk)?;
        piped -= read;
    }
    Ok(())
}

fn receive_copying(
    conduit: &mut Conduit,
    mut file: &File,
    meter: &Meter,
    room: &mut dyn FnMut(u64) -> Result<(), Broken>,
) -> Result<u64, Broken> {
    receive_blocks(conduit, meter, &mut |block| {
        room(block.len() as u64)?;
        file.write_all(block).map_err(Broken::Disk)
    })
}

/// Fills an empty block from a file.
///
/// # Errors
/// [`Broken::Disk`].
pub fn fill(file: &File, block: &mut Vec<u8>) -> Result<(), Broken> {
    block.reserve(BLOCK);
    retry_on_intr(|| rustix::io::read(file, spare_capacity(block)))
        .map(|_read| ())
        .map_err(|e| Broken::Disk(e.into()))
}

/// After a pull every error is the pull's.
fn settle(broken: Broken, meter: &Meter) -> Broken {
    if meter.brake.is_pulled() {
        Broken::Aborted
    } else {
        broken
    }
}

#[cfg(test)]
mod tests;
