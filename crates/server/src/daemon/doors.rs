//! What the server is reached by: its listeners, the status socket, the metrics.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
};

use ftp_config::ServerConfig;
use tokio::net::TcpListener;
use tracing::{debug, info, warn};

use crate::{
    desk::FrontDesk,
    error::Error,
    listen::Porch,
    shutdown::Life,
    snapshot::Snapshot,
    status::{Registry, metrics, place, socket},
};

pub(super) fn open_doors(
    porch: &Porch,
    listeners: Vec<StdListener>,
) -> Result<Vec<SocketAddr>, Error> {
    let listeners: Vec<_> = listeners
        .into_iter()
        .map(TcpListener::from_std)
        .collect::<io::Result<_>>()
        .map_err(Error::system("use the listening sockets"))?;
    let addresses = listeners
        .iter()
        .map(TcpListener::local_addr)
        .collect::<io::Result<Vec<_>>>()
        .map_err(Error::system("use the listening sockets"))?;
    refuse_open_sample(&porch.holder.current(), &addresses)?;
    for listener in listeners {
        porch.life.spawn(porch.clone().accept_all(listener));
    }
    Ok(addresses)
}

/// The sample password is public: nobody but this machine may reach it.
pub(super) fn refuse_open_sample(
    snapshot: &Snapshot,
    addresses: &[SocketAddr],
) -> Result<(), Error> {
    let Some(user) = snapshot.sample_user() else {
        return Ok(());
    };
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) => Err(Error::SamplePassword {
            address: *address,
            user,
        }),
        None => Ok(()),
    }
}

pub(super) fn open_status_socket(desk: FrontDesk, around: &place::Surroundings, life: &Life) {
    let Some(config) = desk.reloader.path.clone() else {
        return;
    };
    let Some(path) = place::choose(&config, around) else {
        warn!("no directory for the status socket: `ftpd who` will not find this server");
        return;
    };
    let desk = Arc::new(desk);
    match socket::bind(&path) {
        Ok(socket) => {
            debug!(path = %path.display(), "status socket open");
            life.spawn_service(socket::serve(socket, desk, life.clone()));
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            warn!(path = %path.display(), %error, "no status socket until that one ends");
            life.spawn_service(socket::serve_when_free(path, desk, life.clone()));
        }
        Err(error) => warn!(path = %path.display(), %error, "no status socket"),
    }
}

pub(super) async fn open_metrics(
    config: &ServerConfig,
    registry: &Registry,
    life: &Life,
) -> Result<(), Error> {
    let Some(address) = config.metrics.listen else {
        return Ok(());
    };
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    info!(%address, "metrics on http://{address}/metrics");
    life.spawn(metrics::serve(listener, registry.clone(), life.clone()));
    Ok(())
}
