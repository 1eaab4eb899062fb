//! Logins: as many as a row needs, and how many a second.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustls::ClientConfig;

use crate::{
    peers::{Kind, Server},
    rows::Sample,
    scale::Scale,
    tls,
    wire::{Session, Target},
};

/// A server that is slow to hash passwords is slow in every second of it.
const LOGIN_TIME: Duration = Duration::from_secs(4);
/// How often a login with libunftp's engine over TLS is tried again; on some machines every second
/// one fails.
const LIBUNFTP_TRIES: u32 = 100;

pub(super) fn sessions(server: &Server, count: usize, tls: bool) -> Result<Vec<Session>> {
    (0..count)
        .map(|_| login_by(server, tls, Session::open))
        .collect()
}

/// Begins a session by `login`. libunftp's engine loses the race after `AUTH TLS` now and then
/// (docs/engines.md): there, and only there, what failed is tried again.
fn login_by<T>(
    server: &Server,
    tls: bool,
    login: impl Fn(&Target, Option<Arc<ClientConfig>>) -> Result<T>,
) -> Result<T> {
    let once = || {
        let config = if tls { Some(tls::client()?) } else { None };
        login(&server.target, config)
    };
    let races = tls && server.kind == Kind::FtpdLibunftp;
    let tries = if races { LIBUNFTP_TRIES } else { 0 };
    (0..tries).find_map(|_| once().ok()).map_or_else(once, Ok)
}

pub(crate) fn login(server: &Server, scale: &Scale, tls: bool) -> Result<Sample> {
    // The first login pays for what the server keeps of a known user.
    Session::open(&server.target, None)?.quit()?;
    let begun = Instant::now();
    let mut done = 0;
    while done < scale.logins && begun.elapsed() < LOGIN_TIME {
        login_by(server, tls, |target, tls| {
            Session::log_in(target, tls)?.quit()
        })
        .with_context(|| format!("login {done}"))?;
        done += 1;
    }
    Ok((done as f64 / begun.elapsed().as_secs_f64()).into())
}
