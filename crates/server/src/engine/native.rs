//! Our own engine: the session loop over the visit's socket, gate and share, at a station.

use tracing::debug;

use super::{Visit, stations};
use crate::session;

/// Serves one connection to its end.
pub async fn serve(visit: Visit) {
    let Visit { stream, .. } = visit;
    let stream = match stream.into_std() {
        Ok(stream) => stream,
        Err(error) => return debug!(%error, "connection lost early"),
    };
    let parts = session::Arrival {
        peer: visit.peer,
        local: visit.local,
        snapshot: visit.snapshot,
        gate: visit.gate,
        seat: visit.seat,
        ticket: visit.ticket,
        stop: visit.stop,
        kill: visit.kill,
        ports: visit.ports,
    };
    stations::run(move || session::serve(stream, parts)).await;
}
