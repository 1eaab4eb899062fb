//! What an administrator relies on: limits, rates, live changes, seeing what goes on, and a server
//! that comes and goes without loss.

mod life;
mod limits;
mod rates;
mod reload;
mod seeing;

use harness::{Server, wait::until};

/// Returns what `ftpd status --json` says.
#[track_caller]
fn status(server: &Server) -> serde_json::Value {
    serde_json::from_str(&server.told(&["status", "--json"])).unwrap()
}

/// Waits until nobody is connected.
#[track_caller]
fn until_empty(server: &Server) {
    until("every session is gone", || {
        (status(server)["sessions"] == 0).then_some(())
    });
}
