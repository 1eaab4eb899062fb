//! What the service manager is told and gives: readiness, reloads, stops, the watchdog, sockets.
//!
//! Does nothing where there is no systemd. The only room that names sd-notify and listenfd.

use std::{io, net::TcpListener, time::Duration};

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tracing::debug;

/// Tells the service manager that all is ready.
pub fn ready(text: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(text)]);
}

/// Tells that the configuration is being read again; [`ready`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Tells that the server stops, and how long it may take.
pub fn stopping(grace: Duration) {
    let micros = u32::try_from(grace.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Stopping,
        NotifyState::ExtendTimeoutUsec(micros.saturating_add(5_000_000)),
    ]);
}

/// Returns how often [`alive`] must be called, if the service manager watches.
#[must_use]
pub fn watchdog_period() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// Tells the watchdog that the server lives.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        debug!(%error, "the service manager does not listen");
    }
}

/// Returns the listening sockets that the service manager opened, none when it opened none.
///
/// # Errors
/// When one of them is not a listening TCP socket.
pub fn sockets() -> io::Result<Vec<TcpListener>> {
    let mut given = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..given.len() {
        let listener = given.take_tcp_listener(index)?.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("socket {index} of the service manager is not a TCP listener"),
            )
        })?;
        listener.set_nonblocking(true)?;
        listeners.push(listener);
    }
    Ok(listeners)
}
