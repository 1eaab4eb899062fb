//! A server as the rest of the client sees it: [`Remote`], its entries, replies and abilities.
//!
//! One implementation speaks FTP (`ftp`), one lives in memory for unit tests (`memory`). Nothing
//! here decides what to move; `plan` and `transfer` do.

pub mod connect;
mod data;
mod entry;
mod facts;
pub mod features;
mod ftp;
mod greeting;
mod lack;
pub mod listing;
#[cfg(test)]
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
pub use facts::{Security, SessionFacts};
pub use features::{Abilities, HashAlgorithm, HashVerb};
pub(crate) use ftp::flaw_of;
pub use ftp_config::server::OnDuplicate;
pub use lack::Lack;
pub use names::RemoteName;
pub use reply::Reply;

use crate::error::RemoteError;

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

/// One session with a server. Methods are not cancel-safe: a dropped future breaks the session,
/// which then answers [`RemoteError::Poisoned`] to everything.
///
/// # Errors
/// Of every method that has an answer: [`RemoteError::Refused`] with the server's reply, and
/// [`RemoteError::BadName`] where nothing could be sent, both of which leave the session usable; and what
/// ends it: [`RemoteError::Timeout`], [`RemoteError::Io`] and [`RemoteError::Protocol`]. What a method says
/// of errors is said beside these.
#[async_trait]
pub trait Remote: Send {
    /// Returns what the server can do.
    fn abilities(&self) -> &Abilities;

    /// Returns facts for people, as they are by now.
    fn facts(&self) -> SessionFacts;

    /// Tells whether the session may be used further: it is in step, and no transfer is open.
    fn is_usable(&self) -> bool;

    /// Asks for the current directory: where relative paths begin.
    ///
    /// # Errors
    /// [`RemoteError::Protocol`] too where the reply has no path in it.
    async fn pwd(&mut self) -> Result<String, RemoteError>;

    /// Changes the current directory.
    ///
    /// # Errors
    /// A refusal, with which the old one stays.
    async fn cwd(&mut self, dir: &str) -> Result<(), RemoteError>;

    /// Lists a directory, hidden names with the others. What is known to be missing is told with it
    /// ([`Listing::lack`]).
    ///
    /// # Errors
    /// A refusal, also where the server says behind an empty listing that it left something out;
    /// [`RemoteError::TooLarge`] for one beyond every reason.
    async fn list(&mut self, dir: &str) -> Result<Listing, RemoteError>;

    /// Asks for one path; `None`: it does not exist or may not be seen.
    ///
    /// # Errors
    /// A refusal that may pass, or that says nothing of the path; and [`RemoteError::Io`] where only a
    /// listing could tell and that one is not whole, with a session that goes on.
    async fn stat(&mut self, path: &str) -> Result<Option<Entry>, RemoteError>;

    /// Tells whether a name is a link, also where its facts are of what it leads to. A refusal is no error here.
    async fn is_link(&mut self, _path: &str) -> Result<bool, RemoteError> {
        Ok(false)
    }

    /// Tells what the next transfer is: a session may have a better way for it.
    fn foresee(&mut self, next: Next) {
        let _ = next;
    }

    /// Asks how many bytes may be stored in a directory; `None`: the server does not tell. A refusal is no
    /// error here.
    async fn free_space(&mut self, _dir: &str) -> Result<Option<u64>, RemoteError> {
        Ok(None)
    }

    /// Begins a download at a byte offset. The session is busy until the transfer has ended; after one that
    /// was dropped it is to be settled ([`Remote::settle`]).
    ///
    /// # Errors
    /// A refusal, of the offset too ([`RemoteError::may_refuse_restart`]); [`RemoteError::SessionReuse`]; and
    /// where no data connection comes up, with which the session ends.
    async fn open_read(&mut self, path: &str, offset: u64) -> Result<Box<dyn Data>, RemoteError>;

    /// Begins an upload; the rest is as with [`Remote::open_read`]. What becomes of a file that has the name
    /// is the server's to say ([`Abilities::on_duplicate`]).
    ///
    /// # Errors
    /// As [`Remote::open_read`].
    async fn open_write(&mut self, path: &str, start: Start) -> Result<Box<dyn Data>, RemoteError>;

    /// After a dropped transfer: brings the session back in step, or gives it up. One that is in step is left
    /// as it is.
    ///
    /// # Errors
    /// The session is of no more use.
    async fn settle(&mut self) -> Result<(), RemoteError>;

    /// Asks for a file's size; `None`: the server cannot tell, or there is no such file.
    ///
    /// # Errors
    /// Only a refusal that may pass (4xx).
    async fn size(&mut self, path: &str) -> Result<Option<u64>, RemoteError>;

    /// Asks when a file was changed last; `None` as for [`Remote::size`].
    ///
    /// # Errors
    /// As [`Remote::size`].
    async fn modified(&mut self, path: &str) -> Result<Option<SystemTime>, RemoteError>;

    /// Renames a file or a directory. Whether it replaces what has the new name is the server's to say.
    ///
    /// # Errors
    /// A refusal: with RNFR it is of the old name, with RNTO of the new one.
    async fn rename(&mut self, from: &str, to: &str) -> Result<(), RemoteError>;

    /// Removes a file.
    ///
    /// # Errors
    /// A refusal, also where there is none.
    async fn remove_file(&mut self, path: &str) -> Result<(), RemoteError>;

    /// Removes what the listing calls a directory, if it is a link to one: some servers list it so.
    /// DELE takes the link and refuses a directory (RFC 959 §4.1.3 has RMD for those). Tells whether
    /// it took it: a refusal is no error here.
    async fn unlink(&mut self, path: &str) -> Result<bool, RemoteError> {
        match self.remove_file(path).await {
            Ok(()) => Ok(true),
            Err(RemoteError::Refused { .. }) if self.is_usable() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// A refusal, also where there is none or something is in it.
    async fn remove_dir(&mut self, path: &str) -> Result<(), RemoteError>;

    /// Makes a directory, and tells whether it had to: one that exists already is fine. Its parent is to be
    /// there.
    ///
    /// # Errors
    /// A refusal, with no directory of this name.
    async fn make_dir(&mut self, path: &str) -> Result<bool, RemoteError>;

    /// Sets a file's time, if the server has a way to. Returns the file's size, if the server tells
    /// it with its answer. A server that keeps no times is no error.
    ///
    /// # Errors
    /// A refusal by a server that sets times else, or of a time that is out of the usual;
    /// [`RemoteError::Unsupported`] of one beyond the year 9999.
    async fn set_modified(
        &mut self,
        path: &str,
        time: SystemTime,
    ) -> Result<Option<u64>, RemoteError>;

    /// Sets permission bits (`SITE CHMOD`).
    ///
    /// # Errors
    /// A refusal, also by a server that has no such thing.
    async fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), RemoteError>;

    /// Asks for the hash of a whole file, in lower-case hex. The larger it is (`size`, in bytes), the longer the
    /// answer is waited for.
    ///
    /// # Errors
    /// [`RemoteError::Protocol`] too where the reply has no such hash in it.
    async fn hash(
        &mut self,
        path: &str,
        how: HashVerb,
        size: Option<u64>,
    ) -> Result<String, RemoteError>;

    /// Tells this session from every other of the process.
    fn number(&self) -> u64 {
        0
    }

    /// Sends one command as it is and returns whatever comes back. Not for commands that use a
    /// data connection.
    ///
    /// # Errors
    /// Nothing was sent, or no reply came: a refusal is a reply like others.
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
