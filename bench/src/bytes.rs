//! How the generator moves bytes at the least cost: downloads are thrown away in the kernel
//! (`MSG_TRUNC`), over TLS without being decrypted; uploads come from a page-cached file by `sendfile`,
//! over TLS from memory, encrypted before the clock starts.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    os::fd::AsFd,
};

use anyhow::{Result, ensure};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    net::RecvFlags,
};
use rustls::{ClientConnection, StreamOwned};

use crate::stream::BLOCK;

/// Lets the generator send as fast as the processor can: a system that paces by timers (BBR) would hold its uploads
/// back, and a bare loop's downloads.
pub(crate) fn unpaced(socket: impl AsFd) -> rustix::io::Result<()> {
    rustix::net::sockopt::set_tcp_congestion(socket, "reno")
}

/// Reads a plain connection to its end without copying the bytes to user space.
pub(crate) fn discard_plain(data: &TcpStream, block: &mut [u8]) -> Result<u64> {
    let mut total = 0;
    loop {
        let (_, n) = rustix::net::recv(data, &mut *block, RecvFlags::TRUNC | RecvFlags::WAITALL)?;
        total += n as u64;
        if n < block.len() {
            return Ok(total);
        }
    }
}

/// Reads a TLS connection to its end without decrypting it, and says goodbye.
///
/// vsftpd has said its own goodbye then, unseen here, and waits for ours before it closes: when all
/// that should come is there and no more follows, it is said.
pub(crate) fn discard_tls(
    mut data: StreamOwned<ClientConnection, TcpStream>,
    block: &mut [u8],
    least: u64,
) -> Result<u64> {
    let mut total = 0;
    let mut said = false;
    loop {
        if !said && total >= least && is_silent(&data.sock)? {
            data.conn.send_close_notify();
            // The server may have closed its side already; the bytes are all here.
            let _ = data.flush();
            said = true;
        }
        let (_, n) = rustix::net::recv(&data.sock, &mut *block, RecvFlags::TRUNC)?;
        if n == 0 {
            return Ok(total);
        }
        total += n as u64;
    }
}

fn is_silent(data: &TcpStream) -> Result<bool> {
    let mut fds = [PollFd::new(data, PollFlags::IN)];
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: 5_000_000,
    };
    Ok(rustix::event::poll(&mut fds, Some(&moment))? == 0)
}

/// Sends the first `bytes` of `source` by `sendfile`.
pub(crate) fn send_plain(data: &TcpStream, source: &File, bytes: u64) -> Result<()> {
    let mut offset = 0;
    while offset < bytes {
        let want = (bytes - offset).min(1 << 30) as usize;
        let n = rustix::fs::sendfile(data, source, Some(&mut offset), want)?;
        ensure!(n > 0, "the source is shorter than {bytes} bytes");
    }
    Ok(())
}

/// Encrypts the first `bytes` of `source`, and the goodbye, as the connection would send them.
pub(crate) fn encrypt(
    data: StreamOwned<ClientConnection, TcpStream>,
    source: &File,
    bytes: u64,
) -> Result<(TcpStream, Vec<u8>)> {
    let StreamOwned {
        conn: mut connection,
        sock: data,
        ..
    } = data;
    let mut source = source.try_clone()?;
    io::Seek::rewind(&mut source)?;
    let mut block = vec![0; BLOCK / 4];
    let mut encrypted = Vec::with_capacity(usize::try_from(bytes + bytes / 256)? + BLOCK);
    let mut left = bytes;
    while left > 0 {
        let want = left.min(block.len() as u64) as usize;
        source.read_exact(&mut block[..want])?;
        connection.writer().write_all(&block[..want])?;
        left -= want as u64;
        while connection.wants_write() {
            connection.write_tls(&mut encrypted)?;
        }
    }
    connection.send_close_notify();
    while connection.wants_write() {
        connection.write_tls(&mut encrypted)?;
    }
    Ok((data, encrypted))
}
