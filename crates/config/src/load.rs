//! Finds, reads and checks the file.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

use crate::{
    ClientConfig, ServerConfig,
    error::{ConfigError, Fault},
    exposed::{warn_exposed, warn_key},
    reader::{Faults, Section},
    resolve::{resolve_client, resolve_server},
    server::Password,
    source::Source,
};

/// A configuration, where it came from, and what is odd about it without being wrong.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// The configuration.
    pub config: T,
    /// The file.
    pub path: PathBuf,
    /// One sentence each.
    pub warnings: Vec<String>,
}

/// Loads the server's side of a file; the client's side is checked too.
///
/// # Errors
/// Every way in which the file cannot be used; see [`ConfigError`].
pub fn load_server(path: &Path) -> Result<Loaded<ServerConfig>, ConfigError> {
    let (source, readable) = read(path)?;
    let (config, client, mut warnings) = parse(&source)?;
    warn_readable(&mut warnings, readable, &source, &config, &client);
    warn_key(&mut warnings, &config);
    warn_exposed(&mut warnings, path, &config);
    Ok(Loaded {
        config,
        path: path.to_owned(),
        warnings,
    })
}

/// Loads the client's side of a file; the server's side is not asked who may log in.
///
/// # Errors
/// Every way in which the file cannot be used; see [`ConfigError`].
pub fn load_client(path: &Path) -> Result<Loaded<ClientConfig>, ConfigError> {
    let (source, readable) = read(path)?;
    let config = parse_client(&source)?;
    let mut warnings = Vec::new();
    if readable && config.sites.values().any(holds_secret) {
        warnings.push(readable_warning(&source));
    }
    Ok(Loaded {
        config,
        path: path.to_owned(),
        warnings,
    })
}

impl ServerConfig {
    /// Parses the text of a file; `path` is what relative paths are relative to.
    ///
    /// # Errors
    /// [`ConfigError::Faults`].
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        parse(&Source::new(path, text)).map(|(config, ..)| config)
    }
}

impl ClientConfig {
    /// Parses the text of a file; `path` is what relative paths are relative to.
    ///
    /// # Errors
    /// [`ConfigError::Faults`].
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        parse_client(&Source::new(path, text))
    }
}

/// Refuses what is not a file, or may be written by everybody: who can write it decides who reads the share.
/// Returns its facts.
///
/// # Errors
/// [`ConfigError::Unreadable`], [`ConfigError::NotAFile`], [`ConfigError::Writable`].
pub fn ensure_trusted(path: &Path) -> Result<Metadata, ConfigError> {
    let meta = std::fs::metadata(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    if !meta.is_file() {
        return Err(ConfigError::NotAFile {
            path: path.to_owned(),
        });
    }
    if meta.mode() & 0o002 != 0 {
        return Err(ConfigError::Writable {
            path: path.to_owned(),
            mode: meta.mode() & 0o7777,
        });
    }
    Ok(meta)
}

/// Reads the file; also tells whether others may read it.
pub(crate) fn read(path: &Path) -> Result<(Source, bool), ConfigError> {
    let unreadable = |source: io::Error| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let meta = ensure_trusted(path)?;
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| ConfigError::NotText {
        path: path.to_owned(),
    })?;
    // The directory is made whole, so that the share's path is whole too.
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut source = Source::new(&whole, &text);
    source.show_as(path);
    Ok((source, meta.mode() & 0o004 != 0))
}

fn parse(source: &Source) -> Result<(ServerConfig, ClientConfig, Vec<String>), ConfigError> {
    with_root(source, |root| {
        let mut warnings = Vec::new();
        let server = resolve_server(root, &mut warnings);
        (server, resolve_client(root), warnings)
    })
}

fn parse_client(source: &Source) -> Result<ClientConfig, ConfigError> {
    let server_tables = [
        "server",
        "share",
        "auth",
        "user",
        "anonymous",
        "passive",
        "active",
        "tls",
        "limits",
        "timeouts",
        "uploads",
        "names",
        "log",
        "metrics",
        "announce",
    ];
    with_root(source, |root| {
        // The server's tables are the server's to judge: its list files may not be readable here.
        for table in server_tables {
            root.span_of(table);
        }
        resolve_client(root)
    })
}

/// Runs `resolve` on the file's table; answers with its value or with every fault.
fn with_root<T>(
    source: &Source,
    resolve: impl FnOnce(&Section<'_, '_>) -> T,
) -> Result<T, ConfigError> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let faults = Faults::new(source);
    for error in errors {
        let what = error.message().trim_end_matches('.').to_owned();
        faults.add(error.span(), what, "correct the TOML");
    }
    let root = Section::root(&faults, table.get_ref());
    let value = resolve(&root);
    root.finish();
    let faults: Vec<Fault> = faults.into_list();
    if faults.is_empty() {
        return Ok(value);
    }
    Err(ConfigError::Faults {
        path: source.shown().to_owned(),
        faults,
    })
}

fn warn_readable(
    warnings: &mut Vec<String>,
    readable: bool,
    source: &Source,
    server: &ServerConfig,
    client: &ClientConfig,
) {
    let hashes = server
        .users
        .iter()
        .any(|user| matches!(user.password, Password::Hash(_)));
    if readable && (hashes || client.sites.values().any(holds_secret)) {
        warnings.push(readable_warning(source));
    }
}

/// The shipped sample's own password is no secret.
fn holds_secret(site: &crate::Site) -> bool {
    let sample = crate::defaults::SAMPLE_PASSWORD;
    site.password
        .as_ref()
        .is_some_and(|secret| secret.expose() != sample)
}

fn readable_warning(source: &Source) -> String {
    let path = source.shown().display();
    format!("`{path}` holds passwords or hashes and others may read it: run `chmod 640 {path}`")
}
