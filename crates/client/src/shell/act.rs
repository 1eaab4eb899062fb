//! What the shell's commands do: the same code as the one-shot commands, on one connection.

use std::{os::unix::process::ExitStatusExt as _, process::Command, time::Instant};

use ftp_config::Secret;

use super::{
    arguments::{listed, one, unknown, usage},
    at::Connected,
    table::{self, ROWS, Row, Verb},
    words,
};
use crate::{
    app::{App, Failure},
    cli::Rm,
    commands::{below, files, list, look::Spelt, remove},
    error::Error,
    exit::ExitCode,
    remote::names,
    ui::{ask, escape::shown},
};

/// The shell's state between lines.
pub(super) struct Shell<'a> {
    pub(super) app: &'a mut App,
    /// The connection, and the URL that one-shot commands find it by.
    pub(super) link: Option<Connected>,
    /// What `open` named last, for `user`: also when nobody was let in.
    pub(super) server: Option<String>,
    /// The next line is `user`: `open` leaves the login to it, as scripts for `ftp -n` expect.
    pub(super) login_follows: bool,
    pub(super) asks: bool,
    pub(super) names: (Option<Instant>, Vec<String>),
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

    /// Runs a line; `None`: leave.
    pub(super) async fn run(&mut self, line: &str) -> Result<Option<ExitCode>, Failure> {
        if let Some(command) = line.trim_start().strip_prefix('!') {
            let _held = self.app.cancel.hold();
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
            Verb::Lcd => enter(args.first())?,
            Verb::Binary => ui.remark("files are always moved as they are"),
            Verb::Ascii => ui.remark("not done: line ends would be changed and files damaged"),
            Verb::Passive => ui.remark("passive connections are always used"),
            Verb::Prompt => self.turn_questions(args.first()),
            Verb::Close => {
                self.close().await;
                self.server = None;
            }
            Verb::Local | Verb::Bye => {}
            _ => {
                self.ends_sequence(row.verb);
                return self.remote(row, args).await;
            }
        }
        Ok(ExitCode::Done)
    }

    /// Turns the questions on, off, or round.
    fn turn_questions(&mut self, word: Option<&String>) {
        // A script has nobody to ask; in scripts for `ftp` the word turns the questions off.
        self.asks = ask::somebody()
            && match word.map(String::as_str) {
                Some("on") => true,
                Some("off") => false,
                _ => !self.asks,
            };
        self.app.ui.remark(if self.asks {
            "each file is asked about"
        } else {
            "nothing is asked"
        });
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
                tell_places(self.app, &at.cwd);
                Ok(ExitCode::Done)
            }
            Verb::Ls | Verb::Dir => {
                let args = listed(row, args, &at.cwd)?;
                self.lent(async |app| list::ls(app, &args).await).await
            }
            Verb::Tree | Verb::Du => {
                let path = paths.first().unwrap_or(&at.cwd).clone();
                self.below(row.verb, &path).await
            }
            Verb::Get | Verb::Reget | Verb::Mget => self.get(row, args, paths).await,
            Verb::Put | Verb::Mput => self.put(row, args).await,
            Verb::Append => self.append(row, args).await,
            Verb::Delete => self.delete(paths).await,
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

    async fn below(&mut self, verb: Verb, path: &str) -> Result<ExitCode, Failure> {
        self.lent(async |app| match verb {
            Verb::Tree => below::tree(app, path).await,
            _ => below::du(app, path).await,
        })
        .await
    }

    async fn delete(&mut self, paths: Vec<String>) -> Result<ExitCode, Failure> {
        let paths = self.confirmed_there(paths).await?;
        // What was asked about is what was answered, and nothing that it would match.
        let spelt = match self.asks {
            true => Spelt::Out,
            false => Spelt::ByHand,
        };
        let args = Rm {
            paths,
            recursive: false,
            yes: false,
        };
        self.lent(async |app| remove::rm_spelt(app, &args, spelt).await)
            .await
    }
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

/// Enters a local directory, or the person's own.
fn enter(dir: Option<&String>) -> Result<(), Error> {
    let home = std::env::var("HOME").unwrap_or_else(|_| "/".to_owned());
    let dir = dir.unwrap_or(&home);
    std::env::set_current_dir(dir).map_err(|error| Error::local("enter", dir, error))
}

fn tell_places(app: &App, cwd: &str) {
    let here = std::env::current_dir().unwrap_or_default();
    app.ui.answer(format!("remote {}", shown(cwd)));
    let here = here.display().to_string();
    app.ui.answer(format!("local  {}", shown(&here)));
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
    const INTERRUPT: i32 = 2;
    let shells_word = Some(128 + INTERRUPT);
    Ok(match status.code() {
        Some(0) => ExitCode::Done,
        // A Ctrl-C meant it, and as with a shell what would follow.
        code if code == shells_word => ExitCode::Interrupted,
        None if status.signal() == Some(INTERRUPT) => ExitCode::Interrupted,
        _ => ExitCode::SomeFailed,
    })
}
