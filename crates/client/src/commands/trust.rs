//! `trust`: the certificates that are remembered.

use super::Answer;
use crate::{
    app::{App, Failure, now},
    cli::Trust,
    exit::ExitCode,
    target::Target,
    trust::Fingerprint,
};

/// Runs `trust`.
///
/// # Errors
/// The server cannot be asked, or the file cannot be written.
pub async fn run(app: &mut App, args: &Trust) -> Answer {
    match args {
        Trust::List => {
            for (endpoint, known) in app.store.list() {
                let certificate = known.certificate.unwrap_or_else(|| "no pin".to_owned());
                let seen = known.first_seen.unwrap_or_default();
                let tls = if known.spoke_tls { "TLS" } else { "clear" };
                app.ui
                    .answer(format!("{endpoint}  {tls}  {certificate}  {seen}"));
            }
            Ok(ExitCode::Done)
        }
        Trust::Add {
            server,
            fingerprint: Some(text),
        } => {
            let print: Fingerprint = text
                .parse()
                .map_err(|error: crate::trust::BadFingerprint| Failure::usage(error.to_string()))?;
            let endpoint = endpoint(app, server)?;
            app.store.forget(&endpoint);
            app.store.pin(&endpoint, &print, &now());
            app.store.save()?;
            Ok(ExitCode::Done)
        }
        Trust::Add {
            server,
            fingerprint: None,
        } => {
            let text = if server.contains("://") || app.config.sites.contains_key(server) {
                server.clone()
            } else {
                format!("ftp://{server}/")
            };
            let target = match app.config.sites.get(&text) {
                Some(_) => Target::Site(text, String::new()),
                None => app.target(&text)?,
            };
            app.global.trust_new = true;
            let link = app.open(&target).await?;
            link.close().await;
            Ok(ExitCode::Done)
        }
        Trust::Remove { server } => {
            let endpoint = endpoint(app, server)?;
            if !app.store.forget(&endpoint) {
                return Err(Failure::usage(format!("`{endpoint}` is not remembered")));
            }
            app.store.save()?;
            Ok(ExitCode::Done)
        }
    }
}

/// `host:port` of a URL, a site, or those words themselves.
fn endpoint(app: &App, server: &str) -> Result<String, Failure> {
    let url = match app.config.sites.get(server) {
        Some(site) => site.url.clone(),
        None if server.contains("://") => server.to_owned(),
        None => format!("ftp://{server}/"),
    };
    let parsed =
        crate::target::parse_url(&url).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(parsed.0.to_string())
}
