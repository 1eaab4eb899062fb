//! The harness of the end-to-end suites: the real `ftpd` and `ftpc`, and what talks to them.
//!
//! [`Site`] is a temporary share with its `ftp.toml`; [`Site::start`] runs `ftpd` on a free port of
//! loopback and ends it on drop; [`ftpc`] runs the client; [`Wire`] is a raw control connection;
//! [`foreign`] finds other people's clients. Nothing here sleeps for luck: every wait has an event
//! and a limit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

pub mod client;
pub mod foreign;
pub mod mount;
pub mod port;
pub mod programs;
pub mod server;
pub mod site;
pub mod tls;
mod trust;
pub mod wait;
pub mod wire;

pub use client::{Ran, ftpc};
pub use server::Server;
pub use site::{PASSWORD, Site};
pub use wire::Wire;
