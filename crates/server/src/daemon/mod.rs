//! The life of the server: bound, ready, serving, reloading, stopping.
//!
//! The only `select!` over everything that can happen to the process. `commands::run` and
//! `commands::share` start it; what a client says never gets here.

mod doors;
mod running;
mod start;
mod upkeep;

use std::{net::SocketAddr, sync::Arc, time::Instant};

use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::{
    announce::Announcement,
    auth::Guard,
    desk::FrontDesk,
    error::Error,
    listen::Porch,
    reload::{History, Reloader},
    shutdown::Life,
    signals::{Signals, Word},
    snapshot::{Holder, Snapshot},
    supervisor,
    watch::FileWatch,
};

pub use self::start::Start;
use self::{
    doors::{open_doors, open_metrics, open_status_socket},
    running::Running,
    start::{begin_announcement, begin_watch, files_read, first_registry, first_snapshot},
    upkeep::begin_upkeep,
};

/// A server that accepts connections.
#[derive(Debug)]
pub struct Daemon {
    life: Life,
    holder: Holder,
    reloader: Arc<Reloader>,
    signals: Signals,
    watch: Option<FileWatch>,
    reload_asked: mpsc::Receiver<()>,
    announcement: Option<Announcement>,
    addresses: Vec<SocketAddr>,
}

impl Daemon {
    /// Builds everything and begins to accept; `None`: it was told to stop before that. What the share's disk holds up
    /// may go on then.
    ///
    /// # Errors
    /// [`Error`] when the share, the certificate or a socket cannot be used.
    pub async fn start(start: Start) -> Result<Option<Self>, Error> {
        let mut signals = Signals::new().map_err(Error::system("take signals over"))?;
        let began_with = Arc::new(start.config);
        let holder = tokio::select! {
            holder = first_snapshot(began_with.as_ref().clone()) => holder?,
            () = signals.stop() => {
                info!("stopped before the start had ended");
                return Ok(None);
            }
        };
        let registry = first_registry(&began_with);
        let guard = Arc::new(Guard::new(registry.clone())?);
        let life = Life::default();
        let porch = Porch {
            holder: holder.clone(),
            admission: crate::admit::Admission::default(),
            registry: registry.clone(),
            guard: Arc::clone(&guard),
            life: life.clone(),
            ports: Arc::default(),
        };
        let addresses = open_doors(&porch, start.listeners)?;
        let (reload_sender, reload_asked) = mpsc::channel(1);
        let reloader = Arc::new(Reloader {
            history: History::since(files_read(
                start.read_as,
                start.config_path.as_deref(),
                &began_with,
            )),
            path: start.config_path,
            began_with: Arc::clone(&began_with),
            holder: holder.clone(),
            guard: Arc::clone(&guard),
            registry: registry.clone(),
            log: start.log,
            adjust: start.adjust,
        });
        let desk = FrontDesk {
            started: Instant::now(),
            addresses: addresses.clone(),
            reloader: Arc::clone(&reloader),
            reloaded: reload_sender,
        };
        open_status_socket(desk, &start.around, &life);
        open_metrics(&began_with, &registry, &life).await?;
        begin_upkeep(&holder, &life);
        Ok(Some(Self {
            watch: begin_watch(&reloader),
            announcement: begin_announcement(&began_with, &addresses),
            life,
            holder,
            reloader,
            signals,
            reload_asked,
            addresses,
        }))
    }

    /// Returns the addresses really listened on.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the current snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.holder.current()
    }

    /// Serves until a signal or `end`, then stops gracefully.
    pub async fn serve(mut self, end: impl Future<Output = ()>) {
        supervisor::ready(&self.summary());
        self.spawn_watchdog();
        tokio::pin!(end);
        // A disk that does not answer may hold a reload; signals are heard all the same.
        let mut reload = Running::default();
        loop {
            tokio::select! {
                word = self.signals.next() => match word {
                    Word::Stop => break,
                    Word::Reload if self.reloader.path.is_some() => reload.begin(&self.reloader),
                    Word::Reload if self.signals.outlives_terminal() => {}
                    Word::Reload => break,
                },
                () = changed(&mut self.watch), if !reload.is_on() => {
                    debug!("a watched file changed");
                    reload.begin(&self.reloader);
                }
                () = reload.ended(), if reload.is_on() => {
                    self.follow_files();
                    supervisor::ready(&self.summary());
                    reload.begin_if_asked(&self.reloader);
                }
                Some(()) = self.reload_asked.recv() => self.follow_files(),
                () = &mut end => break,
            }
        }
        self.stop().await;
    }

    /// The new configuration may name other files to watch.
    fn follow_files(&mut self) {
        let Some(files) = self.reloader.files() else {
            return;
        };
        match &mut self.watch {
            Some(watch) => watch.follow(files, self.reloader.history.files()),
            None => self.watch = begin_watch(&self.reloader),
        }
    }

    async fn stop(mut self) {
        let grace = self.holder.current().config.timeouts.shutdown_grace;
        info!(
            sessions = self.reloader.registry.len(),
            transfers = self.reloader.registry.moving(),
            grace_secs = grace.as_secs(),
            "stopping"
        );
        supervisor::stopping(grace);
        if let Some(announcement) = self.announcement.take() {
            announcement.end().await;
        }
        let life = self.life.clone();
        let at_once = self.signals.stop();
        tokio::select! {
            in_time = life.end(grace) => match in_time {
                true => info!("stopped"),
                false => warn!("stopped; what still moved after the grace period was cut"),
            },
            () = at_once => warn!("stopped at once by a second signal"),
        }
        self.reloader.registry.xferlog().flush();
    }

    fn spawn_watchdog(&self) {
        let Some(period) = supervisor::watchdog_period() else {
            return;
        };
        let kill = self.life.kill();
        self.life.spawn_service(async move {
            loop {
                tokio::select! {
                    () = kill.cancelled() => return,
                    () = tokio::time::sleep(period) => supervisor::alive(),
                }
            }
        });
    }

    fn summary(&self) -> String {
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        format!("serving on {}", addresses.join(", "))
    }
}

async fn changed(watch: &mut Option<FileWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
