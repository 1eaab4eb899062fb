//! A server as the rest of the client sees it: [`Remote`], its entries, replies and abilities.
//!
//! One implementation speaks FTP (`ftp`), one lives in memory for tests ([`memory`]). Nothing
//! here decides what to move; `plan` and `transfer` do.

pub mod connect;
mod data;
mod entry;
pub mod features;
mod ftp;
mod greeting;
mod lack;
pub mod listing;
pub mod memory;
pub mod names;
pub mod pool;
mod race;
mod reply;
mod tls;

use std::time::SystemTime;

use async_trait::async_trait;

pub use data::Data;
pub use entry::{Dropped, Entry, Kind, Listing};
pub use features::{Abilities, HashAlgorithm, HashVerb};
pub use ftp_config::server::OnDuplicate;
pub use lack::Lack;
pub use names::RemoteName;
pub use reply::Reply;

use crate::{error::RemoteError, trust::Fingerprint};

/// Where an upload begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the beginning; what was there is replaced.
    New,
    /// `REST` at this byte offset, then `STOR`.
    At(u64),
    /// `APPE`: after what is there.
    Append,
}

/// What the next transfer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// Nothing that asks for a way of its own.
    #[default]
    File,
    /// A small file of known size, perhaps one of many.
    Small,
    /// Bytes whose number nobody knows before their end, and that cannot be sent again.
    Stream,
}

/// How a session is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// The server's certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Whether a known root vouches for it.
    pub by_root: bool,
}

/// Facts of a session for `doctor`, `status` and `-v`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFacts {
    /// The server's address.
    pub peer: String,
    /// The first `220`.
    pub greeting: Vec<String>,
    /// `None`: clear text.
    pub security: Option<Security>,
    /// `EPSV` or `PASV`: what the last data connection used; empty before the first.
    pub passive: &'static str,
    /// The address that data connections went to.
    pub data_peer: Option<std::net::SocketAddr>,
}

/// One session with a server. Methods are not cancel-safe: a dropped future breaks the session,
/// which then answers [`RemoteError::Poisoned`] to everything.
#[async_trait]
pub trait Remote: Send {
    /// Returns what the server can do.
    fn abilities(&self) -> &Abilities;

    /// Returns facts for people.
    fn facts(&self) -> SessionFacts;

    /// Tells whether the session may be used further.
    fn is_usable(&self) -> bool;

    /// Asks for the current directory.
    async fn pwd(&mut self) -> Result<String, RemoteError>;

    /// Changes the current directory.
    async fn cwd(&mut self, dir: &str) -> Result<(), RemoteError>;

    /// Lists a directory.
    async fn list(&mut self, dir: &str) -> Result<Listing, RemoteError>;

    /// Asks for one path; `None`: it does not exist or may not be seen.
    async fn stat(&mut self, path: &str) -> Result<Option<Entry>, RemoteError>;

    /// Tells what the next transfer is: a session may have a better way for it.
    fn foresee(&mut self, next: Next) {
        let _ = next;
    }

    /// Asks how many bytes may be stored in a directory; `None`: the server does not tell.
    async fn free_space(&mut self, _dir: &str) -> Result<Option<u64>, RemoteError> {
        Ok(None)
    }

    /// Begins a download at a byte offset.
    async fn open_read(&mut self, path: &str, offset: u64) -> Result<Box<dyn Data>, RemoteError>;

    /// Begins an upload.
    async fn open_write(&mut self, path: &str, start: Start) -> Result<Box<dyn Data>, RemoteError>;

    /// After a dropped transfer: brings the session back in step, or gives it up.
    async fn settle(&mut self) -> Result<(), RemoteError>;

    /// Asks for a file's size; `None`: the server cannot tell, or there is no such file.
    async fn size(&mut self, path: &str) -> Result<Option<u64>, RemoteError>;

    /// Asks when a file was changed last; `None` as for [`Remote::size`].
    async fn modified(&mut self, path: &str) -> Result<Option<SystemTime>, RemoteError>;

    /// Renames.
    async fn rename(&mut self, from: &str, to: &str) -> Result<(), RemoteError>;

    /// Removes a file.
    async fn remove_file(&mut self, path: &str) -> Result<(), RemoteError>;

    /// Removes what the listing calls a directory, if it is a link to one: some servers list it so.
    /// DELE takes the link and refuses a directory (RFC 959 §4.1.3 has RMD for those). Tells whether
    /// it took it.
    async fn unlink(&mut self, path: &str) -> Result<bool, RemoteError> {
        match self.remove_file(path).await {
            Ok(()) => Ok(true),
            Err(RemoteError::Refused { .. }) if self.is_usable() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes an empty directory.
    async fn remove_dir(&mut self, path: &str) -> Result<(), RemoteError>;

    /// Makes a directory, and tells whether it had to: one that exists already is fine.
    async fn make_dir(&mut self, path: &str) -> Result<bool, RemoteError>;

    /// Sets a file's time, if the server has a way to. Returns the file's size, if the server tells
    /// it with its answer.
    async fn set_modified(
        &mut self,
        path: &str,
        time: SystemTime,
    ) -> Result<Option<u64>, RemoteError>;

    /// Sets permission bits (`SITE CHMOD`).
    async fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), RemoteError>;

    /// Asks for the hash of a whole file, in lower-case hex.
    async fn hash(&mut self, path: &str, how: HashVerb) -> Result<String, RemoteError>;

    /// Tells this session from every other of the process.
    fn number(&self) -> u64 {
        0
    }

    /// Sends one command as it is and returns whatever comes back. Not for commands that use a
    /// data connection.
    async fn raw(&mut self, command: &str) -> Result<Reply, RemoteError>;

    /// Says goodbye; errors do not matter.
    async fn quit(&mut self);
}

/// Makes sessions.
#[async_trait]
pub trait Dial: Send + Sync {
    /// Makes a session, logged in and ready.
    ///
    /// # Errors
    /// Any [`RemoteError`].
    async fn dial(&self) -> Result<Box<dyn Remote>, RemoteError>;

    /// Returns `host:port` for messages.
    fn endpoint(&self) -> String;
}
