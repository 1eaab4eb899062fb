//! What a server begins with.

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use ftp_config::ServerConfig;
use tracing::error;

use crate::{
    announce::{self, Announcement},
    error::Error,
    hands::{self, patiently},
    log::{Adjust, Level},
    reload::Reloader,
    session::disk,
    snapshot::{Holder, Snapshot},
    status::{Registry, place},
    watch::{self, FileWatch, Stamps},
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

/// Opens the share and loads the certificate, for the first time.
pub(super) async fn first_snapshot(config: ServerConfig) -> Result<Holder, Error> {
    let build = hands::run(move |_| Snapshot::build(config, None));
    let snapshot = patiently("the start", build).await?;
    disk::set_far(snapshot.share.is_far());
    Ok(Holder::new(Arc::new(snapshot)))
}

pub(super) fn first_registry(config: &ServerConfig) -> Registry {
    let registry = Registry::default();
    registry.set_rates(&config.limits);
    registry.xferlog().open(config.log.xferlog.clone());
    registry
}

/// The states of all files that a reload would read.
pub(super) fn files_read(
    mut seen: Stamps,
    config_path: Option<&Path>,
    config: &ServerConfig,
) -> Stamps {
    if let Some(path) = config_path {
        seen.complete(&watch::files_of(path, config));
    }
    seen
}

pub(super) fn begin_watch(reloader: &Reloader) -> Option<FileWatch> {
    FileWatch::new(reloader.files()?, reloader.history.files())
        .inspect_err(|error| error!(%error, "changes of the configuration are not watched"))
        .ok()
}

pub(super) fn begin_announcement(
    config: &ServerConfig,
    addresses: &[SocketAddr],
) -> Option<Announcement> {
    config.announce.mdns.then(|| {
        announce::begin(&announce::What {
            name: config.announce.name.as_deref(),
            addresses,
            facts: &[],
        })
    })?
}
