//! FTP client library: sessions, plans, transfers. No terminal inside.
//!
//! Rooms from the bottom up: [`error`] and [`event`] are the words; [`trust`] knows certificates;
//! [`remote`] is a session with a server; [`plan`] says what will be done; [`transfer`] does it.

pub mod cancel;
pub mod error;
pub mod event;
pub mod plan;
pub mod remote;
pub mod transfer;
pub mod trust;
