//! Reads a stream as far as it has come: TLS has records of 16 KiB, and a block is many of them.

use std::{future::poll_fn, io, pin::Pin, task::Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// Fills as much of the buffer as is there, at least one byte: TLS records are 16 KiB, and
/// one change of threads for each would cost more than their decryption.
pub(super) async fn fill(
    stream: &mut (impl AsyncRead + Unpin),
    later: &mut Option<io::Error>,
    buffer: &mut [u8],
) -> io::Result<usize> {
    if let Some(error) = later.take() {
        return Err(error);
    }
    let mut filled = ReadBuf::new(buffer);
    poll_fn(|context| {
        loop {
            let before = filled.filled().len();
            match Pin::new(&mut *stream).poll_read(context, &mut filled) {
                Poll::Ready(Ok(())) if filled.filled().len() == before => break,
                Poll::Ready(Ok(())) if filled.remaining() == 0 => break,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) if before == 0 => return Poll::Ready(Err(error)),
                Poll::Ready(Err(error)) => {
                    *later = Some(error);
                    break;
                }
                Poll::Pending if before == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(filled.filled().len()))
    })
    .await
}
