//! `ftpd`: an FTP server for one shared directory on a LAN.
//!
//! Rooms, from the door inwards: `listen` accepts, `admit` counts, `engine` speaks FTP, `auth`
//! decides who comes in, `share` is the directory, `status` shows who is here, `daemon` holds the
//! life of the process together.

pub mod account;
mod acl;
pub mod admit;
pub mod announce;
pub mod auth;
mod backoff;
pub mod cli;
pub mod code;
pub mod commands;
pub mod config_file;
pub mod daemon;
pub mod data;
pub mod desk;
pub mod direction;
pub mod engine;
pub mod error;
pub mod firewall;
pub(crate) mod hands;
mod hex;
pub mod lan;
pub mod listen;
pub mod log;
#[cfg(test)]
#[path = "../../../tests/harness/port.rs"]
#[allow(dead_code, unreachable_pub, reason = "the harness exports it")]
mod port;
pub mod privilege;
pub mod protocol;
pub mod reload;
pub mod say;
pub(crate) mod session;
pub mod share;
pub mod shutdown;
pub mod signals;
#[cfg(test)]
mod skip;
pub mod snapshot;
pub mod status;
pub mod supervisor;
pub mod tls;
pub(crate) mod verbs;
pub(crate) mod vigil;
pub mod watch;
