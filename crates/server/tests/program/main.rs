//! The program `ftpd` from outside: its face, its files, its life.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cli;
mod common;
mod daemon;
mod import;
mod limits;
// The end-to-end suites have it as well.
#[path = "../../../../tests/harness/port.rs"]
#[allow(dead_code, unreachable_pub, reason = "the harness exports it")]
mod port;
mod record;
mod reload;
mod share;
mod start;
mod told;
mod users;
// They have this one too.
#[path = "../../../../tests/harness/wait.rs"]
#[allow(dead_code, unreachable_pub, reason = "the harness exports it")]
mod wait;
mod wire;
