//! How each row is measured on a running server.

mod login;

use std::{
    fs::{self, File},
    sync::{Arc, Barrier},
    thread,
    time::Instant,
};

use anyhow::{Context, Result};

pub(crate) use login::login;
use login::sessions;

use crate::{
    peers::{Place, Server},
    proc,
    race::{Took, together},
    report::median,
    rows::{Sample, Way},
    scale::Scale,
    share::{remove_uploads, set_uploads_aside, warm},
    wire::Session,
};

const GIB: f64 = (1u64 << 30) as f64;
/// CPU seconds of small files are told for so many.
const PER_FILES: f64 = 10_000.0;
/// Listings of one session; their median counts. One alone is ten milliseconds, a single mishap of
/// the scheduler.
const LISTINGS: usize = 5;
/// How often the small files move in one sample; an upload has a new name each time. Once takes a
/// tenth of a second, and the scheduler has not even settled.
pub(crate) const PASSES: usize = 4;
pub(crate) fn bulk(
    place: &Place,
    server: &Server,
    scale: &Scale,
    way: Way,
    tls: bool,
    streams: usize,
) -> Result<Sample> {
    let open = sessions(server, streams, tls)?;
    let (took, moved) = match way {
        Way::Get => (
            fetch_big(server, open, scale.big)?,
            scale.big * streams as u64,
        ),
        Way::Put => {
            // Four streams share the bytes of one, so that every row moves the same amount.
            let each = scale.big / streams as u64;
            (store_big(place, server, open, each)?, each * streams as u64)
        }
    };
    Ok(Sample {
        value: moved as f64 / 1e6 / took.wall.as_secs_f64(),
        cpu: Some(took.cpu / (moved as f64 / GIB)),
        errors: 0,
    })
}

fn fetch_big(server: &Server, open: Vec<Session>, bytes: u64) -> Result<Took> {
    together(
        server,
        open,
        |_, _| Ok(()),
        || Ok(()),
        |_, session, ()| {
            let got = session.fetch("RETR pub/big", bytes)?;
            // TLS adds 22 bytes to each 16 KiB.
            let most = bytes + bytes / 256;
            anyhow::ensure!((bytes..=most).contains(&got), "{got} bytes of {bytes}");
            Ok(())
        },
    )
}

fn store_big(place: &Place, server: &Server, open: Vec<Session>, each: u64) -> Result<Took> {
    let source = File::open(place.share().join("pub/big"))?;
    let all = each * open.len() as u64;
    let name = |i: usize| format!("pub/in{}/big", i % 8);
    let took = together(
        server,
        open,
        |i, session| session.begin_store(&name(i), &source, each),
        || warm(place, all),
        |_, session, upload| session.finish_store(upload),
    )?;
    for i in 0..8 {
        let stored = place.share().join(name(i));
        if let Ok(meta) = fs::metadata(&stored) {
            anyhow::ensure!(
                meta.len() == each,
                "{}: {} bytes",
                stored.display(),
                meta.len()
            );
        }
    }
    remove_uploads(place)?;
    Ok(took)
}

pub(crate) fn small(
    place: &Place,
    server: &Server,
    scale: &Scale,
    way: Way,
    count: usize,
) -> Result<Sample> {
    let open = sessions(server, count, false)?;
    let source = File::open(place.share().join("pub/big"))?;
    let each = scale.small_files / count;
    let all = each * PASSES;
    let work = |i: usize, session: &mut Session, ()| {
        for n in 0..all {
            match way {
                Way::Get => {
                    session.fetch(&format!("RETR pub/small/f{}", i * each + n % each), 0)?;
                }
                Way::Put => {
                    session.store(&format!("pub/in{i}/f{n}"), &source, scale.small_size as u64)?;
                }
            }
        }
        Ok(())
    };
    let took = together(server, open, |_, _| Ok(()), || Ok(()), work)?;
    set_uploads_aside(place)?;
    let files = (all * count) as f64;
    Ok(Sample {
        value: files / took.wall.as_secs_f64(),
        cpu: Some(took.cpu / files * PER_FILES),
        errors: 0,
    })
}

pub(crate) fn list(server: &Server, scale: &Scale, large: bool) -> Result<Sample> {
    let mut session = Session::open(&server.target, None)?;
    let dir = if large {
        "pub/names-large"
    } else {
        "pub/names"
    };
    session.expect(&format!("CWD {dir}"), &[250])?;
    let least = scale.names[usize::from(large)] as u64 * 30;
    let mut took = Vec::with_capacity(LISTINGS);
    for _ in 0..LISTINGS {
        let begun = Instant::now();
        let bytes = session.fetch("LIST", 0)?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(bytes >= least, "the listing of {dir} is cut: {bytes} bytes");
    }
    session.quit()?;
    let median = median(&took).context("no listing")?;
    Ok(median.into())
}

pub(crate) fn idle(server: &Server, scale: &Scale, tls: bool) -> Result<Sample> {
    // Whatever the first session allocates once for all is not charged to the sessions.
    let first = sessions(server, 1, tls)?;
    let before = proc::pss_kib(server.leader())?;
    let open = sessions(server, scale.idle, tls)?;
    let after = proc::pss_kib(server.leader())?;
    drop((first, open));
    Ok((after.saturating_sub(before) as f64 / scale.idle as f64).into())
}

pub(crate) fn crowd(server: &Server, scale: &Scale) -> Result<Sample> {
    let start = Arc::new(Barrier::new(scale.crowd + 1));
    let threads: Vec<_> = (0..scale.crowd)
        .map(|_| {
            let (start, target) = (Arc::clone(&start), server.target.clone());
            thread::Builder::new().stack_size(256 << 10).spawn(move || {
                start.wait();
                let mut session = Session::open(&target, None)?;
                let got = session.fetch("RETR pub/mib", 1 << 20)?;
                anyhow::ensure!(got == 1 << 20, "{got} bytes of 1 MiB");
                session.quit()
            })
        })
        .collect::<Result<_, _>>()?;
    start.wait();
    let begun = Instant::now();
    let mut errors = 0;
    for thread in threads {
        match thread.join() {
            Ok(Ok(())) => {}
            _ => errors += 1,
        }
    }
    Ok(Sample {
        value: begun.elapsed().as_secs_f64(),
        cpu: None,
        errors,
    })
}

pub(crate) fn noop(server: &Server, scale: &Scale, share: f64) -> Result<Sample> {
    let mut session = Session::open(&server.target, None)?;
    let mut trips = Vec::with_capacity(scale.noops);
    for _ in 0..scale.noops {
        let begun = Instant::now();
        session.expect("NOOP", &[200])?;
        trips.push(begun.elapsed());
    }
    session.quit()?;
    trips.sort_unstable();
    let at = ((trips.len() - 1) as f64 * share) as usize;
    Ok((trips[at].as_secs_f64() * 1e6).into())
}
