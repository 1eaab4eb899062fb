//! Where native sessions run: threads with an event loop of their own, one for each processor, and some at least.
//!
//! A session's commands follow each other; moving it between the threads of a shared scheduler
//! costs more than most commands do. So a session is given to the station with the fewest sessions
//! and stays there. Blocking work goes to the station's own pool of threads.

use std::{
    future::Future,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use tokio::runtime::{Builder, Handle};
use tracing::{Instrument, Span, error};

use crate::{data::spare, vigil};

/// Threads for transfers and other work that blocks, a station; made when needed, gone when idle.
const MOST_THREADS: usize = 4096;
const THREAD_STACK: usize = 512 << 10;
/// On a machine with fewer processors there are so many stations all the same, so that a handful of busy clients
/// have one each. The system then takes a client on this machine to the processor of its station; where two or more
/// share a station it often leaves them on another one, and each reply wakes a processor.
const FEWEST: usize = 8;

static STATIONS: LazyLock<Vec<Station>> = LazyLock::new(|| {
    let count = thread::available_parallelism().map_or(1, usize::from);
    (0..count.max(FEWEST))
        .filter_map(|_| Station::open())
        .collect()
});

#[derive(Debug)]
struct Station {
    handle: Handle,
    sessions: AtomicUsize,
}

/// A place at a station, given back on drop.
struct Place(&'static Station);

/// Runs a session at a station and waits for its end. `begin` is called there, so that its sockets
/// belong to the station's event loop.
pub(super) async fn run<B, F>(begin: B)
where
    B: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let least = STATIONS
        .iter()
        .min_by_key(|station| station.sessions.load(Ordering::Relaxed));
    // The system gave no thread at the start: everybody stays where they were accepted.
    let Some(station) = least else {
        return begin().await;
    };
    station.sessions.fetch_add(1, Ordering::Relaxed);
    let place = Place(station);
    let session = async move {
        begin().await;
        drop(place);
    };
    let ended = station.handle.spawn(session.instrument(Span::current()));
    if let Err(error) = ended.await {
        error!(%error, "a session ended by a fault of the server");
    }
}

impl Station {
    fn open() -> Option<Self> {
        let (sender, receiver) = mpsc::channel();
        let life = move || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(MOST_THREADS)
                .thread_stack_size(THREAD_STACK)
                .thread_name("ftpd-work")
                .build();
            if let Ok(runtime) = runtime {
                // Whoever opened the station waits for this.
                let _ = sender.send(runtime.handle().clone());
                runtime.block_on(vigil::keep(spare::close));
            }
        };
        let started = thread::Builder::new()
            .name("ftpd-station".to_owned())
            .spawn(life);
        started.ok()?;
        Some(Self {
            handle: receiver.recv().ok()?,
            sessions: AtomicUsize::new(0),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}
