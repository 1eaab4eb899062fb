//! How long the 226 behind a download or a listing waits for the client's end of the data connection.
//!
//! Simple clients (snarf, what devices have built in) read once for each reply. A 226 that came together with the
//! 150, as that of a small file does, would be lost to them, and they would wait for another. Whoever has fetched
//! [`FEW`] times in one session reads well enough: such a client would not have come so far with any server.

use std::{net::TcpStream, time::Duration};

use tokio::time::timeout;

use crate::{data::Brake, session::Session};

/// Downloads and listings of a session whose 226 waits a moment.
const FEW: u8 = 16;
/// That moment. Clients that read the 226 before they close lose no more.
const MOMENT: Duration = Duration::from_millis(20);
/// The wait behind a REST: aria2 says it before each RETR, and takes one reply out of what it reads at once. A 226 that
/// came with the 150, as that of some MiB may on a quick network, would cost it a minute.
const LONGEST: Duration = Duration::from_secs(1);

/// Counts one more, and returns how long its 226 waits; in clear only, since nobody reads TLS by a single call.
pub(super) fn limit(session: &mut Session, restarts: bool) -> Option<Duration> {
    let before = session.fetched;
    session.fetched = before.saturating_add(1);
    limit_behind(before, restarts)
}

fn limit_behind(before: u8, restarts: bool) -> Option<Duration> {
    match restarts {
        true => Some(LONGEST),
        false => (before < FEW).then_some(MOMENT),
    }
}

/// Waits until the client has closed its end, for so long at most.
pub(super) async fn wait(socket: &TcpStream, brake: &Brake, limit: Duration) {
    let watched = socket.try_clone().and_then(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::TcpStream::from_std(socket)
    });
    let Ok(watched) = watched else { return };
    tokio::select! {
        () = brake.pulled() => {}
        _ = timeout(limit, watched.readable()) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_session_wait_a_moment_and_those_behind_a_rest_for_long() {
        for (before, restarts, limit) in [
            (0, false, Some(MOMENT)),
            (FEW - 1, false, Some(MOMENT)),
            (FEW, false, None),
            (u8::MAX, false, None),
            (u8::MAX, true, Some(LONGEST)),
        ] {
            assert_eq!(limit_behind(before, restarts), limit, "{before} {restarts}");
        }
    }
}
