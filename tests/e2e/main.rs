//! End-to-end suites over the real `ftpd` and `ftpc`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

// The recipe that our users come from, and who may log in.
mod access;
mod recipe;
// A share with one command.
mod share_command;
// What ftpc moves, and how it fails.
mod errors;
mod found;
mod shell;
mod terminal;
mod transfers;
// Limits, live changes, and a life with signals.
mod operations;
// What is on disk is the only copy.
mod share;
// ftpc as a daily tool, against every server.
mod client;
// Other people's clients.
mod foreign_clients;
// Raw bytes, one concern a file, on both engines.
mod wire;
