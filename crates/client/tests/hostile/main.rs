//! Sessions with a server that lies, stalls or breaks: each ends in a clear error, in step, with
//! bounded memory.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

#[path = "../fake/mod.rs"]
mod fake;

mod data;
mod listing;
mod login;
mod replies;
mod small;
mod tls;

use ftpc::{
    error::{Phase, RemoteError},
    remote::{Dial, Remote, connect::Dialer},
};

use fake::Running;

async fn dial(server: &Running) -> Box<dyn Remote> {
    server.dialer().dial().await.unwrap()
}

/// Dials with a short limit for replies.
async fn dial_impatiently(server: &Running) -> Box<dyn Remote> {
    let dialer = server.impatient(|limits| &mut limits.reply);
    dialer.dial().await.unwrap()
}

/// Tells whether the server took too long, and at what.
fn is_late(error: &RemoteError, at: Phase) -> bool {
    matches!(error, RemoteError::Timeout { phase, .. } if *phase == at)
}

async fn refusal(dialer: Dialer) -> RemoteError {
    match dialer.dial().await {
        Ok(_) => panic!("the session was made"),
        Err(error) => error,
    }
}
