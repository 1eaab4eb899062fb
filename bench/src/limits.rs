//! The generator's own limit: how fast it goes against a sender and a sink that do nothing else.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    thread::{self, JoinHandle},
    time::Instant,
};

use anyhow::{Result, anyhow};

use crate::{bytes, proc, report::median};

const GIB: f64 = (1u64 << 30) as f64;
const BLOCK: usize = 1 << 20;

/// Speed and CPU of a bare loop at the server's place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// MB/s.
    pub(crate) speed: f64,
    /// CPU seconds per GiB of the loop's thread.
    pub(crate) cpu: f64,
}

/// Measures both so many times and returns the medians in words.
pub(crate) fn told(file: &Path, rounds: usize) -> Result<String> {
    let (mut sends, mut sinks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        sends.push(sender(file)?);
        sinks.push(sink(file)?);
    }
    let (send, sink) = (middle(&sends), middle(&sinks));
    Ok(format!(
        "\nThe generator's own limit: download from a bare `sendfile` loop {:.0} MB/s \
         ({:.3} CPU s/GiB in the loop), upload into a bare sink {:.0} MB/s ({:.3}).\n",
        send.speed, send.cpu, sink.speed, sink.cpu
    ))
}

fn middle(all: &[Limit]) -> Limit {
    let of = |what: fn(&Limit) -> f64| {
        let values: Vec<f64> = all.iter().map(what).collect();
        median(&values).unwrap_or_default()
    };
    Limit {
        speed: of(|limit| limit.speed),
        cpu: of(|limit| limit.cpu),
    }
}

/// Serves one connection on a thread, whose CPU seconds it tells in the end.
fn serve_one(
    work: impl FnOnce(&TcpStream) -> Result<()> + Send + 'static,
) -> Result<(SocketAddr, JoinHandle<Result<f64>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    bytes::unpaced(&listener)?;
    let addr = listener.local_addr()?;
    let server = thread::spawn(move || {
        let (data, _) = listener.accept()?;
        let before = proc::thread_cpu();
        work(&data)?;
        Ok((proc::thread_cpu() - before).as_secs_f64())
    });
    Ok((addr, server))
}

/// A bare `sendfile` loop sends `file` to the generator's download.
pub(crate) fn sender(file: &Path) -> Result<Limit> {
    let source = File::open(file)?;
    let bytes = source.metadata()?.len();
    let (addr, server) = serve_one(move |data| {
        // Segments go out full, as at every server that is quick here.
        rustix::net::sockopt::set_tcp_cork(data, true)?;
        bytes::send_plain(data, &source, bytes)
    })?;
    let begun = Instant::now();
    let got = bytes::discard_plain(&TcpStream::connect(addr)?, &mut vec![0; BLOCK])?;
    finish(server, begun, got)
}

/// The generator's upload goes into a sink that throws the bytes away.
pub(crate) fn sink(file: &Path) -> Result<Limit> {
    let source = File::open(file)?;
    let bytes = source.metadata()?.len();
    let discard = |data: &TcpStream| bytes::discard_plain(data, &mut vec![0; BLOCK]).map(drop);
    let (addr, server) = serve_one(discard)?;
    let begun = Instant::now();
    let data = TcpStream::connect(addr)?;
    bytes::unpaced(&data)?;
    bytes::send_plain(&data, &source, bytes)?;
    drop(data);
    finish(server, begun, bytes)
}

fn finish(server: thread::JoinHandle<Result<f64>>, begun: Instant, bytes: u64) -> Result<Limit> {
    let cpu = server
        .join()
        .map_err(|_| anyhow!("the loop's thread panicked"))??;
    let took = begun.elapsed().as_secs_f64();
    Ok(Limit {
        speed: bytes as f64 / 1e6 / took,
        cpu: cpu / (bytes as f64 / GIB),
    })
}
