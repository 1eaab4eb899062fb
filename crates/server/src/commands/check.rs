//! `ftpd check`: every fault of the configuration, or what would be served.

use std::{io, path::Path, time::SystemTime};

use ftp_config::{ServerConfig, Word as _, server::TlsMode};

use crate::{
    auth::accounts::Accounts, config_file, error::Error, privilege, say, share::OpenError,
    snapshot, tls,
};

/// Checks the configuration at `config`; `print` shows it with every default filled in.
///
/// # Errors
/// Every fault at once.
pub fn run(config: &Path, print: bool) -> Result<(), Error> {
    let loaded = config_file::load(config)?;
    let config = &loaded.config;
    let has_pair = config.tls.cert.exists() || !config.tls.self_signed;
    if config.tls.mode != TlsMode::Off {
        snapshot::ensure_pair(config)?;
    }
    if config.tls.mode != TlsMode::Off && has_pair {
        tls::load(&config.tls.cert, &config.tls.key)?;
        let facts = tls::selfsigned::facts(&config.tls.cert)?;
        if let Some(warning) = facts.warning(SystemTime::now()) {
            say::note(format_args!("ftpd: warning: {warning}"));
        }
    }
    ensure_starts(config, &loaded.path)?;
    for warning in &loaded.warnings {
        say::note(format_args!("ftpd: warning: {warning}"));
    }
    let open_files = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    if let Some(warning) = privilege::too_few(open_files, config.limits.max_clients) {
        say::note(format_args!("ftpd: warning: {warning}"));
    }
    if let Some(closed) = privilege::closed_ports(config) {
        say::note(format_args!("ftpd: warning: {closed}"));
    }
    if print {
        say::text(config.to_toml());
    } else {
        say::text(summary(config));
        say::line(format_args!("{} is good", loaded.path.display()));
    }
    Ok(())
}

/// What a start would find beside the file.
fn ensure_starts(config: &ServerConfig, path: &Path) -> Result<(), Error> {
    privilege::ensure_run_as(config, path)?;
    let root = &config.share.root;
    match root.metadata() {
        Ok(meta) if !meta.is_dir() => Err(Error::Share(OpenError {
            root: root.clone(),
            source: io::ErrorKind::NotADirectory.into(),
        })),
        _ => Ok(()),
    }
}

fn summary(config: &ServerConfig) -> String {
    let listen: Vec<_> = config
        .server
        .listen
        .iter()
        .map(ToString::to_string)
        .collect();
    let users = Accounts::new(config).names();
    let users = if users.is_empty() {
        "nobody yet".to_owned()
    } else {
        users.join(", ")
    };
    let tls = config.tls.mode.word();
    format!(
        "share     {}\nlisten    {}\nusers     {users}\ntls       {tls}\nengine    {}\npassive   {}\n",
        config.share.root.display(),
        listen.join(", "),
        config.server.engine.word(),
        config.passive.ports,
    )
}
