//! The program `ftpd` from outside: its face, its files, its life.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cli;
mod common;
mod daemon;
mod import;
mod start;
mod users;
