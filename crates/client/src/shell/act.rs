//! What the shell's commands do: the same code as the one-shot commands, on one connection.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use ftp_config::Secret;

use super::{
    table::{self, ROWS, Row, Verb},
    words,
};
use crate::{
    app::{App, Failure, Link},
    cli::{Ls, Rm},
    commands::{files, list, remove},
    error::{Error, RemoteError},
    exit::ExitCode,
    remote::{Kind, Remote, names},
    ui::{ask, escape::shown},
};

/// How long the names for completion are believed.
const FRESH: Duration = Duration::from_secs(5);
/// How long completion may wait for the server.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shell's state between lines.
pub(super) struct Shell<'a> {
    pub(super) app: &'a mut App,
    /// The connection, and the URL that one-shot commands find it by.
    link: Option<Connected>,
    /// What `open` named last, for `user`: also when nobody was let in.
    server: Option<String>,
    /// The next line is `user`: `open` leaves the login to it, as scripts for `ftp -n` expect.
    pub(super) login_follows: bool,
    pub(super) asks: bool,
    pub(super) names: (Option<Instant>, Vec<String>),
}

/// Where the shell is.
pub(super) struct Connected {
    pub(super) link: Link,
    pub(super) cwd: String,
    /// Where `cd` alone goes: where the prompt began.
    pub(super) home: String,
    /// The session that stands there; others have their login directory.
    pub(super) standing: u64,
}

impl<'a> Shell<'a> {
    pub(super) fn new(app: &'a mut App) -> Self {
        Self {
            app,
            link: None,
            server: None,
            login_follows: false,
            asks: false,
            names: (None, Vec::new()),
        }
    }

    pub(super) fn prompt(&self) -> String {
        match &self.link {
            Some(at) => format!("ftpc {}:{}> ", at.link.endpoint, shown(&at.cwd)),
            None => "ftpc> ".to_owned(),
        }
    }

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
        let mut session = link.session().await?;
        let start = names::join(&link.base, target.path());
        let cwd = enter(&mut *session, &start).await;
        let greeting = session.facts().greeting.join("\n");
        let standing = session.number();
        link.pool.give_back(session);
        let cwd = match cwd {
            Ok(cwd) => cwd,
            Err(error) => {
                link.close().await;
                return Err(error.into());
            }
        };
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
        });
        self.names = (None, Vec::new());
        Ok(())
    }

    /// Runs a line; `None`: leave.
    pub(super) async fn run(&mut self, line: &str) -> Result<Option<ExitCode>, Failure> {
        if let Some(command) = line.trim_start().strip_prefix('!') {
            return local(command.trim()).map(Some);
        }
        let words = words::split(line).map_err(|error| Failure::usage(error.to_string()))?;
        let Some((word, args)) = words.split_first() else {
            return Ok(Some(ExitCode::Done));
        };
        let row = table::find(word).map_err(|near| unknown(word, &near))?;
        if row.verb == Verb::Bye {
            return Ok(None);
        }
        if !row.takes(args.len()) {
            return Err(usage(row));
        }
        self.act(row, args).await.map(Some)
    }

    async fn act(&mut self, row: Row, args: &[String]) -> Result<ExitCode, Failure> {
        let ui = self.app.ui;
        match row.verb {
            Verb::Open => {
                self.open(&one(row, args)?).await?;
            }
            Verb::User => match args {
                [name] => self.user(name, None).await?,
                [name, password] => self.user(name, Some(Secret::new(password))).await?,
                _ => return Err(usage(row)),
            },
            Verb::Help => help(self.app, args)?,
            Verb::Lcd => {
                let home = std::env::var("HOME").unwrap_or_else(|_| "/".to_owned());
                let dir = args.first().unwrap_or(&home);
                std::env::set_current_dir(dir)
                    .map_err(|error| Error::local("enter", dir, error))?;
            }
            Verb::Binary => ui.remark("files are always moved as they are"),
            Verb::Ascii => ui.remark("not done: line ends would be changed and files damaged"),
            Verb::Passive => ui.remark("passive connections are always used"),
            Verb::Prompt => {
                // A script has nobody to ask; in scripts for `ftp` the word turns the questions off.
                self.asks = ask::somebody()
                    && match args.first().map(String::as_str) {
                        Some("on") => true,
                        Some("off") => false,
                        _ => !self.asks,
                    };
                ui.remark(if self.asks {
                    "each file is asked about"
                } else {
                    "nothing is asked"
                });
            }
            Verb::Close => {
                self.close().await;
                self.server = None;
            }
            Verb::Local | Verb::Bye => {}
            _ => return self.remote(row, args).await,
        }
        Ok(ExitCode::Done)
    }

    async fn user(&mut self, name: &str, password: Option<Secret>) -> Result<(), Failure> {
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

    /// The commands that need a connection.
    async fn remote(&mut self, row: Row, args: &[String]) -> Result<ExitCode, Failure> {
        let at = self.connected()?;
        let full = |path: &String| names::join(&at.cwd, path);
        let paths: Vec<String> = args.iter().map(full).collect();
        match row.verb {
            Verb::Cd => {
                let home = at.home.clone();
                self.cd(paths.first().unwrap_or(&home)).await
            }
            Verb::Pwd => {
                let here = std::env::current_dir().unwrap_or_default();
                self.app.ui.answer(format!("remote {}", shown(&at.cwd)));
                self.app.ui.answer(format!("local  {}", here.display()));
                Ok(ExitCode::Done)
            }
            Verb::Ls | Verb::Dir => {
                let args = listed(row, args, &at.cwd)?;
                self.lent(async |app| list::ls(app, &args).await).await
            }
            Verb::Tree | Verb::Du => {
                let path = paths.first().cloned().unwrap_or_else(|| at.cwd.clone());
                let tree = row.verb == Verb::Tree;
                self.lent(async |app| match tree {
                    true => list::tree(app, &path).await,
                    false => list::du(app, &path).await,
                })
                .await
            }
            Verb::Get | Verb::Reget | Verb::Mget => self.get(row, args, paths).await,
            Verb::Put | Verb::Mput => self.put(row, args).await,
            Verb::Append => self.append(row, args).await,
            Verb::Delete => {
                let paths = self.confirmed_there(paths).await?;
                let args = Rm {
                    paths,
                    recursive: false,
                    yes: false,
                };
                self.lent(async |app| remove::rm(app, &args).await).await
            }
            Verb::Rename => {
                let [from, to] = paths.as_slice() else {
                    return Err(usage(row));
                };
                self.lent(async |app| files::mv(app, from, to).await).await
            }
            Verb::Mkdir => {
                self.lent(async |app| files::mkdir(app, &paths, false).await)
                    .await
            }
            Verb::Rmdir => self.lent(async |app| files::rmdir(app, &paths).await).await,
            Verb::Cat => self.lent(async |app| files::cat(app, &paths).await).await,
            _ => self.ask_server(row, args, &paths).await,
        }
    }

    /// Runs a one-shot command on the shell's connection.
    async fn lent(
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
        let pool = &self.connected()?.link.pool;
        let mut session = self.connected()?.link.session().await?;
        let answer = self.app.cancel.or_leave(question(&mut *session)).await;
        let answer = answer.ok_or(Error::Interrupted)?;
        pool.give_back(session);
        answer
    }

    /// Notes that this session has the directory of the prompt.
    pub(super) fn stands_in(&mut self, session: u64) {
        if let Some(at) = &mut self.link {
            at.standing = session;
        }
    }

    async fn cd(&mut self, path: &str) -> Result<ExitCode, Failure> {
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

    /// The names of the remote directory, for completion; silent when the server is slow.
    pub(super) async fn names(&mut self) -> Vec<String> {
        let fresh = self.names.0.is_some_and(|at| at.elapsed() < FRESH);
        if let (Some(at), false) = (&self.link, fresh)
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

/// Changes the directory, unless none is named, and asks where that is.
async fn enter(session: &mut dyn Remote, dir: &str) -> Result<String, RemoteError> {
    if !dir.is_empty() {
        session.cwd(dir).await?;
    }
    session.pwd().await
}

/// What `ls` and `dir` list: fingers know `-l`, `-a` (always so), `-R` and `-1` (always so).
fn listed(row: Row, args: &[String], cwd: &str) -> Result<Ls, Failure> {
    let is_flags = |word: &&String| word.len() > 1 && word.starts_with('-');
    let (flags, paths): (Vec<_>, Vec<_>) = args.iter().partition(is_flags);
    let flags: String = flags.into_iter().map(|word| &word[1..]).collect();
    let path = match paths.as_slice() {
        [] => cwd.to_owned(),
        [path] => names::join(cwd, path),
        _ => return Err(usage(row)),
    };
    if flags.contains(|flag| !"laR1".contains(flag)) {
        return Err(usage(row));
    }
    Ok(Ls {
        path,
        long: row.verb == Verb::Dir || flags.contains('l'),
        recursive: flags.contains('R'),
        all: true,
    })
}

fn one(row: Row, args: &[String]) -> Result<String, Failure> {
    match args {
        [word] => Ok(word.clone()),
        // `open HOST PORT`, as `ftp` has it.
        [host, port] if row.verb == Verb::Open && port.parse::<u16>().is_ok() => {
            Ok(format!("{host}:{port}"))
        }
        _ => Err(usage(row)),
    }
}

pub(super) fn usage(row: Row) -> Failure {
    Failure::usage(format!("usage: {} {}", row.words[0], row.arguments))
}

fn not_connected() -> Failure {
    Failure::Usage(
        "not connected".to_owned(),
        Some("`open HOST` connects".to_owned()),
    )
}

fn unknown(word: &str, near: &[&str]) -> Failure {
    let hint = if near.is_empty() {
        "`help` shows the commands".to_owned()
    } else {
        format!("one of {}", near.join(", "))
    };
    Failure::Usage(format!("`{}` is not a command", shown(word)), Some(hint))
}

fn help(app: &App, args: &[String]) -> Result<(), Failure> {
    let rows = match args.first() {
        Some(word) => vec![table::find(word).map_err(|near| unknown(word, &near))?],
        None => ROWS.to_vec(),
    };
    for row in rows {
        app.ui.answer(format!(
            "{:<8} {:<26} {}",
            row.words[0], row.arguments, row.help
        ));
    }
    Ok(())
}

fn local(command: &str) -> Result<ExitCode, Failure> {
    let shell = std::env::var("SHELL").unwrap_or_else(|_| "sh".to_owned());
    let mut child = Command::new(&shell);
    if !command.is_empty() {
        child.args(["-c", command]);
    }
    let status = child
        .status()
        .map_err(|error| Error::local("run", shell, error))?;
    Ok(if status.success() {
        ExitCode::Done
    } else {
        ExitCode::SomeFailed
    })
}
