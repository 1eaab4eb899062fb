//! Small transfers on the session's own task: no thread is woken for a file that fits into the
//! socket's buffer or comes in one piece.
//!
//! They hand back what is left for [`pump`](super::pump) when the file is not small or
//! the client not quick.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Write},
    net::TcpStream,
    time::Duration,
};

use rustix::fs::sendfile;
use tokio::time::timeout;

use super::{
    fill_segments,
    meter::{Broken, Meter, sending},
};

/// Bytes up to which a transfer counts as small.
pub const SMALL: u64 = 256 << 10;
const BLOCK: usize = 64 << 10;

thread_local! {
    /// One block for each thread of the runtime: sessions keep none while they wait.
    static SHARED_BLOCK: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// How far the sending of a small file came.
#[derive(Debug)]
pub enum Sent {
    /// To the end; so many bytes.
    Whole(u64),
    /// So many bytes; the rest needs a thread.
    Part(u64, TcpStream),
}

/// How far the receiving of a small file came.
#[derive(Debug)]
pub enum Received {
    /// To the end; so many bytes. The socket may close when the client has its reply.
    Whole(u64),
    /// The file is not small; the rest needs a thread.
    Part,
}

/// Sends as much of `file`, which has `size` bytes to send, as the socket takes without waiting.
/// A whole file's end is the close of the socket.
///
/// # Errors
/// [`Broken::Network`].
pub fn send_file(socket: TcpStream, file: &File, size: u64, meter: &Meter) -> Result<Sent, Broken> {
    let mut sent = 0;
    fill_segments(&socket);
    while sent <= SMALL {
        if sent >= size {
            return Ok(Sent::Whole(sent));
        }
        match sendfile(&socket, file, None, BLOCK) {
            Ok(0) => return Ok(Sent::Whole(sent)),
            Ok(moved) => {
                sent += moved as u64;
                meter.count(moved as u64);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INVAL) => break,
            Err(e) => return Err(sending(file, e)),
        }
    }
    Ok(Sent::Part(sent, socket))
}

/// Sends as much of a small block as the socket takes without waiting; returns how much.
///
/// # Errors
/// What the socket says.
pub fn send_block(socket: &mut TcpStream, block: &[u8]) -> io::Result<usize> {
    fill_segments(&*socket);
    socket.write(block)
}

/// Receives into `file` until the client's end of file or until the file is no longer small. `room` is
/// asked before each block whether it may come.
///
/// # Errors
/// [`Broken`]: stalled, aborted, network, disk.
pub async fn receive_file(
    socket: &tokio::net::TcpStream,
    mut file: &File,
    meter: &Meter,
    stalled: Duration,
    room: &(dyn Fn(u64) -> Result<(), Broken> + Sync),
) -> Result<Received, Broken> {
    let mut received = 0;
    while received <= SMALL {
        tokio::select! {
            ready = timeout(stalled, socket.readable()) => match ready {
                Ok(ready) => ready.map_err(Broken::Network)?,
                Err(_) => return Err(Broken::Stalled),
            },
            () = meter.brake.pulled() => return Err(Broken::Aborted),
        }
        let taken = SHARED_BLOCK.with_borrow_mut(|block| {
            block.resize(BLOCK, 0);
            match socket.try_read(block) {
                Ok(0) => Ok(None),
                Ok(read) => {
                    room(read as u64)?;
                    file.write_all(&block[..read]).map_err(Broken::Disk)?;
                    Ok(Some(read))
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Some(0)),
                Err(e) => Err(Broken::Network(e)),
            }
        })?;
        let Some(read) = taken else {
            return Ok(Received::Whole(received));
        };
        received += read as u64;
        meter.count(read as u64);
    }
    Ok(Received::Part)
}
