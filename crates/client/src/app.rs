//! One run of the program: flags over environment over site over defaults, and the way to a server.

use std::{io::Write as _, path::PathBuf, sync::Arc};

use ftp_config::{ClientConfig, Environment, Secret, Site, SiteTls, client::Verify};

use crate::{
    cancel::Cancel,
    cli::{Global, TlsHow, VerifyWhen},
    credentials::{CredentialError, Login, Sources},
    error::{Error, RemoteError},
    exit::ExitCode,
    remote::{
        Dial as _, Remote, Security,
        connect::{Deadlines, Dialer, Wire},
        pool::Pool,
    },
    target::{self, Scheme, Server, Target},
    transfer::Options,
    trust::{
        Fingerprint, TrustCheck,
        store::{Store, StoreError},
        verifier::Roots,
    },
    ui::{Ui, ask, escape::shown},
};

/// Why a command ended without doing its work.
#[derive(Debug)]
pub enum Failure {
    /// Wrong words; the second is a hint.
    Usage(String, Option<String>),
    /// The configuration cannot be used; the report is ready to print.
    Config(String),
    /// A file of this program's own cannot be used.
    Store(StoreError),
    /// No password.
    Credentials(CredentialError),
    /// The work failed.
    Work(Error),
    /// Everything was said already.
    Said(ExitCode),
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        Self::Work(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// Makes a usage error.
    #[must_use]
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into(), None)
    }

    /// Returns the exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(..) | Self::Config(_) | Self::Store(_) => ExitCode::Usage,
            Self::Credentials(_) => ExitCode::Login,
            Self::Work(error) => error.into(),
            Self::Said(code) => *code,
        }
    }

    /// Says it, with the one thing to try.
    pub fn say(&self, ui: &Ui) {
        match self {
            Self::Usage(text, hint) => {
                ui.error(text);
                if let Some(hint) = hint {
                    ui.hint(hint);
                }
            }
            Self::Config(report) => {
                let _ = std::io::stderr().lock().write_all(report.as_bytes());
            }
            Self::Store(error) => ui.error(chain(error)),
            Self::Credentials(error) => {
                ui.error(error);
                if let Some(hint) = credential_hint(error) {
                    ui.hint(hint);
                }
            }
            Self::Work(error) => {
                ui.error(shown(&error.chain()));
                if let Some(hint) = hint(error) {
                    ui.hint(hint);
                }
            }
            Self::Said(_) => {}
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn credential_hint(error: &CredentialError) -> Option<String> {
    match error {
        CredentialError::NetrcReadable { path, .. } => {
            Some(format!("run `chmod 600 {}`", path.display()))
        }
        CredentialError::NoPrompt { .. } => {
            Some("set FTPC_PASSWORD, or write the password in the site's table".to_owned())
        }
        CredentialError::Command(_) => None,
    }
}

/// The one thing to try, where there is one.
pub(crate) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Exists { .. } => {
            Some("replace it with `--force`, or name another with `-o`".to_owned())
        }
        Error::Remote(RemoteError::CertificateChanged { endpoint, .. }) => Some(format!(
            "ask whoever runs the server; if it is meant, run `ftpc trust remove {endpoint}`"
        )),
        Error::Remote(RemoteError::Untrusted { endpoint, .. }) => Some(format!(
            "compare it with what the server shows, then run `ftpc trust add {endpoint}`"
        )),
        Error::Remote(RemoteError::TlsDowngrade { endpoint, .. }) => Some(format!(
            "somebody may be in between; if TLS was turned off on purpose, run `ftpc trust remove {endpoint}`"
        )),
        Error::Remote(RemoteError::TlsRefused { .. }) => {
            Some("`--tls auto` takes clear text where the server has no TLS".to_owned())
        }
        _ => None,
    }
}

/// Everything that a command needs to know about this run.
pub struct App {
    /// The screen.
    pub ui: Ui,
    /// The flags every command takes.
    pub global: Global,
    /// The configuration.
    pub config: ClientConfig,
    /// The servers known.
    pub store: Arc<Store>,
    /// Stops the work.
    pub cancel: Cancel,
    home: Option<PathBuf>,
    password: Option<String>,
    /// The shell's connection, lent to a one-shot command.
    lent: Option<(Arc<Pool>, String)>,
}

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
    /// Loads the configuration and the known servers.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn load(ui: Ui, global: Global, cancel: Cancel) -> Result<Self, Failure> {
        let environment = Environment::of_process();
        let config = load_config(&ui, &global, &environment)?;
        let dir = environment
            .xdg_config_home
            .clone()
            .or_else(|| environment.home.as_ref().map(|home| home.join(".config")))
            .unwrap_or_else(|| PathBuf::from("."));
        let store = Arc::new(Store::open(dir.join("ftpc/known_hosts.toml"))?);
        let password = std::env::var("FTPC_PASSWORD")
            .ok()
            .filter(|text| !text.is_empty());
        Ok(Self {
            ui,
            global,
            config,
            store,
            cancel,
            home: environment.home,
            password,
            lent: None,
        })
    }

    /// Reads an operand.
    ///
    /// # Errors
    /// A URL that cannot be read.
    pub fn target(&self, text: &str) -> Result<Target, Failure> {
        Target::parse(text, |name| self.config.sites.contains_key(name))
            .map_err(|error| Failure::usage(error.to_string()))
    }

    /// Reads an operand that can only be a server: a site, a URL, or a host with or without a port.
    ///
    /// # Errors
    /// A URL that cannot be read.
    pub fn server(&self, text: &str) -> Result<Target, Failure> {
        if self.config.sites.contains_key(text) {
            return Ok(Target::Site(text.to_owned(), String::new()));
        }
        match self.target(text)? {
            Target::Path(_) => self.target(&format!("ftp://{text}/")),
            named => Ok(named),
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
        let sources = Sources {
            user: self.global.user.as_deref().or(server.user.as_deref()),
            url_password: server.password.as_deref(),
            environment: self.password.clone(),
            site,
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
        let prompt = |user: &str| ask::password(user, &endpoint);
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
        dialer.roots = roots(site)?;
        dialer.trust = Arc::clone(&self.store) as Arc<dyn TrustCheck>;
        if self.global.verbose {
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
            // The shell says whole paths; its connection stays open.
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
            other => other?,
        };
        pool.give_back(first);
        self.store.save()?;
        Ok(Link {
            pool,
            base,
            endpoint,
            kept: false,
        })
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
        ask::yes("Trust it from now on?")
    }

    /// Returns the wishes for a run.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            jobs: self.global.jobs.unwrap_or(self.config.jobs) as usize,
            verify: match self.global.verify {
                Some(VerifyWhen::Auto) => Verify::Auto,
                Some(VerifyWhen::Always) => Verify::Always,
                Some(VerifyWhen::Never) => Verify::Never,
                None => self.config.verify,
            },
            limit: self.global.limit.unwrap_or(self.config.limit),
            ..Options::default()
        }
    }
}

fn load_config(
    ui: &Ui,
    global: &Global,
    environment: &Environment,
) -> Result<ClientConfig, Failure> {
    let path = match ftp_config::find_config(global.config.as_deref(), environment) {
        Ok(path) => path,
        // The client needs no file: a URL says everything.
        Err(ftp_config::ConfigError::NotFound { .. }) => {
            return Ok(ClientConfig {
                site: None,
                jobs: 4,
                verify: Verify::Auto,
                limit: ftp_config::ByteRate::UNLIMITED,
                sites: std::collections::BTreeMap::new(),
            });
        }
        Err(error) => return Err(Failure::Config(error.report("ftpc"))),
    };
    if global.verbose {
        ui.remark(format!("configuration: {}", path.display()));
    }
    let loaded =
        ftp_config::load_client(&path).map_err(|error| Failure::Config(error.report("ftpc")))?;
    loaded.warnings.iter().for_each(|warning| ui.warn(warning));
    Ok(loaded.config)
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

/// Keeps the password out of every Debug print.
impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("site", &self.config.site)
            .finish_non_exhaustive()
    }
}

/// What only the shell needs.
impl App {
    /// Lends the shell's sessions to the next command.
    pub fn lend(&mut self, pool: Arc<Pool>, endpoint: &str) {
        self.lent = Some((pool, endpoint.to_owned()));
    }

    /// Ends the loan.
    pub fn take_back(&mut self) {
        self.lent = None;
    }

    /// Sets the password for the next connection.
    pub fn set_password(&mut self, password: &Secret) {
        self.password = Some(password.expose().to_owned());
    }
}
