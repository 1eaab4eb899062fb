//! `ftpd`: an FTP server for one shared directory on a LAN.
//!
//! Rooms, from the door inwards: `listen` accepts, `admit` counts, `engine` speaks FTP, `auth`
//! decides who comes in, `share` is the directory, `status` shows who is here, `daemon` holds the
//! life of the process together.

pub mod account;
pub mod admit;
pub mod auth;
pub mod engine;
pub mod log;
pub mod share;
pub mod shutdown;
pub mod snapshot;
pub mod status;
pub mod tls;
