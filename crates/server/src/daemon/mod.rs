//! The life of the server: bound, ready, serving, reloading, stopping.
//!
//! The only `select!` over everything that can happen to the process. `commands::run` and
//! `commands::share` start it; what a client says never gets here.

mod doors;
mod running;
mod upkeep;

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use ftp_config::ServerConfig;
use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};

use crate::{
    announce::{self, Announcement},
    auth::Guard,
    desk::FrontDesk,
    error::Error,
    hands,
    listen::Porch,
    log::{Adjust, Level},
    reload::{History, Reloader},
    session::disk,
    shutdown::Life,
    signals::{Signals, Word},
    snapshot::{Holder, Snapshot},
    status::{Registry, place},
    supervisor,
    watch::{self, FileWatch, Stamps},
};

use self::{
    doors::{open_doors, open_metrics, open_status_socket},
    running::Running,
    upkeep::{sweep_partials, watch_mounts},
};

/// What a server is started with.
#[derive(Debug)]
pub struct Start {
    /// The configuration.
    pub config: ServerConfig,
    /// Where it was read; `None`: made on the spot, cannot be reloaded.
    pub config_path: Option<PathBuf>,
    /// The state of that file before it was read.
    pub read_as: Stamps,
    /// Bound sockets.
    pub listeners: Vec<StdListener>,
    /// The running log.
    pub log: Option<Level>,
    /// What the flags say of the log.
    pub adjust: Adjust,
    /// Where the status socket may be.
    pub around: place::Surroundings,
}

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
    /// Builds everything and begins to accept.
    ///
    /// # Errors
    /// [`Error`] when the share, the certificate or a socket cannot be used.
    pub async fn start(start: Start) -> Result<Self, Error> {
        let signals = Signals::new().map_err(Error::system("take signals over"))?;
        let began_with = Arc::new(start.config);
        let holder = first_snapshot(began_with.as_ref().clone()).await?;
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
        let mut files = start.read_as;
        if let Some(path) = &start.config_path {
            files.complete(&watch::files_of(path, &began_with));
        }
        let reloader = Arc::new(Reloader {
            path: start.config_path,
            began_with: Arc::clone(&began_with),
            holder: holder.clone(),
            guard: Arc::clone(&guard),
            registry: registry.clone(),
            log: start.log,
            adjust: start.adjust,
            history: History::since(files),
        });
        let desk = FrontDesk {
            started: Instant::now(),
            addresses: addresses.clone(),
            reloader: Arc::clone(&reloader),
            reloaded: reload_sender,
        };
        open_status_socket(desk, &start.around, &life);
        open_metrics(&began_with, &registry, &life).await?;
        life.spawn_service(sweep_partials(holder.clone(), life.kill()));
        if let Err(error) = watch_mounts(holder.clone(), &life) {
            debug!(%error, "mounts are looked at on reload only");
        }
        Ok(Self {
            watch: begin_watch(&reloader),
            announcement: begin_announcement(&began_with, &addresses),
            life,
            holder,
            reloader,
            signals,
            reload_asked,
            addresses,
        })
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
        let Some(files) = watched_files(&self.reloader) else {
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
        let at_once = async { while self.signals.next().await != Word::Stop {} };
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

/// Opens the share and loads the certificate, for the first time.
async fn first_snapshot(config: ServerConfig) -> Result<Holder, Error> {
    let snapshot = hands::run(move |_| Snapshot::build(config, None)).await?;
    disk::set_far(snapshot.share.is_far());
    Ok(Holder::new(Arc::new(snapshot)))
}

fn first_registry(config: &ServerConfig) -> Registry {
    let registry = Registry::default();
    registry.set_rates(&config.limits);
    registry.xferlog().open(config.log.xferlog.clone());
    registry
}

fn watched_files(reloader: &Reloader) -> Option<Vec<PathBuf>> {
    let path = reloader.path.as_deref()?;
    Some(watch::files_of(path, &reloader.holder.current().config))
}

fn begin_watch(reloader: &Reloader) -> Option<FileWatch> {
    FileWatch::new(watched_files(reloader)?, reloader.history.files())
        .inspect_err(|error| error!(%error, "changes of the configuration are not watched"))
        .ok()
}

fn begin_announcement(config: &ServerConfig, addresses: &[SocketAddr]) -> Option<Announcement> {
    config.announce.mdns.then(|| {
        announce::begin(&announce::What {
            name: config.announce.name.as_deref(),
            addresses,
            facts: &[],
        })
    })?
}
