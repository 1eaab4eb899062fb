//! The rows of the server's table: what is measured, in which unit, and which way is better.

use std::{
    fs::{self, File},
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};

use crate::{
    peers::{Kind, Place, Server},
    proc,
    scale::Scale,
    tls,
    wire::Session,
};

const GIB: f64 = (1u64 << 30) as f64;
/// A server that is slow to hash passwords is slow in every second of it.
const LOGIN_TIME: Duration = Duration::from_secs(4);
/// How often a login with libunftp's engine over TLS is tried again; on some machines every second
/// one fails.
const LIBUNFTP_TRIES: u32 = 100;

/// Which way bytes move, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// RETR.
    Get,
    /// STOR.
    Put,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// One big file a stream.
    Bulk {
        /// RETR or STOR.
        way: Way,
        /// Over TLS.
        tls: bool,
        /// Sessions at once.
        streams: usize,
    },
    /// Many small files.
    Small {
        /// RETR or STOR.
        way: Way,
        /// Sessions at once.
        sessions: usize,
    },
    /// Connect, USER, PASS, QUIT.
    Login {
        /// Over TLS.
        tls: bool,
    },
    /// A directory of many names, listed whole.
    List {
        /// Which of the two sizes.
        large: bool,
    },
    /// Memory of an idle logged-in session.
    Idle {
        /// Over TLS.
        tls: bool,
    },
    /// Many sessions that download 1 MiB at once.
    Crowd,
    /// The middle NOOP round trip.
    NoopMiddle,
    /// The 99th of 100 NOOP round trips.
    NoopTail,
    /// From start to greeting.
    Ready,
}

/// What one measurement gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// In the row's unit.
    pub(crate) value: f64,
    /// Server CPU seconds per GiB, where bytes move.
    pub(crate) cpu: Option<f64>,
    /// Sessions that failed.
    pub(crate) errors: usize,
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        Self {
            value,
            cpu: None,
            errors: 0,
        }
    }
}

impl Row {
    /// Every row, in the order of the table.
    pub(crate) fn all() -> Vec<Self> {
        let mut rows = Vec::new();
        for tls in [false, true] {
            for way in [Way::Get, Way::Put] {
                for streams in [1, 4] {
                    rows.push(Self::Bulk { way, tls, streams });
                }
            }
        }
        for sessions in [1, 8] {
            for way in [Way::Get, Way::Put] {
                rows.push(Self::Small { way, sessions });
            }
        }
        rows.extend([Self::Login { tls: false }, Self::Login { tls: true }]);
        rows.extend([Self::List { large: false }, Self::List { large: true }]);
        rows.extend([Self::Idle { tls: false }, Self::Idle { tls: true }]);
        rows.extend([Self::Crowd, Self::NoopMiddle, Self::NoopTail, Self::Ready]);
        rows
    }

    /// The row's name, as `--only` takes it.
    pub(crate) fn name(self) -> String {
        let way = |way| if way == Way::Get { "retr" } else { "stor" };
        let kind = |tls| if tls { "tls" } else { "plain" };
        match self {
            Self::Bulk {
                way: w,
                tls,
                streams,
            } => format!("{}-{}-{streams}", way(w), kind(tls)),
            Self::Small { way: w, sessions } => format!("small-{}-{sessions}", way(w)),
            Self::Login { tls } => format!("login-{}", kind(tls)),
            Self::List { large: false } => "list".to_owned(),
            Self::List { large: true } => "list-large".to_owned(),
            Self::Idle { tls } => format!("idle-{}", kind(tls)),
            Self::Crowd => "crowd".to_owned(),
            Self::NoopMiddle => "noop-p50".to_owned(),
            Self::NoopTail => "noop-p99".to_owned(),
            Self::Ready => "ready".to_owned(),
        }
    }

    /// The unit of its values.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Bulk { .. } => "MB/s",
            Self::Small { .. } => "files/s",
            Self::Login { .. } => "logins/s",
            Self::List { .. } | Self::Ready => "ms",
            Self::Idle { .. } => "KiB/session",
            Self::Crowd => "s",
            Self::NoopMiddle | Self::NoopTail => "us",
        }
    }

    /// Whether a greater value is the better one.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(
            self,
            Self::Bulk { .. } | Self::Small { .. } | Self::Login { .. }
        )
    }

    /// Whether one round tells all: memory does not spread.
    pub(crate) fn is_steady(self) -> bool {
        matches!(self, Self::Idle { .. })
    }

    /// Measures the row once on a running server.
    pub(crate) fn measure(self, place: &Place, server: &Server, scale: &Scale) -> Result<Sample> {
        match self {
            Self::Bulk { way, tls, streams } => bulk(place, server, scale, way, tls, streams),
            Self::Small { way, sessions } => small(place, server, scale, way, sessions),
            Self::Login { tls } => login(server, scale, tls),
            Self::List { large } => list(server, scale, large),
            Self::Idle { tls } => idle(server, scale, tls),
            Self::Crowd => crowd(server, scale),
            Self::NoopMiddle => noop(server, scale, 0.5),
            Self::NoopTail => noop(server, scale, 0.99),
            Self::Ready => Ok((server.ready_after.as_secs_f64() * 1e3).into()),
        }
    }
}

/// Makes the share of a run: the files that the rows fetch, below `pub`.
pub(crate) fn make_share(share: &Path, scale: &Scale) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let public = share.join("pub");
    fs::create_dir_all(&public)?;
    fs::set_permissions(share, fs::Permissions::from_mode(0o755))?;
    fs::set_permissions(&public, fs::Permissions::from_mode(0o777))?;
    fill(&public.join("big"), scale.big)?;
    fill(&public.join("mib"), 1 << 20)?;
    let small = public.join("small");
    fs::create_dir_all(&small)?;
    for i in 0..scale.small_files {
        fs::write(small.join(format!("f{i}")), vec![b'x'; scale.small_size])?;
    }
    for (dir, names) in ["names", "names-large"].iter().zip(scale.names) {
        let dir = public.join(dir);
        fs::create_dir_all(&dir)?;
        for i in 0..names {
            File::create(dir.join(format!("a file with a number {i:06}.txt")))?;
        }
    }
    for i in 0..8 {
        let dir = public.join(format!("in{i}"));
        fs::create_dir_all(&dir)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777))?;
    }
    Ok(())
}

fn fill(path: &Path, bytes: u64) -> Result<()> {
    use std::io::Write as _;
    let mut block = vec![0u8; 1 << 20];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    for byte in &mut block {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
    let mut file = File::create(path)?;
    for _ in 0..bytes >> 20 {
        file.write_all(&block)?;
    }
    Ok(())
}

fn sessions(server: &Server, count: usize, tls: bool) -> Result<Vec<Session>> {
    (0..count).map(|_| login_then(server, tls, Ok)).collect()
}

/// Logs in and does `next`. libunftp's engine loses the race after `AUTH TLS` now and then
/// (docs/engines.md): there, and only there, what failed is tried again.
fn login_then<T>(server: &Server, tls: bool, next: impl Fn(Session) -> Result<T>) -> Result<T> {
    let once = || {
        let config = if tls { Some(tls::client()?) } else { None };
        Session::open(&server.target, config).and_then(&next)
    };
    let races = tls && server.kind == Kind::FtpdLibunftp;
    let tries = if races { LIBUNFTP_TRIES } else { 0 };
    (0..tries).find_map(|_| once().ok()).map_or_else(once, Ok)
}

/// What a round of all sessions took.
struct Took {
    wall: Duration,
    /// Server CPU seconds.
    cpu: f64,
}

/// Runs `prepare` on every session, then `last` once, then `work` on all of them at the same
/// moment; the time of `work` is returned. The sessions are still open when the CPU time is read.
fn together<P>(
    server: &Server,
    sessions: Vec<Session>,
    prepare: impl Fn(usize, &mut Session) -> Result<P> + Sync,
    last: impl FnOnce() -> Result<()>,
    work: impl Fn(usize, &mut Session, P) -> Result<()> + Sync,
) -> Result<Took> {
    let (ready, start) = (
        Barrier::new(sessions.len() + 1),
        Barrier::new(sessions.len() + 1),
    );
    thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .into_iter()
            .enumerate()
            .map(|(i, mut session)| {
                let (ready, start, prepare, work) = (&ready, &start, &prepare, &work);
                scope.spawn(move || {
                    let prepared = prepare(i, &mut session);
                    ready.wait();
                    start.wait();
                    prepared
                        .and_then(|prepared| work(i, &mut session, prepared))
                        .map(|()| session)
                })
            })
            .collect();
        ready.wait();
        let last = last();
        let before = proc::cpu_seconds(server.leader());
        start.wait();
        let begun = Instant::now();
        let done: Vec<Result<Session>> = threads
            .into_iter()
            .map(|t| {
                t.join()
                    .unwrap_or_else(|_| Err(anyhow!("a session's thread panicked")))
            })
            .collect();
        let wall = begun.elapsed();
        let cpu = proc::cpu_seconds(server.leader()) - before;
        last?;
        done.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Took { wall, cpu })
    })
}

fn bulk(
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
            let got = session.fetch("RETR pub/big")?;
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

/// Writes as much as will be stored and removes it: on a virtual machine whoever first writes to a
/// piece of memory waits for the host, which would be the first server's bad luck.
fn warm(place: &Place, bytes: u64) -> Result<()> {
    let path = place.share().join("pub/in0/warm");
    fill(&path, bytes)?;
    Ok(fs::remove_file(path)?)
}

fn remove_uploads(place: &Place) -> Result<()> {
    for i in 0..8 {
        let dir = place.share().join(format!("pub/in{i}"));
        for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
            fs::remove_file(entry?.path())?;
        }
    }
    Ok(())
}

fn small(place: &Place, server: &Server, scale: &Scale, way: Way, count: usize) -> Result<Sample> {
    let open = sessions(server, count, false)?;
    let source = File::open(place.share().join("pub/big"))?;
    let each = scale.small_files / count;
    let work = |i: usize, session: &mut Session, ()| {
        for n in 0..each {
            match way {
                Way::Get => {
                    session.fetch(&format!("RETR pub/small/f{}", i * each + n))?;
                }
                Way::Put => {
                    session.store(&format!("pub/in{i}/f{n}"), &source, scale.small_size as u64)?;
                }
            }
        }
        Ok(())
    };
    let took = together(server, open, |_, _| Ok(()), || Ok(()), work)?;
    remove_uploads(place)?;
    Ok(((each * count) as f64 / took.wall.as_secs_f64()).into())
}

fn login(server: &Server, scale: &Scale, tls: bool) -> Result<Sample> {
    // The first login pays for what the server keeps of a known user.
    Session::open(&server.target, None)?.quit()?;
    let begun = Instant::now();
    let mut done = 0;
    while done < scale.logins && begun.elapsed() < LOGIN_TIME {
        login_then(server, tls, Session::quit).with_context(|| format!("login {done}"))?;
        done += 1;
    }
    Ok((done as f64 / begun.elapsed().as_secs_f64()).into())
}

fn list(server: &Server, scale: &Scale, large: bool) -> Result<Sample> {
    let mut session = Session::open(&server.target, None)?;
    let dir = if large {
        "pub/names-large"
    } else {
        "pub/names"
    };
    session.expect(&format!("CWD {dir}"), &[250])?;
    let begun = Instant::now();
    let bytes = session.fetch("LIST")?;
    let took = begun.elapsed();
    let least = scale.names[usize::from(large)] as u64 * 30;
    anyhow::ensure!(bytes >= least, "the listing of {dir} is cut: {bytes} bytes");
    session.quit()?;
    Ok((took.as_secs_f64() * 1e3).into())
}

fn idle(server: &Server, scale: &Scale, tls: bool) -> Result<Sample> {
    // Whatever the first session allocates once for all is not charged to the sessions.
    let first = sessions(server, 1, tls)?;
    let before = proc::pss_kib(server.leader())?;
    let open = sessions(server, scale.idle, tls)?;
    let after = proc::pss_kib(server.leader())?;
    drop((first, open));
    Ok((after.saturating_sub(before) as f64 / scale.idle as f64).into())
}

fn crowd(server: &Server, scale: &Scale) -> Result<Sample> {
    let start = Arc::new(Barrier::new(scale.crowd + 1));
    let threads: Vec<_> = (0..scale.crowd)
        .map(|_| {
            let (start, target) = (Arc::clone(&start), server.target.clone());
            thread::Builder::new().stack_size(256 << 10).spawn(move || {
                start.wait();
                let mut session = Session::open(&target, None)?;
                let got = session.fetch("RETR pub/mib")?;
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

fn noop(server: &Server, scale: &Scale, share: f64) -> Result<Sample> {
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
