//! What the client uses of `ftp.toml`: `[client]` and the `[site.NAME]` bookmarks.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{ByteRate, Encoding, Secret, Word, defaults};

/// The whole configuration of `ftpc`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientConfig {
    /// The site used when a command names none.
    pub site: Option<String>,
    /// Sessions at once for trees and lists of files.
    pub jobs: u32,
    /// When hashes are compared after a transfer.
    pub verify: Verify,
    /// Limit of all transfers together.
    pub limit: ByteRate,
    /// The sites by name.
    pub sites: BTreeMap<String, Site>,
}

impl Default for ClientConfig {
    /// What holds without a file.
    fn default() -> Self {
        Self {
            site: None,
            jobs: defaults::JOBS,
            verify: Verify::Auto,
            limit: ByteRate::UNLIMITED,
            sites: BTreeMap::new(),
        }
    }
}

/// When hashes are compared after a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// When the server offers one and the file is 1 MiB or more, or was resumed.
    Auto,
    /// Always; a server without any hash is an error.
    Always,
    /// Never; sizes are still compared.
    Never,
}

impl Word for Verify {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("always", Self::Always),
        ("never", Self::Never),
    ];
}

/// How a site speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteTls {
    /// AUTH TLS when the server offers it; never again in clear once it did.
    Auto,
    /// AUTH TLS or nothing.
    Required,
    /// Clear text.
    Off,
    /// TLS from the first byte (port 990).
    Implicit,
}

impl Word for SiteTls {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("required", Self::Required),
        ("off", Self::Off),
        ("implicit", Self::Implicit),
    ];
}

/// One `[site.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// `ftp://user@host:port/path`, as written.
    pub url: String,
    /// The password, if the file holds it.
    pub password: Option<Secret>,
    /// A command whose first line of output is the password.
    pub password_command: Option<String>,
    /// Whether `~/.netrc` is asked.
    pub netrc: bool,
    /// How the site speaks TLS.
    pub tls: SiteTls,
    /// How names are encoded; `None`: `auto`.
    pub encoding: Option<Encoding>,
    /// A PEM file of certificates trusted for this site besides the system's.
    pub ca_file: Option<PathBuf>,
}
