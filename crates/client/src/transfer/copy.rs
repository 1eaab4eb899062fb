//! The copy loops. They block: run them on a blocking thread, one per transfer.
//!
//! Without a hash to compute the system moves the bytes (`splice`, `sendfile`), where the
//! connection is plain; otherwise blocks of 256 KiB go through memory.

use std::{
    fs::File,
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::pace::Pace;
use crate::{cancel::Cancel, digest::Digest, remote::Data};

const BLOCK: usize = 256 * 1024;
/// Up to this size a file is one block, and moves without a thread of its own.
pub(super) const SMALL: u64 = BLOCK as u64;

/// What a transfer counts into, waits for and obeys.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    pub(super) cancel: Cancel,
    pub(super) pace: Option<Arc<Pace>>,
    /// Bytes of the file on the other side.
    pub(super) done: Arc<AtomicU64>,
    /// Bytes that were on the other side when the last try of an upload began: those alone are kept,
    /// whatever went into the network after them.
    pub(super) begun: Arc<AtomicU64>,
    /// Bytes that went over the wire in this run.
    pub(super) wire: Arc<AtomicU64>,
}

/// Which side a copy failed on.
#[derive(Debug)]
pub(super) enum CopyError {
    /// The connection.
    Remote(io::Error),
    /// The file, with the verb for the message.
    Local(&'static str, io::Error),
}

impl Flow {
    /// Counts a block and waits as the limit wants.
    fn moved(&self, bytes: u64) -> io::Result<()> {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        self.wire.fetch_add(bytes, Ordering::Relaxed);
        if let Some(pace) = &self.pace {
            self.wait(pace.take(bytes, Instant::now()))?;
        }
        self.check()
    }

    fn check(&self) -> io::Result<()> {
        if self.cancel.is_stopped() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    fn wait(&self, pause: Duration) -> io::Result<()> {
        let until = Instant::now() + pause;
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    fn block(&self) -> usize {
        self.pace.as_ref().map_or(BLOCK, |pace| pace.block())
    }

    /// Tells whether a file of this size moves as one block. A rate limit makes its thread sleep.
    pub(super) fn is_small(&self, size: u64) -> bool {
        size <= SMALL && self.pace.is_none()
    }

    /// Zero-copy calls move up to 1 MiB at once, too coarse for a low limit.
    fn may_splice(&self) -> bool {
        self.pace.is_none()
    }
}

/// Tells the disk's errors from the connection's, where one call touches both: what the network does not
/// say comes from the disk, which may be a network disk (ESTALE, ENOTCONN).
fn is_local(error: &io::Error) -> bool {
    const NETWORK: [Errno; 12] = [
        Errno::PIPE,
        Errno::CONNRESET,
        Errno::CONNABORTED,
        Errno::TIMEDOUT,
        Errno::HOSTUNREACH,
        Errno::HOSTDOWN,
        Errno::NETUNREACH,
        Errno::NETDOWN,
        Errno::NETRESET,
        Errno::SHUTDOWN,
        Errno::NOBUFS,
        Errno::PROTO,
    ];
    // Our own, as of a stop, have no number.
    Errno::from_io_error(error).is_some_and(|errno| !NETWORK.contains(&errno))
}

/// Receives to the end; `limit` is how many bytes may come at most.
pub(super) fn receive(
    data: &mut dyn Data,
    file: &File,
    mut digest: Option<&mut Digest>,
    limit: Option<u64>,
    flow: &Flow,
) -> Result<u64, CopyError> {
    let mut left = limit;
    let mut count = |bytes: u64| {
        left = match left.map(|left| left.checked_sub(bytes)) {
            None => None,
            Some(Some(left)) => Some(left),
            Some(None) => return Err(io::Error::new(io::ErrorKind::InvalidData, TOO_MUCH)),
        };
        flow.moved(bytes)
    };
    if digest.is_none() && flow.may_splice() {
        match data.splice_into(file, &mut count) {
            Some(Ok(total)) => return Ok(total),
            Some(Err(error)) if is_local(&error) => return Err(CopyError::Local("write", error)),
            Some(Err(error)) => return Err(CopyError::Remote(error)),
            None => {}
        }
    }
    let mut block = vec![0; flow.block()];
    let mut total = 0;
    loop {
        let got = or_whole(data.read(&mut block), limit == Some(total))?;
        if got == 0 {
            return Ok(total);
        }
        count(got as u64).map_err(CopyError::Remote)?;
        if let Some(digest) = digest.as_deref_mut() {
            digest.update(&block[..got]);
        }
        let mut file = file;
        file.write_all(&block[..got])
            .map_err(|error| CopyError::Local("write", error))?;
        total += got as u64;
    }
}

/// Takes the end of a data connection that lacks TLS's own (close_notify, RFC 8446 §6.1) for one, as many
/// servers leave it out, once every byte is here that the control connection has told of: then nobody can
/// have cut anything off.
fn or_whole(read: io::Result<usize>, is_whole: bool) -> Result<usize, CopyError> {
    match read {
        Err(error) if is_whole && error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        other => other.map_err(CopyError::Remote),
    }
}

/// Receives a small file of known size to the end.
pub(super) async fn receive_small(
    data: &mut dyn Data,
    mut file: &File,
    digest: Option<&mut Digest>,
    size: u64,
    flow: &Flow,
) -> Result<u64, CopyError> {
    // One byte more than should come, so that the end and too much can be told apart.
    let most = usize::try_from(size).unwrap_or(BLOCK) + 1;
    let mut block = vec![0; most];
    let mut filled = 0;
    while filled < most {
        let received = data.receive(&mut block[filled..]).await;
        match or_whole(received, filled + 1 == most)? {
            0 => break,
            got => filled += got,
        }
    }
    if filled == most {
        let error = io::Error::new(io::ErrorKind::InvalidData, TOO_MUCH);
        return Err(CopyError::Remote(error));
    }
    flow.moved(filled as u64).map_err(CopyError::Remote)?;
    if let Some(digest) = digest {
        digest.update(&block[..filled]);
    }
    file.write_all(&block[..filled])
        .map_err(|error| CopyError::Local("write", error))?;
    Ok(filled as u64)
}

const TOO_MUCH: &str = "more bytes than the server announced";

/// Sends `length` bytes from where the file stands, fewer if it ends before.
pub(super) fn send(
    data: &mut dyn Data,
    file: &File,
    mut digest: Option<&mut Digest>,
    length: u64,
    flow: &Flow,
) -> Result<u64, CopyError> {
    if digest.is_none() && flow.may_splice() {
        match data.splice_from(file, length, &mut |bytes| flow.moved(bytes)) {
            Some(Ok(total)) => return Ok(total),
            Some(Err(error)) if is_local(&error) => return Err(CopyError::Local("read", error)),
            Some(Err(error)) => return Err(CopyError::Remote(error)),
            None => {}
        }
    }
    let mut block = vec![0; flow.block()];
    let mut total = 0;
    let mut source = file.take(length);
    loop {
        let got = match source.read(&mut block) {
            Ok(0) => return Ok(total),
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Local("read", error)),
        };
        if let Some(digest) = digest.as_deref_mut() {
            digest.update(&block[..got]);
        }
        data.write_all(&block[..got]).map_err(CopyError::Remote)?;
        flow.moved(got as u64).map_err(CopyError::Remote)?;
        total += got as u64;
    }
}

/// Sends a small file of `length` bytes, fewer if it ends before.
pub(super) async fn send_small(
    data: &mut dyn Data,
    file: &File,
    digest: Option<&mut Digest>,
    length: u64,
    flow: &Flow,
) -> Result<u64, CopyError> {
    let mut block = Vec::with_capacity(usize::try_from(length).unwrap_or(BLOCK));
    file.take(length)
        .read_to_end(&mut block)
        .map_err(|error| CopyError::Local("read", error))?;
    if let Some(digest) = digest {
        digest.update(&block);
    }
    data.send(&block).await.map_err(CopyError::Remote)?;
    flow.moved(block.len() as u64).map_err(CopyError::Remote)?;
    Ok(block.len() as u64)
}

/// Receives to the end into any writer (standard output); `size` is what the server told.
pub(super) fn receive_stream(
    data: &mut dyn Data,
    sink: &mut dyn Write,
    mut digest: Option<&mut Digest>,
    size: Option<u64>,
    flow: &Flow,
) -> Result<u64, CopyError> {
    let mut block = vec![0; flow.block()];
    let mut total = 0;
    loop {
        let got = or_whole(data.read(&mut block), size == Some(total))?;
        if got == 0 {
            sink.flush()
                .map_err(|error| CopyError::Local("write", error))?;
            return Ok(total);
        }
        flow.moved(got as u64).map_err(CopyError::Remote)?;
        if let Some(digest) = digest.as_deref_mut() {
            digest.update(&block[..got]);
        }
        sink.write_all(&block[..got])
            .map_err(|error| CopyError::Local("write", error))?;
        total += got as u64;
    }
}

/// Sends any reader to its end (standard input). After a stop the end is none: whoever wrote the
/// stream was stopped too.
pub(super) fn send_stream(
    data: &mut dyn Data,
    source: &mut dyn Read,
    mut digest: Option<&mut Digest>,
    flow: &Flow,
) -> Result<u64, CopyError> {
    let mut block = vec![0; flow.block()];
    let mut total = 0;
    loop {
        let got = match source.read(&mut block) {
            Ok(0) => {
                flow.check().map_err(CopyError::Remote)?;
                return Ok(total);
            }
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                flow.check().map_err(CopyError::Remote)?;
                continue;
            }
            Err(error) => return Err(CopyError::Local("read", error)),
        };
        if let Some(digest) = digest.as_deref_mut() {
            digest.update(&block[..got]);
        }
        data.write_all(&block[..got]).map_err(CopyError::Remote)?;
        flow.moved(got as u64).map_err(CopyError::Remote)?;
        total += got as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disks_errors_are_not_the_connections() {
        let of = |errno: Errno| is_local(&io::Error::from(errno));
        for disk in [
            Errno::IO,
            Errno::STALE,
            Errno::NOTCONN,
            Errno::UCLEAN,
            Errno::NOSPC,
        ] {
            assert!(of(disk), "{disk:?}");
        }
        for network in [
            Errno::PIPE,
            Errno::CONNRESET,
            Errno::TIMEDOUT,
            Errno::HOSTUNREACH,
        ] {
            assert!(!of(network), "{network:?}");
        }
        assert!(!is_local(&io::ErrorKind::Interrupted.into()));
        assert!(!is_local(&io::Error::new(
            io::ErrorKind::InvalidData,
            TOO_MUCH
        )));
    }
}
