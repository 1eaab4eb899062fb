//! The words of FTP: lines, commands, replies, names, listings. Pure; no socket, no disk, no clock.
//!
//! `session` feeds bytes to `line`, parses with [`command`] and answers with [`reply`]; `verbs`
//! formats with [`list`] and [`facts`].

pub mod command;
pub mod facts;
pub mod line;
pub mod list;
pub mod names;
pub mod pattern;
pub mod reply;
pub mod stamp;

pub use command::{Command, Fault};
pub use names::Names;
pub use reply::Reply;
