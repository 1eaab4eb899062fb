//! `ftpd init`: writes a commented `ftp.toml` for this machine, with one user and a passphrase that
//! is shown once. Never writes over a file.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use ftp_config::{Environment, Secret, UserName};

use crate::{
    auth::{passphrase, password},
    cli, config_file,
    error::Error,
    firewall::Firewall,
    say,
};

/// Where to share when nobody says.
const ROOTS_SHARE: &str = "/srv/share";
const ROOTS_CONFIG: &str = "/etc/ftp/ftp.toml";
/// Who shares when the system does not say.
const SOMEBODY: &str = "ann";

/// What the file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answers {
    dir: PathBuf,
    user: UserName,
    listen: SocketAddr,
}

/// Asks what the flags do not say, writes the file, shows the passphrase.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn run(asked: cli::Init, config: Option<&Path>) -> Result<(), Error> {
    let path = whole(&destination(config, &Environment::of_process())?)?;
    if path.symlink_metadata().is_ok() {
        return Err(taken(&path));
    }
    let defaults = defaults(&Environment::of_process());
    let may_ask = !asked.yes && io::stdin().is_terminal();
    let is_all_said = asked.dir.is_some() && asked.user.is_some() && asked.listen.is_some();
    if !may_ask && !asked.yes && !is_all_said {
        return Err(Error::Usage(
            "no terminal to ask on: say --dir, --user and --listen, or take the usual with --yes"
                .to_owned(),
        ));
    }
    let answers = if may_ask {
        ask(asked, &defaults, &mut io::stdin().lock())?
    } else {
        Answers {
            dir: asked.dir.unwrap_or(defaults.dir),
            user: asked.user.unwrap_or(defaults.user),
            listen: asked.listen.unwrap_or(defaults.listen),
        }
    };
    let answers = Answers {
        dir: whole(&from_home(answers.dir, &Environment::of_process()))?,
        ..answers
    };
    if answers.dir.exists() && !answers.dir.is_dir() {
        let dir = answers.dir.display();
        return Err(Error::Usage(format!("`{dir}` is not a directory")));
    }
    if answers.dir.to_str().is_none() {
        let dir = answers.dir.display();
        return Err(Error::Usage(format!("the name of `{dir}` is not UTF-8")));
    }
    let secret = passphrase::make()?;
    let text = text(&answers, &password::hash(&secret)?);
    config_file::check_text(&text, &path)?;
    write_new(&path, &text)?;
    tell(&path, &answers, &secret);
    Ok(())
}

fn taken(path: &Path) -> Error {
    Error::Usage(format!(
        "`{}` is there already and stays as it is: name another with `--config`",
        path.display()
    ))
}

/// The file named, or where `ftpd` looks without being told.
fn destination(config: Option<&Path>, around: &Environment) -> Result<PathBuf, Error> {
    if let Some(path) = config.or(around.ftp_config.as_deref()) {
        return Ok(path.to_owned());
    }
    if rustix::process::geteuid().is_root() {
        return Ok(ROOTS_CONFIG.into());
    }
    let home = around.home.as_ref().map(|home| home.join(".config"));
    let dir = around.xdg_config_home.clone().or(home);
    dir.map(|dir| dir.join("ftp/ftp.toml")).ok_or_else(|| {
        Error::Usage("there is no home directory: name the file with `--config`".to_owned())
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
        listen: SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), 2121),
    }
}

/// Asks on the terminal for each thing no flag says.
fn ask(asked: cli::Init, defaults: &Answers, answers: &mut impl BufRead) -> Result<Answers, Error> {
    Ok(Answers {
        dir: match asked.dir {
            Some(dir) => dir,
            None => ask_one("Directory to share", &defaults.dir.display(), answers)?,
        },
        user: match asked.user {
            Some(user) => user,
            None => ask_one("First user", &defaults.user, answers)?,
        },
        listen: match asked.listen {
            Some(listen) => listen,
            None => ask_one("Listen on", &defaults.listen, answers)?,
        },
    })
}

fn ask_one<T>(
    question: &str,
    default: &impl ToString,
    answers: &mut impl BufRead,
) -> Result<T, Error>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
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
        match word.parse() {
            Ok(value) => return Ok(value),
            Err(error) if read > 0 => say::note(format_args!("{error}")),
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

fn whole(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::system(format!("resolve `{}`", path.display())))
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn text(answers: &Answers, hash: &str) -> String {
    let Answers { dir, user, listen } = answers;
    format!(
        r#"# ftp.toml, written by `ftpd init`. `ftpd check` reads it and tells every fault; `ftpd check
# --print` shows every key with the value in force. A running ftpd takes changes over by itself.

[server]
# Where to listen. "[::]:2121" is every address of this machine, IPv4 too; "127.0.0.1:2121" is this
# machine alone. Ports below 1024 need privilege.
listen = [{listen}]
# Who may connect at all; "lan" is loopback, private and link-local addresses. Remove it, and
# everyone who reaches the port may try to log in.
allow_from = ["lan"]

[share]
# The directory to share; made if missing. Nobody gets above it.
root = {root}
# Free room that uploads must leave on the disk.
reserve = "1%"
# New files can be read by others ("022"), or not ("077").
umask = "022"

[auth]
# Only these users log in, even if there are more below.
allow_users = [{user}]

# `ftpd user add NAME` adds a user, `ftpd user passwd NAME` changes a password.
[[user]]
name = {user}
password = {hash}
# The user's root inside the share.
home = "/"
# "read-only", "read-write", "dropbox" (may add, may not see), or a list of: list, read, write,
# overwrite, delete, rename, mkdir, chmod.
can = "read-write"

[passive]
# Ports of data connections; open them in the firewall beside the one above.
ports = "50000-50999"
# What clients are told to dial: "auto" is the address they dialled already. In a container or
# behind a router write the address that they reach.
address = "auto"

[tls]
# "optional": clients may use TLS; "required": they must. The certificate is made on first start
# beside this file.
mode = "optional"

[announce]
# Let file managers on the LAN find this server by mDNS.
mdns = false
"#,
        listen = quoted(&listen.to_string()),
        root = quoted(&dir.to_string_lossy()),
        user = quoted(user.as_str()),
        hash = quoted(hash),
    )
}

/// Creates the file, closed to everyone else from its first moment.
fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(dir) = path.parent() {
        fs_err::create_dir_all(dir).map_err(Error::system("make the directory"))?;
    }
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = made.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => Error::System {
            what: format!("write `{}`", path.display()),
            source,
        },
    })?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|source| {
        // Half of it would be taken for a file that is there already.
        let _ = std::fs::remove_file(path);
        Error::System {
            what: format!("write `{}`", path.display()),
            source,
        }
    })
}

fn tell(path: &Path, answers: &Answers, secret: &Secret) {
    let Answers { dir, user, listen } = answers;
    say::line(format_args!("wrote {}", path.display()));
    say::line(format_args!("  share       {}", dir.display()));
    say::line(format_args!("  listen      {listen}"));
    say::line(format_args!("  user        {user}"));
    say::line(format_args!(
        "  passphrase  {}  (shown once)",
        secret.expose()
    ));
    say::line(format_args!(
        "start it with: ftpd --config {}",
        path.display()
    ));
    let passive = "50000-50999".parse();
    if let (Some(firewall), Ok(passive)) = (Firewall::in_use(Path::new("/")), passive) {
        say::line(format_args!(
            "open the firewall with: {}",
            firewall.line(listen.port(), passive)
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn nothing_said() -> cli::Init {
        cli::Init {
            dir: None,
            user: None,
            listen: None,
            yes: false,
        }
    }

    fn answers(dir: &str) -> Answers {
        Answers {
            dir: dir.into(),
            user: "ann".parse().unwrap(),
            listen: "[::]:2121".parse().unwrap(),
        }
    }

    #[test]
    fn the_file_is_good_and_says_what_was_answered() {
        let hash = password::hash(&Secret::new("x")).unwrap();
        let text = text(&answers("/srv/my \"photos\""), &hash);
        let config =
            ftp_config::ServerConfig::from_toml(&text, Path::new("/etc/ftp/ftp.toml")).unwrap();
        assert_eq!(config.share.root, Path::new("/srv/my \"photos\""));
        assert_eq!(config.users[0].name.as_str(), "ann");
        assert_eq!(config.server.listen, ["[::]:2121".parse().unwrap()]);
        assert!(!text.contains("demo"));
    }

    #[test]
    fn answers_are_asked_again_until_they_are_good() {
        let typed = "/srv/x\na b\nbob\n\n";
        let got = ask(
            nothing_said(),
            &answers("/srv/share"),
            &mut typed.as_bytes(),
        )
        .unwrap();
        assert_eq!(
            got,
            Answers {
                dir: "/srv/x".into(),
                user: "bob".parse().unwrap(),
                ..answers("")
            }
        );
        let given = cli::Init {
            user: Some("eve".parse().unwrap()),
            ..nothing_said()
        };
        let got = ask(given, &answers("/srv/share"), &mut "".as_bytes()).unwrap();
        assert_eq!((got.user.as_str(), got.dir), ("eve", "/srv/share".into()));
    }

    #[test]
    fn a_file_is_closed_to_others_and_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/ftp.toml");
        write_new(&path, "one").unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let error = write_new(&path, "two").unwrap_err();
        assert!(error.to_string().contains("is there already"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
    }
}
