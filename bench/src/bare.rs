//! A bare server of small files: what FTP and the kernel cost when nothing else is done. No server of
//! the run with a thread or a process for each session can be faster.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow};

use crate::{
    measure::PASSES,
    rows::Way,
    scale::Scale,
    wire::{Session, Target},
};

const BLOCK: usize = 64 << 10;

/// Files/s of small files against a server that looks at nothing: one thread a session, a new port
/// and a file for each transfer, no names, no rights, no checks. What is left is what FTP and the
/// kernel cost.
pub(crate) fn limit(dir: &Path, scale: &Scale, way: Way, count: usize) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let target = Target {
        addr: listener.local_addr()?,
        user: "bench".to_owned(),
        password: "bench".to_owned(),
    };
    let from = dir.join("pub/small/f0");
    let source = File::open(dir.join("pub/big"))?;
    let each = scale.small_files / count * PASSES;
    thread::scope(|scope| {
        let mut sessions = Vec::new();
        for i in 0..count {
            let into = dir.join(format!("pub/in{i}/bare"));
            let (listener, from) = (&listener, &from);
            let server = scope.spawn(move || serve(listener, from, &into));
            sessions.push((Session::open(&target, None)?, server));
        }
        let begun = Instant::now();
        let clients: Vec<_> = sessions
            .into_iter()
            .map(|(session, server)| {
                let source = &source;
                let work = move || move_files(session, way, each, source, scale);
                (scope.spawn(work), server)
            })
            .collect();
        for (client, server) in clients {
            let panicked = |_| anyhow!("a thread of the bare server panicked");
            client.join().map_err(panicked)??;
            server.join().map_err(panicked)??;
        }
        Ok((each * count) as f64 / begun.elapsed().as_secs_f64())
    })
}

fn move_files(
    mut session: Session,
    way: Way,
    count: usize,
    source: &File,
    scale: &Scale,
) -> Result<()> {
    for _ in 0..count {
        match way {
            Way::Get => drop(session.fetch("RETR f", 0)?),
            Way::Put => session.store("f", source, scale.small_size as u64)?,
        }
    }
    session.quit()
}

fn serve(listener: &TcpListener, from: &Path, into: &Path) -> Result<()> {
    let (control, _) = listener.accept()?;
    control.set_nodelay(true)?;
    let mut lines = BufReader::with_capacity(1024, &control);
    let mut passive = None;
    // Where the servers of the run have theirs. The system's search for a free one is slow once
    // thousands of connections linger.
    let mut port = control.peer_addr()?.port() % 1000 * 10 + 20_000;
    let mut block = vec![0; BLOCK];
    let say = |text: &str| (&control).write_all(text.as_bytes());
    say("220 bare\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let accept = || -> Result<TcpStream> {
            let listener: &TcpListener = passive.as_ref().context("no EPSV")?;
            Ok(listener.accept()?.0)
        };
        match line.get(..4) {
            Some("EPSV") => {
                let fresh = (0..1000).find_map(|_| {
                    port = if port < 29_999 { port + 1 } else { 20_000 };
                    TcpListener::bind(("127.0.0.1", port)).ok()
                });
                passive = Some(fresh.context("no free port")?);
                say(&format!("229 bare (|||{port}|)\r\n"))?;
            }
            Some("RETR") => {
                send(accept()?, from, &mut block)?;
                say("150 bare\r\n226 bare\r\n")?;
            }
            Some("STOR") => {
                say("150 bare\r\n")?;
                let (data, file) = (accept()?, File::create(into)?);
                receive(&data, &file, &mut block)?;
                say("226 bare\r\n")?;
            }
            Some("QUIT") => return Ok(say("221 bare\r\n")?),
            Some("USER") => say("230 bare\r\n")?,
            _ => say("200 bare\r\n")?,
        }
    }
}

/// Sends a file of at most one block; the connection ends behind it.
fn send(mut data: TcpStream, from: &Path, block: &mut [u8]) -> Result<()> {
    let read = File::open(from)?.read(block)?;
    Ok(data.write_all(&block[..read])?)
}

/// Receives a file to the client's end; whoever closes the connection does so behind the reply.
fn receive(mut data: &TcpStream, mut file: &File, block: &mut [u8]) -> Result<()> {
    loop {
        match data.read(block)? {
            0 => return Ok(()),
            read => file.write_all(&block[..read])?,
        }
    }
}
