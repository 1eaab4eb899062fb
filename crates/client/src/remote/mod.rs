//! A server as the rest of the client sees it: [`Remote`], its entries, replies and abilities.
//!
//! One implementation speaks FTP (`ftp`), one lives in memory for tests ([`memory`]). Nothing
//! here decides what to move; `plan` and `transfer` do.

pub mod connect;
pub mod features;
mod ftp;
mod greeting;
mod lack;
pub mod listing;
pub mod memory;
pub mod names;
pub mod pool;
mod race;
mod tls;

use std::{
    fmt, io,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

pub use features::{Abilities, HashAlgorithm, HashVerb};
pub use ftp_config::server::OnDuplicate;
pub use lack::Lack;
pub use names::RemoteName;

use crate::{cancel::Cancel, error::RemoteError, trust::Fingerprint};

/// A server's answer: its code and the text of its lines, decoded, without codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits as they came; 0 when there were none.
    pub code: u16,
    /// The lines without code, separator and line end.
    pub lines: Vec<String>,
}

impl Reply {
    /// Makes a reply of one line.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            lines: vec![text.into()],
        }
    }

    /// Returns the text of the last line.
    #[must_use]
    pub fn text(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// Tells whether the code is 2xx.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Tells whether the server says that it has enough sessions.
    #[must_use]
    pub fn is_too_many(&self) -> bool {
        let says = || {
            let text = self.lines.join(" ").to_ascii_lowercase();
            ["too many", "maximum", "max ", "limit", "already logged in"]
                .iter()
                .any(|word| text.contains(word))
        };
        matches!(self.code, 421 | 530) && says()
    }
}

impl fmt::Display for Reply {
    /// Writes `550 text`, control characters escaped; longer replies joined with ` / `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for (index, line) in self.lines.iter().take(8).enumerate() {
            f.write_str(if index == 0 { " " } else { " / " })?;
            for c in line.trim().chars().take(500) {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    write!(f, "{c}")?;
                }
            }
        }
        Ok(())
    }
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A device, socket or anything else.
    Other,
}

/// One name in a remote directory with what the server told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name: one safe component.
    pub name: RemoteName,
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes, if told.
    pub size: Option<u64>,
    /// When it was last changed, if told.
    pub modified: Option<SystemTime>,
    /// How exact `modified` is: a second for MLSD, a minute or a day for LIST.
    pub precision: Duration,
    /// Permission bits, if told.
    pub mode: Option<u32>,
    /// Its owner, if told.
    pub owner: Option<String>,
    /// Its group, if told.
    pub group: Option<String>,
    /// Where a link points, if told.
    pub target: Option<String>,
    /// The `unique` fact: the same for two names of one thing.
    pub unique: Option<String>,
}

impl Entry {
    /// Makes an entry of which only name and kind are known.
    #[must_use]
    pub fn new(name: RemoteName, kind: Kind) -> Self {
        Self {
            name,
            kind,
            size: None,
            modified: None,
            precision: Duration::from_secs(1),
            mode: None,
            owner: None,
            group: None,
            target: None,
            unique: None,
        }
    }
}

/// One directory as listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, sorted by name.
    pub entries: Vec<Entry>,
    /// Names (escaped) that were dropped because they are no safe component, and lines that
    /// could not be read; at most 100 are kept.
    pub dropped: Vec<String>,
    /// Why it may not be whole.
    pub lack: Option<Lack>,
}

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

/// The data connection of one transfer. Reading and writing BLOCK: call them from a blocking
/// thread only. Dropping it without [`Data::finish`] resets the connection, so that the server
/// cannot take what it has for the whole file.
#[async_trait]
pub trait Data: Send {
    /// Reads some bytes; 0 is the end.
    ///
    /// # Errors
    /// The connection broke, or stalled beyond the limit (`TimedOut`), or was stopped
    /// (`Interrupted`).
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// As [`Data::read`].
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Reads some bytes without a thread; 0 is the end.
    ///
    /// # Errors
    /// As [`Data::read`].
    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    /// Writes all bytes without a thread.
    ///
    /// # Errors
    /// As [`Data::read`].
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    /// Moves bytes from the socket to `file` at its position without copying them through this
    /// program, as many as come until the end, telling `moved` each block. `None`: not possible
    /// here (TLS, platform); nothing was read then.
    fn splice_into(
        &mut self,
        file: &std::fs::File,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>>;

    /// Moves up to `length` bytes of `file` from its position to the socket, as
    /// [`Data::splice_into`].
    fn splice_from(
        &mut self,
        file: &std::fs::File,
        length: u64,
        moved: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Option<io::Result<u64>>;

    /// Makes every wait of this transfer end with `Interrupted` once `cancel` is stopped.
    fn obey(&mut self, cancel: &Cancel);

    /// Limits how long the reply that ends the transfer is waited for.
    fn end_within(&mut self, limit: Duration) {
        let _ = limit;
    }

    /// Returns the size the server named in its 150, if it did.
    fn announced(&self) -> Option<u64>;

    /// Closes the data connection and reads the reply that ends the transfer.
    ///
    /// # Errors
    /// Any reply but 226 and 250; no reply in time.
    async fn finish(self: Box<Self>) -> Result<(), RemoteError>;
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

    /// Tells that the next transfer is a small file of known size: a session may have a quicker way for
    /// many of them.
    fn foresee_small(&mut self) {}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_show_no_control_characters() {
        let reply = Reply::new(550, "no \x1b[31mred\x07");
        assert_eq!(reply.to_string(), "550 no \\u{1b}[31mred\\u{7}");
    }

    #[test]
    fn too_many_is_told_from_a_wrong_password() {
        assert!(Reply::new(421, "There are too many connections").is_too_many());
        assert!(Reply::new(530, "Sorry, the maximum number of clients").is_too_many());
        assert!(!Reply::new(530, "Login incorrect.").is_too_many());
        assert!(!Reply::new(421, "Timeout.").is_too_many());
    }
}
