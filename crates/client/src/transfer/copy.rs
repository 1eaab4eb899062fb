//! The copy loops. They block: run them on a blocking thread, one per transfer.
//!
//! Without a hash to compute the system moves the bytes (`splice`, `sendfile`), where the
//! connection is plain; otherwise blocks of 256 KiB go through memory.

use std::{
    fs::File,
    io::{self, Read, Write},
};

use super::{
    ahead::Ahead,
    behind::Behind,
    fault::CopyError,
    flow::{BLOCK, Flow},
};
use crate::{digest::Digest, remote::Data};

pub(super) const TOO_MUCH: &str = "more bytes than the server announced";

/// Receives to the end; `limit` is how many bytes may come at most.
pub(super) fn receive(
    data: &mut dyn Data,
    file: &File,
    mut digest: Option<&mut Digest>,
    limit: Option<u64>,
    flow: &Flow,
) -> Result<u64, CopyError> {
    let mut left = limit;
    let mut ahead = Ahead::new(file, limit);
    let mut behind = Behind::new(file, limit);
    let mut count = |bytes: u64| {
        take_off(&mut left, bytes)?;
        ahead.reach(bytes);
        behind.reach(bytes);
        flow.moved(bytes)
    };
    if digest.is_none()
        && flow.may_splice()
        && let Some(moved) = data.splice_into(file, &mut count)
    {
        return moved.map_err(|error| CopyError::of_both(error, "write"));
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
        { file }
            .write_all(&block[..got])
            .map_err(|error| CopyError::Local("write", error))?;
        total += got as u64;
    }
}

/// Counts down how many bytes may still come.
fn take_off(left: &mut Option<u64>, bytes: u64) -> io::Result<()> {
    if let Some(left) = left {
        let too_much = || io::Error::new(io::ErrorKind::InvalidData, TOO_MUCH);
        *left = left.checked_sub(bytes).ok_or_else(too_much)?;
    }
    Ok(())
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

/// Sends `length` bytes from where the file stands, fewer if it ends before.
pub(super) fn send(
    data: &mut dyn Data,
    file: &File,
    mut digest: Option<&mut Digest>,
    length: u64,
    flow: &Flow,
) -> Result<u64, CopyError> {
    if digest.is_none()
        && flow.may_splice()
        && let Some(moved) = data.splice_from(file, length, &mut |bytes| flow.moved(bytes))
    {
        return moved.map_err(|error| CopyError::of_both(error, "read"));
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
