//! `trust`: the certificates that are remembered.

use super::Answer;
use crate::{
    app::{App, Failure, now},
    cli::Trust,
    error::{Error, RemoteError},
    exit::ExitCode,
    target::Target,
    trust::{Fingerprint, TrustCheck as _},
    ui::escape::shown,
};

/// Runs `trust`.
///
/// # Errors
/// The server cannot be asked, or the file cannot be written.
pub async fn run(app: &mut App, args: &Trust) -> Answer {
    match args {
        Trust::List => {
            list(app);
            Ok(ExitCode::Done)
        }
        Trust::Add {
            server,
            fingerprint: Some(text),
        } => add_told(app, server, text),
        Trust::Add {
            server,
            fingerprint: None,
        } => {
            let target = app.server(server)?;
            add_shown(app, &target).await
        }
        Trust::Remove { server } => {
            let endpoint = app.endpoint(&app.server(server)?)?;
            if !app.store.forget(&endpoint) {
                return Err(Failure::usage(format!("`{endpoint}` is not remembered")));
            }
            app.store.save()?;
            Ok(ExitCode::Done)
        }
    }
}

fn list(app: &App) {
    if app.ui.json {
        let known = app.store.list().into_iter().map(|(endpoint, known)| {
            serde_json::json!({
                "server": endpoint,
                "tls": known.spoke_tls,
                "first_seen": known.first_seen,
                "certificate": known.certificate,
            })
        });
        return app.ui.answer(known.collect::<serde_json::Value>());
    }
    for (endpoint, known) in app.store.list() {
        let certificate = known.certificate.unwrap_or_else(|| "no pin".to_owned());
        let seen = known.first_seen.unwrap_or_default();
        let tls = if known.spoke_tls { "TLS" } else { "clear" };
        app.ui
            .answer_wrapped(&format!("{endpoint}  {tls}  {seen}  {certificate}"), 2);
    }
}

/// Remembers a certificate whose fingerprint somebody was told.
fn add_told(app: &App, server: &str, fingerprint: &str) -> Answer {
    let print: Fingerprint = fingerprint
        .parse()
        .map_err(|error: crate::trust::BadFingerprint| Failure::usage(error.to_string()))?;
    let endpoint = app.endpoint(&app.server(server)?)?;
    app.store.forget(&endpoint);
    app.store.pin(&endpoint, &print, &now());
    // Whoever was told a certificate expects it, never clear text in its place.
    app.store.note_tls(&endpoint);
    app.store.save()?;
    Ok(ExitCode::Done)
}

/// Remembers the certificate that the server shows; that needs no login.
async fn add_shown(app: &App, target: &Target) -> Answer {
    let (endpoint, print, why) = match app.meet(target).await {
        Ok((endpoint, security)) => {
            let why = if security.by_root {
                "a known root vouches for it, it needs no pin"
            } else {
                "it was remembered before"
            };
            let print = security.fingerprint.map(|print| print.to_string());
            (endpoint, print.unwrap_or_default(), why)
        }
        Err(Failure::Work(Error::Remote(RemoteError::Untrusted {
            endpoint,
            fingerprint,
        }))) => {
            app.store.pin(&endpoint, &fingerprint, &now());
            (endpoint, fingerprint.to_string(), "remembered")
        }
        Err(Failure::Work(Error::Remote(RemoteError::TlsRefused { endpoint, reply }))) => {
            app.ui.error(shown(&format!(
                "{endpoint} has no TLS, so there is no certificate to remember: {reply}"
            )));
            return Err(Failure::Said(ExitCode::Certificate));
        }
        Err(failure) => return Err(failure),
    };
    app.store.note_tls(&endpoint);
    app.store.save()?;
    app.ui.answer(format!("{endpoint}  {print}"));
    app.ui.remark(why);
    Ok(ExitCode::Done)
}
