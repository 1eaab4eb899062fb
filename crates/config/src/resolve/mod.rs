//! From what the file says to what the programs use: defaults, ranges and cross-checks.
//!
//! Each function reads one table; together they are the list of every key. Nothing is fixed up in
//! silence: what cannot be used is a fault, and all faults of a file are found in one pass.

mod auth;
mod client;
mod server;
mod users;

pub(crate) use client::resolve_client;
pub(crate) use server::{resolve_server, server_files};

use std::path::{Path, PathBuf};

/// A path of the file: relative to the file's directory unless it begins with `/`.
fn relative_to(dir: &Path, text: &str) -> PathBuf {
    let joined = dir.join(text);
    // Only the words: whether the path exists is not asked here.
    let mut path = PathBuf::new();
    for part in joined.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if path.file_name().is_some() => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    path
}
