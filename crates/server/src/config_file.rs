//! Where the configuration is and what it says: `ftp-config` with the errors of this program.

use std::path::{Path, PathBuf};

use ftp_config::{Environment, ServerConfig, find_config, load_server};

use crate::error::Error;

/// The server's configuration, its file and its warnings.
pub type Loaded = ftp_config::Loaded<ServerConfig>;

/// Finds the file: the flag, the environment, the usual places.
///
/// # Errors
/// When none was named and none is there.
pub fn find(flag: Option<&Path>) -> Result<PathBuf, Error> {
    Ok(find_config(flag, &Environment::of_process())?.path)
}

/// Loads and checks the file.
///
/// # Errors
/// Every fault at once.
pub fn load(path: &Path) -> Result<Loaded, Error> {
    Ok(load_server(path)?)
}

/// Checks text that is to be written to `path`.
///
/// # Errors
/// Every fault at once.
pub fn check_text(text: &str, path: &Path) -> Result<(), Error> {
    ServerConfig::from_toml(text, path)?;
    Ok(())
}
