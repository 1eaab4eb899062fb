//! What an engine gets for one accepted socket, and which engine gets it.
//!
//! `listen` makes a [`Visit`] and calls [`serve`]; an engine speaks FTP until the session ends.

pub mod native;
mod stations;
pub mod unftp;

use std::{net::SocketAddr, sync::Arc};

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::{admit::Ticket, auth::Gate, data::PassivePorts, snapshot::Snapshot, status::Seat};
use ftp_config::server::EngineKind;

/// One accepted connection and everything its session needs.
#[derive(Debug)]
pub struct Visit {
    /// The accepted socket; nothing has been sent on it yet.
    pub stream: TcpStream,
    /// The client's address.
    pub peer: SocketAddr,
    /// The address the client dialled.
    pub local: SocketAddr,
    /// The configuration this session keeps to its end.
    pub snapshot: Arc<Snapshot>,
    /// Logs in.
    pub gate: Arc<Gate>,
    /// The session's row in the live table.
    pub seat: Seat,
    /// The session's place under the caps; lives as long as its last task.
    pub ticket: Ticket,
    /// The graceful stop: finish the running transfer, then say 421.
    pub stop: CancellationToken,
    /// The end of the grace period: leave at once.
    pub kill: CancellationToken,
    /// The passive ports of all sessions.
    pub ports: Arc<PassivePorts>,
}

/// Speaks FTP on the visit's socket until the session ends.
pub async fn serve(visit: Visit) {
    match visit.snapshot.config.server.engine {
        EngineKind::Native => native::serve(visit).await,
        EngineKind::Libunftp => unftp::serve(visit).await,
    }
}
