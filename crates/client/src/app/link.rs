//! The way to a server: which one is meant, who logs in, and whether its certificate is trusted.

use std::{io::Write as _, path::Path, sync::Arc};

use ftp_config::{Secret, Site, SiteTls};

use super::{App, Failure};
use crate::{
    cli::TlsHow,
    credentials::{Login, Sources},
    error::{Error, RemoteError},
    remote::{
        Dial as _, Remote, Security,
        connect::{Deadlines, Dialer, Wire},
        pool::Pool,
    },
    target::{self, Scheme, Server, Target},
    trust::{Fingerprint, TrustCheck, verifier::Roots},
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
            target::parse_url(&site.url).map_err(|error| Failure::usage(error.to_string()))?;
        Ok((server, Some(site), base))
    }

    fn dialer(&self, server: &Server, site: Option<&Site>) -> Result<Dialer, Failure> {
        let endpoint = server.to_string();
        let (named, password) = match &self.named {
            Some((name, password)) => (Some(name.as_str()), password.as_ref()),
            None => (None, None),
        };
        let user = named
            .or(self.global.user.as_deref())
            .or(server.user.as_deref());
        // A password is for the user that it is written beside.
        let is_theirs = user == server.user.as_deref();
        let sources = Sources {
            user,
            url_password: match named {
                Some(_) => password.map(Secret::expose),
                None => server.password.as_deref().filter(|_| is_theirs),
            },
            environment: self.password.clone(),
            site: site.filter(|_| is_theirs || server.user.is_none()),
            by_chance: self.by_chance.as_deref(),
            netrc: self
                .home
                .as_ref()
                .filter(|_| site.is_none_or(|site| site.netrc))
                .map(|home| home.join(".netrc")),
        };
        if server.password.is_some() {
            self.ui
                .warn("a password in a URL is seen by everyone on this machine; use FTPC_PASSWORD");
        }
        let prompt = |user: &str| {
            let _rest = self.cancel.rest();
            ask::password(user, &endpoint)
        };
        let login = sources
            .find(&server.host, &endpoint, prompt)
            .map_err(Failure::Credentials)?;
        self.dialer_for(server, site, login)
    }

    fn dialer_for(
        &self,
        server: &Server,
        site: Option<&Site>,
        login: Login,
    ) -> Result<Dialer, Failure> {
        let mut dialer = Dialer::new(&server.host, server.port, &login.user, login.password);
        dialer.tls = self.tls(server, site);
        dialer.encoding = match self.global.encoding {
            Some(choice) => choice.0,
            None => site.and_then(|site| site.encoding),
        };
        if let Some(limit) = self.global.timeout {
            dialer.deadlines = Deadlines::all(limit);
        }
        if dialer.tls != SiteTls::Off {
            dialer.roots = roots(site)?;
        }
        dialer.trust = Arc::clone(&self.store) as Arc<dyn TrustCheck>;
        if self.global.verbose > 0 {
            dialer.trace = Some(Arc::new(trace));
        }
        Ok(dialer)
    }

    fn tls(&self, server: &Server, site: Option<&Site>) -> SiteTls {
        match self.global.tls {
            Some(TlsHow::Auto) => SiteTls::Auto,
            Some(TlsHow::Required) => SiteTls::Required,
            Some(TlsHow::Off) => SiteTls::Off,
            Some(TlsHow::Implicit) => SiteTls::Implicit,
            None if server.scheme == Scheme::Ftps => SiteTls::Implicit,
            None => site.map_or(SiteTls::Auto, |site| site.tls),
        }
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
            self.ui.warn(super::failure::chain(&error));
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

    /// A new certificate: `--trust-new` or the person says.
    fn accepts(&self, endpoint: &str, fingerprint: &Fingerprint) -> bool {
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
        ask::yes("Trust it from now on?", &self.cancel)
    }
}

fn roots(site: Option<&Site>) -> Result<Roots, Failure> {
    let pem = match site.and_then(|site| site.ca_file.as_ref()) {
        Some(path) => Some(std::fs::read(path).map_err(|error| Error::local("read", path, error))?),
        None => None,
    };
    Roots::load(pem.as_deref()).map_err(Failure::usage)
}

fn trace(wire: Wire<'_>) {
    let line = match wire {
        Wire::Sent(line) => format!("> {}", shown(line)),
        Wire::Received(line) => format!("< {}", shown(line)),
    };
    let _ = writeln!(std::io::stderr().lock(), "{line}");
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
