//! FTP client: a library of sessions, plans and transfers, and the program on top of it.
//!
//! Rooms from the bottom up: [`error`] and [`event`] are the words; [`trust`] knows certificates;
//! [`remote`] is a session with a server; [`plan`] says what will be done; [`transfer`] does it.

pub mod app;
pub mod cancel;
pub mod cli;
pub mod commands;
pub mod credentials;
mod digest;
pub mod error;
pub mod event;
pub mod exit;
mod hex;
pub mod plan;
pub mod remote;
pub mod shell;
pub mod target;
pub mod transfer;
pub mod trust;
pub mod ui;
mod work;
