//! One run of the program: flags over environment over site over defaults.

mod dialer;
mod failure;
mod link;
mod persist;

use std::{path::PathBuf, sync::Arc};

use ftp_config::{ClientConfig, Environment, Secret, client::Verify};

pub use self::{failure::Failure, link::Link};
pub(crate) use self::{failure::hint, link::now};
use crate::{
    cancel::Cancel,
    cli::{Global, VerifyWhen},
    remote::pool::Pool,
    transfer::{Options, stream::Terms},
    trust::store::Store,
    ui::{Ui, escape::shown},
};

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
    /// The configuration's file, if it only happened to be in the working directory.
    by_chance: Option<PathBuf>,
    home: Option<PathBuf>,
    password: Option<String>,
    /// Whom the shell's `user` named, with the password if it was said.
    named: Option<(String, Option<Secret>)>,
    /// The shell's connection, lent to a one-shot command.
    lent: Option<(Arc<Pool>, String)>,
}

impl App {
    /// Loads the configuration and the known servers.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn load(ui: Ui, global: Global, cancel: Cancel) -> Result<Self, Failure> {
        let environment = Environment::of_process();
        let (config, by_chance) = load_config(&ui, &global, &environment)?;
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
            by_chance,
            home: environment.home,
            password,
            named: None,
            lent: None,
        })
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

    /// What streams are moved by.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let Options { limit, verify, .. } = self.options();
        Terms::new(self.cancel.clone(), limit, verify)
    }
}

/// Loads the file; also returns it when nobody named it.
fn load_config(
    ui: &Ui,
    global: &Global,
    environment: &Environment,
) -> Result<(ClientConfig, Option<PathBuf>), Failure> {
    let found = match ftp_config::find_config(global.config.as_deref(), environment) {
        Ok(found) => found,
        // The client needs no file: a URL says everything.
        Err(ftp_config::ConfigError::NotFound { .. }) => {
            return Ok((ClientConfig::default(), None));
        }
        Err(error) => return Err(Failure::Config(error.report("ftpc"))),
    };
    let path = found.path;
    if global.verbose > 0 {
        let name = path.display().to_string();
        ui.remark(format!("configuration: {}", shown(&name)));
    }
    let loaded =
        ftp_config::load_client(&path).map_err(|error| Failure::Config(error.report("ftpc")))?;
    loaded.warnings.iter().for_each(|warning| ui.warn(warning));
    Ok((loaded.config, found.is_by_chance.then_some(path)))
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

    /// Sets who logs in from now on, before all flags and URLs; `None`: whom those name.
    pub fn log_in_as(&mut self, named: Option<(String, Option<Secret>)>) {
        self.named = named;
    }
}
