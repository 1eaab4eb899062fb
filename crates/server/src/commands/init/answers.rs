//! What the file is to say: by flags, by questions, or as usual.

use std::{
    io::{self, BufRead, IsTerminal as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use ftp_config::{Environment, UserName, defaults::PORT};

use crate::{cli, error::Error, say};

/// Where to share when nobody says.
const ROOTS_SHARE: &str = "/srv/share";

/// Who shares when the system does not say.
const SOMEBODY: &str = "ann";

/// What the file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) dir: PathBuf,
    pub(super) user: UserName,
    pub(super) listen: SocketAddr,
}

/// Returns what the flags say, and asks for the rest, or takes the usual.
///
/// # Errors
/// When nobody can be asked, or what is to be shared can be none.
pub(super) fn answers(asked: cli::Init, around: &Environment) -> Result<Answers, Error> {
    let answers = said_or_asked(asked, defaults(around))?;
    let dir = whole(&from_home(answers.dir, around))?;
    let shown = dir.display();
    if dir.exists() && !dir.is_dir() {
        return Err(Error::Usage(format!("`{shown}` is not a directory")));
    }
    if dir.to_str().is_none() {
        return Err(Error::Usage(format!("the name of `{shown}` is not UTF-8")));
    }
    Ok(Answers { dir, ..answers })
}

fn said_or_asked(asked: cli::Init, defaults: Answers) -> Result<Answers, Error> {
    let may_ask = !asked.yes && io::stdin().is_terminal();
    if may_ask {
        return ask(asked, &defaults, &mut io::stdin().lock());
    }
    let is_all_said = asked.dir.is_some() && asked.user.is_some() && asked.listen.is_some();
    if !asked.yes && !is_all_said {
        return Err(Error::Usage(
            "no terminal to ask on: say --dir, --user and --listen, or take the usual with --yes"
                .to_owned(),
        ));
    }
    Ok(Answers {
        dir: asked.dir.unwrap_or(defaults.dir),
        user: asked.user.unwrap_or(defaults.user),
        listen: asked.listen.unwrap_or(defaults.listen),
    })
}

fn defaults(around: &Environment) -> Answers {
    let is_root = rustix::process::geteuid().is_root();
    let home = around.home.as_deref().filter(|_| !is_root);
    let us = nix::unistd::User::from_uid(nix::unistd::Uid::effective())
        .ok()
        .flatten();
    let name = us.filter(|_| !is_root).and_then(|us| us.name.parse().ok());
    Answers {
        dir: home.map_or_else(|| PathBuf::from(ROOTS_SHARE), |home| home.join("share")),
        user: name.unwrap_or_else(|| SOMEBODY.parse().expect("the stand-in is a user name")),
        listen: SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), PORT),
    }
}

/// Asks on the terminal for each thing no flag says.
pub(super) fn ask(
    asked: cli::Init,
    defaults: &Answers,
    answers: &mut impl BufRead,
) -> Result<Answers, Error> {
    Ok(Answers {
        dir: match asked.dir {
            Some(dir) => dir,
            None => {
                let dir = |word: &str| Ok(PathBuf::from(word));
                ask_one("Directory to share", &defaults.dir.display(), dir, answers)?
            }
        },
        user: match asked.user {
            Some(user) => user,
            None => ask_one("First user", &defaults.user, cli::user_name, answers)?,
        },
        listen: match asked.listen {
            Some(listen) => listen,
            None => ask_one("Listen on", &defaults.listen, cli::listen_address, answers)?,
        },
    })
}

fn ask_one<T>(
    question: &str,
    default: &impl ToString,
    parse: impl Fn(&str) -> Result<T, String>,
    answers: &mut impl BufRead,
) -> Result<T, Error> {
    let default = default.to_string();
    loop {
        let _ = write!(io::stderr(), "{question} [{default}]: ");
        let mut line = String::new();
        let read = answers
            .read_line(&mut line)
            .map_err(Error::system("read the answer"))?;
        let word = match line.trim() {
            "" => &default,
            word => word,
        };
        match parse(word) {
            Ok(value) => return Ok(value),
            Err(error) if read > 0 => say::note(error),
            Err(error) => return Err(Error::Usage(format!("{question}: {error}"))),
        }
    }
}

/// Takes a leading `~` as a shell does: nobody means a directory of that name.
fn from_home(dir: PathBuf, around: &Environment) -> PathBuf {
    match (dir.strip_prefix("~"), &around.home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => dir,
    }
}

pub(super) fn whole(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::system(format!("resolve `{}`", path.display())))
}
