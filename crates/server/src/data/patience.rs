//! How long a client may take nothing of a download before it is stalled.
//!
//! A call that moved some bytes into the system's buffers and then waited in vain counts as progress. So the socket's
//! own limit is a small part of the whole one, which such calls cost no more than; nothing moved in all the parts
//! behind each other is a stall. A slow client that took anything in one of them begins anew.

use std::{io, time::Duration};

/// Parts of the limit.
const PARTS: u32 = 16;

/// Returns how long one call may wait for the client.
pub(super) fn part(limit: Duration) -> Duration {
    limit / PARTS
}

/// Calls `send` until it moves something.
///
/// # Errors
/// What `send` says; `WouldBlock` when nothing moved in as many waits as make the limit.
pub(super) fn patiently(mut send: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    let mut waits = 0;
    loop {
        match send() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && waits + 1 < PARTS => waits += 1,
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_takes_something_in_the_last_wait_is_not_stalled() {
        let told = |idle: u32| {
            let mut calls = 0;
            let moved = patiently(|| {
                calls += 1;
                match calls > idle {
                    true => Ok(7),
                    false => Err(io::ErrorKind::WouldBlock.into()),
                }
            });
            (moved.ok(), calls)
        };
        assert_eq!(told(0), (Some(7), 1));
        assert_eq!(told(PARTS - 1), (Some(7), PARTS));
        assert_eq!(told(PARTS), (None, PARTS));
    }
}
