//! The first words of a server, looked at before the session takes the socket over: a 120 is
//! waited out (RFC 959 §5.4), and what is no FTP server is named.

use std::io;

use tokio::net::TcpStream;

use crate::error::RemoteError;

/// The longest greeting line that is looked at.
const LINE: usize = 512;

/// Waits until something other than a 120 has come. The caller limits the time.
pub(super) async fn await_ready(socket: &TcpStream, endpoint: &str) -> Result<(), RemoteError> {
    loop {
        let mut head = [0; 4];
        peek(socket, &mut head)
            .await
            .map_err(|source| RemoteError::Io {
                verb: "greeting".to_owned(),
                source,
            })?;
        if !head[..3].iter().all(u8::is_ascii_digit) {
            let mut said = [0; 80];
            let count = socket.peek(&mut said).await.unwrap_or_default();
            return Err(RemoteError::NotFtp {
                endpoint: endpoint.to_owned(),
                said: shown(&said[..count]),
            });
        }
        if &head[..3] != b"120" {
            return Ok(());
        }
        skip_reply(socket).await?;
    }
}

/// Looks at the next bytes until all four are there.
async fn peek(socket: &TcpStream, head: &mut [u8; 4]) -> io::Result<()> {
    loop {
        match socket.peek(head).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            4 => return Ok(()),
            // Bytes that do not grow must not spin.
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

/// Takes one whole reply off the socket.
async fn skip_reply(socket: &TcpStream) -> Result<(), RemoteError> {
    for _ in 0..100 {
        let line = read_line(socket).await.map_err(|source| RemoteError::Io {
            verb: "greeting".to_owned(),
            source,
        })?;
        if line.starts_with(b"120 ") {
            return Ok(());
        }
    }
    Err(RemoteError::TooLarge {
        verb: "greeting".to_owned(),
        limit: 100,
        unit: "lines",
    })
}

async fn read_line(socket: &TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    // `&TcpStream` has no async read of its own: wait, then try.
    loop {
        socket.readable().await?;
        let mut byte = [0];
        match socket.try_read(&mut byte) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) if byte[0] == b'\n' => return Ok(line),
            Ok(_) if line.len() < LINE => line.push(byte[0]),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the beginning of what was said, for a message.
pub(super) fn shown(said: &[u8]) -> String {
    let line = said
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or_default();
    String::from_utf8_lossy(line)
        .escape_debug()
        .take(80)
        .collect()
}
