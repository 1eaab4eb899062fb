//! The names of STOU: one made up, and what the client is told.

use std::{
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use ftp_config::SharePath;

use crate::{protocol::stamp, session::Session, share::Upload};

/// Returns a name that nobody else has been told, by this process or by one before it within the same second.
pub(super) fn name(session: &Session) -> Vec<u8> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static RUN: LazyLock<u32> = LazyLock::new(|| {
        let mut random = [0; 4];
        match getrandom::fill(&mut random) {
            Ok(()) => u32::from_ne_bytes(random),
            Err(_) => process::id(),
        }
    });
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let (now, id) = (stamp::format(SystemTime::now()), session.seat.id());
    format!("upload-{now}-{:08x}-{id}-{count}", *RUN).into_bytes()
}

/// Returns the name that an upload will have, in words of its client: as typed where that name is free.
pub(super) fn told(session: &Session, asked: &SharePath, upload: &Upload, typed: &[u8]) -> Vec<u8> {
    let path = upload.path();
    if path == asked {
        return typed.to_vec();
    }
    match path.name() {
        Some(name) if path.parent().as_ref() == Some(&session.cwd) => session.names.bytes(name),
        _ => session.names.bytes(path.as_str()),
    }
}
