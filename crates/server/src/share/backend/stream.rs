//! Bytes between libunftp's streams and the disk, counted and held to their rates.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    time::Instant,
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use unftp_core::storage::{self, Error, ErrorKind};

use super::words::refused;
use crate::{
    hands,
    share::{ShareError, Upload, throttle::Throttle},
    status::Moving,
};

/// Bytes that cross between the runtime and the disk at a time.
const BLOCK: usize = 256 << 10;

/// One transfer's row in the live table and its limits.
pub(super) struct Meter {
    pub(super) moving: Moving,
    pub(super) throttle: Throttle,
}

impl Meter {
    /// Gives the block the size that the limits want now.
    fn size(&self, block: &mut Vec<u8>) {
        block.resize(self.throttle.block_bytes().unwrap_or(BLOCK).min(BLOCK), 0);
    }

    async fn moved(&self, bytes: usize) {
        let bytes = bytes as u64;
        self.moving.add(bytes);
        let wait = self.throttle.charge(bytes, Instant::now());
        while let Some(step) = wait.step(Instant::now()) {
            tokio::time::sleep(step).await;
        }
    }
}

/// Sends a file from where it stands to its end; returns how many bytes that were.
pub(super) async fn send<W>(mut file: File, output: &mut W, meter: &Meter) -> storage::Result<u64>
where
    W: AsyncWrite + Unpin + ?Sized,
{
    let (mut block, mut total) = (Vec::new(), 0);
    loop {
        meter.size(&mut block);
        let read;
        (file, block, read) = hands::run(move |_| {
            let read = file.read(&mut block);
            (file, block, read)
        })
        .await;
        let n = read.map_err(|error| Error::new(ErrorKind::LocalError, error))?;
        if n == 0 {
            break;
        }
        output.write_all(&block[..n]).await.map_err(closed)?;
        total += n as u64;
        meter.moved(n).await;
    }
    output.flush().await.map_err(closed)?;
    Ok(total)
}

/// Receives a file to its end; returns how many bytes came. What the disk refuses is discarded.
pub(super) async fn receive<R: AsyncRead + Unpin>(
    mut upload: Upload,
    input: &mut R,
    meter: &Meter,
) -> storage::Result<(Upload, u64)> {
    let (mut block, mut total) = (Vec::new(), 0);
    loop {
        meter.size(&mut block);
        let n = read_block(input, &mut block).await.map_err(closed)?;
        if n == 0 {
            return Ok((upload, total));
        }
        let written;
        (upload, block, written) = hands::run(move |_| {
            let written = upload.ensure_room(n as u64).and_then(|()| {
                let io = |error| ShareError::from_io(upload.path(), error);
                upload.file().write_all(&block[..n]).map_err(io)
            });
            (upload, block, written)
        })
        .await;
        if let Err(error) = written {
            hands::run(move |_| upload.discard()).await;
            return Err(refused(error));
        }
        total += n as u64;
        meter.moved(n).await;
    }
}

fn closed(error: io::Error) -> Error {
    Error::new(ErrorKind::ConnectionClosed, error)
}

/// Fills the block as far as the client sends, so that the disk sees large writes.
async fn read_block<R: AsyncRead + Unpin>(input: &mut R, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match input.read(&mut block[filled..]).await? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
