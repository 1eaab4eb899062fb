//! Where the shell is: one connection, and the directory in which its session stands.

use std::time::{Duration, Instant};

use ftp_config::Secret;

use super::{act::Shell, quote::Midst};
use crate::{
    app::{App, Failure, Link},
    error::{Error, RemoteError},
    exit::ExitCode,
    remote::{Kind, Remote, names},
    ui::{ask, escape::shown},
};

/// How long the names for completion are believed.
const FRESH: Duration = Duration::from_secs(5);
/// How long completion may wait for the server.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the shell is.
pub(super) struct Connected {
    pub(super) link: Link,
    pub(super) cwd: String,
    /// Where `cd` alone goes: where the prompt began.
    pub(super) home: String,
    /// The session that stands there; others have their login directory.
    pub(super) standing: u64,
    /// What `quote` has left that session in.
    pub(super) midst: Midst,
}

impl Shell<'_> {
    pub(super) async fn close(&mut self) {
        if let Some(at) = self.link.take() {
            at.link.pool.close().await;
        }
    }

    /// Connects to a host, a URL or a site. Whom `user` named is known to the server before alone.
    pub(super) async fn open(&mut self, server: &str) -> Result<(), Failure> {
        self.app.log_in_as(None);
        self.connect(server).await
    }

    async fn connect(&mut self, server: &str) -> Result<(), Failure> {
        self.close().await;
        let target = self.app.server(server)?;
        self.server = Some(server.to_owned());
        if std::mem::take(&mut self.login_follows) {
            return Ok(());
        }
        let link = self.app.open(&target).await?;
        let start = names::join(&link.base, target.path());
        // A session that was left where it waited is no more.
        let begun = self.app.cancel.or_leave(begin(&link, &start)).await;
        let (session, cwd) = match begun.ok_or(Error::Interrupted)? {
            Ok(begun) => begun,
            Err(error) => {
                link.close().await;
                return Err(error.into());
            }
        };
        let greeting = session.facts().greeting.join("\n");
        let standing = session.number();
        link.pool.give_back(session);
        if !greeting.is_empty() {
            greeting
                .lines()
                .for_each(|line| self.app.ui.remark(shown(line)));
        }
        self.link = Some(Connected {
            link,
            home: cwd.clone(),
            cwd,
            standing,
            midst: Midst::Nothing,
        });
        self.names = (None, Vec::new());
        Ok(())
    }

    pub(super) async fn user(
        &mut self,
        name: &str,
        password: Option<Secret>,
    ) -> Result<(), Failure> {
        self.login_follows = false;
        let server = self.server.clone().ok_or_else(not_connected)?;
        let endpoint = self.app.endpoint(&self.app.server(&server)?)?;
        let password = match password {
            None => ask::password(name, &endpoint).map_err(|_| Error::Interrupted)?,
            said => said,
        };
        self.app.log_in_as(Some((name.to_owned(), password)));
        self.connect(&server).await
    }

    pub(super) fn connected(&self) -> Result<&Connected, Failure> {
        self.link.as_ref().ok_or_else(not_connected)
    }

    /// Runs a one-shot command on the shell's connection.
    pub(super) async fn lent(
        &mut self,
        work: impl AsyncFnOnce(&App) -> Result<ExitCode, Failure>,
    ) -> Result<ExitCode, Failure> {
        let work = async |app: &App| {
            let ended = app.cancel.or_leave(work(app)).await;
            ended.unwrap_or_else(|| Err(Error::Interrupted.into()))
        };
        self.lent_to_the_end(work).await
    }

    /// Runs one that keeps what it has for a resume when it is stopped.
    pub(super) async fn lent_to_the_end(
        &mut self,
        work: impl AsyncFnOnce(&App) -> Result<ExitCode, Failure>,
    ) -> Result<ExitCode, Failure> {
        self.names.0 = None;
        let at = &self.connected()?.link;
        let (pool, endpoint) = (std::sync::Arc::clone(&at.pool), at.endpoint.clone());
        self.app.lend(pool, &endpoint);
        let done = work(self.app).await;
        self.app.take_back();
        done
    }

    /// Asks the server something; a session that was left where it waited is no more.
    pub(super) async fn asked<T>(
        &self,
        question: impl AsyncFnOnce(&mut dyn Remote) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (link, cancel) = (&self.connected()?.link, &self.app.cancel);
        let session = cancel.or_leave(link.session()).await;
        let mut session = session.ok_or(Error::Interrupted)??;
        let answer = cancel.or_leave(question(&mut *session)).await;
        let answer = answer.ok_or(Error::Interrupted)?;
        link.pool.give_back(session);
        answer
    }

    /// Notes that this session has the directory of the prompt.
    pub(super) fn stands_in(&mut self, session: u64) {
        if let Some(at) = &mut self.link {
            at.standing = session;
        }
    }

    pub(super) async fn cd(&mut self, path: &str) -> Result<ExitCode, Failure> {
        let enter = async |session: &mut dyn Remote| {
            let cwd = enter(session, path).await?;
            Ok((cwd, session.number()))
        };
        let (cwd, standing) = self.asked(enter).await?;
        if let Some(at) = &mut self.link {
            (at.cwd, at.standing) = (cwd, standing);
        }
        self.names.0 = None;
        Ok(ExitCode::Done)
    }

    /// The names of the remote directory, for completion; silent when the server is slow. It is not asked while
    /// the person is in the midst of something with it.
    pub(super) async fn names(&mut self) -> Vec<String> {
        let fresh = self.names.0.is_some_and(|at| at.elapsed() < FRESH);
        let open = self.link.as_ref().filter(|at| at.midst == Midst::Nothing);
        if let (Some(at), false) = (open, fresh)
            && let Ok(Ok(mut session)) = tokio::time::timeout(PATIENCE, at.link.session()).await
            && let Ok(listed) = tokio::time::timeout(PATIENCE, session.list(&at.cwd)).await
        {
            at.link.pool.give_back(session);
            // Not everybody may list; nothing is completed then.
            let listing = listed.unwrap_or_default();
            let name = |entry: crate::remote::Entry| {
                let end = if entry.kind == Kind::Dir { "/" } else { "" };
                format!("{}{end}", entry.name.as_str())
            };
            self.names = (
                Some(Instant::now()),
                listing.entries.into_iter().map(name).collect(),
            );
        }
        self.names.1.clone()
    }
}

/// Takes a session to where the prompt begins.
async fn begin(link: &Link, start: &str) -> Result<(Box<dyn Remote>, String), RemoteError> {
    let mut session = link.session().await?;
    match enter(&mut *session, start).await {
        Ok(cwd) => Ok((session, cwd)),
        Err(error) => {
            link.pool.give_back(session);
            Err(error)
        }
    }
}

/// Changes the directory, unless none is named, and asks where that is.
async fn enter(session: &mut dyn Remote, dir: &str) -> Result<String, RemoteError> {
    if !dir.is_empty() {
        session.cwd(dir).await?;
    }
    session.pwd().await
}

fn not_connected() -> Failure {
    Failure::Usage(
        "not connected".to_owned(),
        Some("`open HOST` connects".to_owned()),
    )
}
