//! `ftpd cert`: the fingerprint and dates of the certificate, or a new one.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ftp_config::{ServerConfig, server::TlsMode};

use super::ask;
use crate::{
    config_file,
    error::Error,
    say,
    tls::{self, selfsigned},
};

/// Shows the certificate of the configuration at `path`; `renew` makes a new one first.
///
/// # Errors
/// When there is none, it cannot be read, or a bought one would be replaced.
pub fn run(path: &Path, renew: bool) -> Result<(), Error> {
    let config = config_file::load(path)?.config;
    let told = match renew {
        true => make(&config).map(|()| ask::tell_change(path))?,
        false => Ok(()),
    };
    if config.tls.self_signed && !config.tls.cert.exists() {
        return Err(Error::Failed(format!(
            "no certificate at {} yet: the first start of ftpd makes it, or `ftpd cert --renew`",
            config.tls.cert.display()
        )));
    }
    show(&config)?;
    told
}

fn make(config: &ServerConfig) -> Result<(), Error> {
    if !config.tls.self_signed {
        return Err(Error::Usage(
            "`tls.cert` names a certificate of yours: ftpd renews only the one it made".to_owned(),
        ));
    }
    let addresses: Vec<_> = config.server.listen.iter().map(SocketAddr::ip).collect();
    let names = selfsigned::names_for(&addresses);
    selfsigned::make(&config.tls.cert, &config.tls.key, &names)?;
    say::line("made a new certificate; clients that remember the old one will ask");
    Ok(())
}

fn show(config: &ServerConfig) -> Result<(), Error> {
    tls::load(&config.tls.cert, &config.tls.key)?;
    let facts = selfsigned::facts(&config.tls.cert)?;
    let days = selfsigned::days_until(facts.not_after_unix, SystemTime::now());
    say::line(format_args!("certificate  {}", config.tls.cert.display()));
    say::line(format_args!("key          {}", config.tls.key.display()));
    say::line(format_args!("names        {}", facts.subject));
    say::line(format_args!("good from    {}", date(facts.not_before_unix)));
    say::line(format_args!(
        "good until   {} ({days} days left)",
        date(facts.not_after_unix)
    ));
    let kind = if facts.self_signed {
        "self-signed"
    } else {
        "signed"
    };
    say::line(format_args!("kind         {kind}"));
    say::line(format_args!("SHA-256      {}", facts.fingerprint));
    if config.tls.mode == TlsMode::Off {
        say::line("it is not served: `tls.mode` is \"off\"");
    }
    Ok(())
}

fn date(unix: i64) -> String {
    let time = u64::try_from(unix).map(|secs| UNIX_EPOCH + Duration::from_secs(secs));
    time.ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok())
        .map_or_else(|| unix.to_string(), |t| t.strftime("%Y-%m-%d").to_string())
}
