//! The way to a server: which one is meant, who logs in, and whether its certificate is trusted.

use std::{path::Path, sync::Arc};

use ftp_config::{Secret, Site};

use super::{App, Failure};
use crate::{
    credentials::Login,
    error::{Error, RemoteError},
    remote::{Dial as _, Remote, Security, pool::Pool},
    target::{Server, Target, url},
    trust::Fingerprint,
    ui::{ask, escape::shown},
};

/// A way to one server: sessions, and the directory that relative paths are in.
pub struct Link {
    /// Sessions with the server.
    pub pool: Arc<Pool>,
    /// The directory of the URL or site; empty: the login directory.
    pub base: String,
    /// `host:port`.
    pub endpoint: String,
    /// Whether the sessions are the shell's and stay open.
    kept: bool,
}

impl Link {
    /// Takes a session.
    ///
    /// # Errors
    /// None could be made.
    pub async fn session(&self) -> Result<Box<dyn Remote>, RemoteError> {
        self.pool.dial().await
    }

    /// Says goodbye to the server, unless the shell goes on.
    pub async fn close(&self) {
        if !self.kept {
            self.pool.close().await;
        }
    }
}

impl App {
    /// Reads an operand.
    ///
    /// # Errors
    /// A URL that cannot be read, or a site that is not there.
    pub fn target(&self, text: &str) -> Result<Target, Failure> {
        // The shell says whole paths, and where they begin is the server's affair (`C:/`).
        if self.lent.is_some() {
            return Ok(Target::Path(text.to_owned()));
        }
        Target::parse(text, self.config.sites.keys().map(String::as_str))
            .map_err(|error| Failure::Usage(shown(&error.to_string()), error.hint()))
    }

    /// Reads an operand that may be local: a word before a colon needs no site where a file of that
    /// very name exists.
    ///
    /// # Errors
    /// As [`App::target`].
    pub fn target_or_local(&self, text: &str) -> Result<Target, Failure> {
        match self.target(text) {
            Err(_) if Path::new(text).exists() => Ok(Target::Path(text.to_owned())),
            other => other,
        }
    }

    /// Reads an operand that can only be a server: a site, a URL, or a host with or without a port.
    ///
    /// # Errors
    /// A URL that cannot be read.
    pub fn server(&self, text: &str) -> Result<Target, Failure> {
        if self.config.sites.contains_key(text) {
            return Ok(Target::Site(text.to_owned(), String::new()));
        }
        // `HOST:2121` is no site and no path here.
        match self.target(text) {
            Ok(named) if named.is_explicit() => Ok(named),
            Err(failure) if text.contains("://") => Err(failure),
            _ => self.target(&format!("ftp://{text}/")),
        }
    }

    /// Returns `host:port` of a target.
    ///
    /// # Errors
    /// It names no server.
    pub fn endpoint(&self, target: &Target) -> Result<String, Failure> {
        Ok(self.place(target)?.0.to_string())
    }

    /// Returns the server of a target, its site, and the directory that its path is in.
    fn place(&self, target: &Target) -> Result<(Server, Option<&Site>, String), Failure> {
        let name = match target {
            Target::Url(server, _) => return Ok((server.clone(), None, String::new())),
            Target::Site(name, _) => name,
            Target::Path(_) => self.config.site.as_ref().ok_or_else(|| {
                Failure::Usage(
                    "no server is named and there is no default site".to_owned(),
                    Some("write it as in ftp://ann@192.168.1.5:2121/, or set client.site in ftp.toml".to_owned()),
                )
            })?,
        };
        let site = self.config.sites.get(name);
        let site = site.ok_or_else(|| Failure::usage(format!("there is no site `{name}`")))?;
        let (server, base) =
            url::parse(&site.url).map_err(|error| Failure::usage(error.to_string()))?;
        Ok((server, Some(site), base))
    }

    /// Looks at the certificate that a server shows, without a login. Returns its `host:port`.
    ///
    /// # Errors
    /// It has no TLS, its certificate is not trusted, or it cannot be reached.
    pub async fn meet(&self, target: &Target) -> Result<(String, Security), Failure> {
        let (server, site, _) = self.place(target)?;
        let nobody = Login {
            user: String::new(),
            password: Secret::new(""),
        };
        let dialer = self.dialer_for(&server, site, nobody)?;
        let security = self.stoppable(dialer.meet()).await?;
        Ok((server.to_string(), security))
    }

    /// Connects and logs in; a new certificate is asked about once.
    ///
    /// # Errors
    /// Anything on the way.
    pub async fn open(&self, target: &Target) -> Result<Link, Failure> {
        if let Some((pool, endpoint)) = &self.lent {
            // The shell's connection stays open.
            return Ok(Link {
                pool: Arc::clone(pool),
                base: String::new(),
                endpoint: endpoint.clone(),
                kept: true,
            });
        }
        let (server, site, base) = self.place(target)?;
        let dialer = self.dialer(&server, site)?;
        let endpoint = server.to_string();
        let pool = Arc::new(Pool::new(Arc::new(dialer)));
        let first = match self.stoppable(pool.dial()).await {
            Err(Error::Remote(RemoteError::Untrusted {
                endpoint,
                fingerprint,
            })) if self.accepts(&endpoint, &fingerprint) => {
                self.store.pin(&endpoint, &fingerprint, &now());
                self.stoppable(pool.dial()).await?
            }
            Err(_) if self.cancel.is_stopped() => return Err(Error::Interrupted.into()),
            other => other?,
        };
        pool.give_back(first);
        self.remember()?;
        Ok(Link {
            pool,
            base,
            endpoint,
            kept: false,
        })
    }

    /// Writes down what was learnt of servers.
    ///
    /// # Errors
    /// A new certificate cannot be remembered.
    pub(crate) fn remember(&self) -> Result<(), Failure> {
        if let Some(error) = self.store.save_what_matters()? {
            self.ui.warn(shown(&super::failure::chain(&error)));
        }
        Ok(())
    }

    /// Waits for a session, unless the person stops it.
    async fn stoppable<T>(
        &self,
        work: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = work => Ok(done?),
            () = self.cancel.stopped() => Err(Error::Interrupted),
        }
    }

    /// A new certificate: `--trust-new` or the person says; the person alone where it comes in the place of
    /// one that a root vouched for, as that of somebody in between would.
    fn accepts(&self, endpoint: &str, fingerprint: &Fingerprint) -> bool {
        if self.store.was_vouched_for(endpoint) {
            self.ui.warn(format!(
                "until now a known root vouched for the certificate of {endpoint}; for this one none does, and \
                 somebody may be in between. Its SHA-256 is\n  {fingerprint}"
            ));
            return ask::somebody() && self.asks_to_trust();
        }
        if self.global.trust_new {
            self.ui.remark(format!(
                "remembering the certificate of {endpoint}: {fingerprint}"
            ));
            return true;
        }
        // On loopback nobody can be in between; a change is still refused.
        if is_loopback(endpoint) {
            return true;
        }
        if !ask::somebody() {
            return false;
        }
        self.ui.remark(format!(
            "{endpoint} was never seen before. The SHA-256 of its certificate is\n  {fingerprint}\n\
             `ftpd` shows the same when it starts; if it does, nobody is in between."
        ));
        self.asks_to_trust()
    }

    fn asks_to_trust(&self) -> bool {
        ask::yes("Trust it from now on?", &self.cancel)
    }
}

fn is_loopback(endpoint: &str) -> bool {
    endpoint
        .parse::<std::net::SocketAddr>()
        .is_ok_and(|address| address.ip().is_loopback())
        || endpoint.starts_with("localhost:")
}

/// The day, for the record of when a certificate was first seen.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
