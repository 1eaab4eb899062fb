//! `ftpd share`: one directory served at once, with no file: a user and a passphrase made on the
//! spot, TLS on, everything to type on one screen.
//!
//! The certificate is kept in the cache directory, so that clients who trusted it once know it
//! again. Nothing else is left behind but hidden partials of uploads that broke off, which the next share of
//! the directory sweeps after a day.

mod papers;
mod ports;
mod qr;
pub mod screen;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use ftp_config::{
    Secret, ServerConfig,
    server::{LogFormat, LogLevel},
};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use self::{
    papers::Papers,
    ports::{listeners, local_addresses, name_the_flag},
    screen::Screen,
};
use super::run::serve;
use crate::{
    auth::{passphrase, password},
    cli::{self, Color, Global},
    daemon::{Daemon, Start},
    error::Error,
    lan, log, privilege, say,
    status::place::Surroundings,
    tls::{self, selfsigned},
    watch::Stamps,
};

/// Serves the directory until Ctrl-C or the end of its time.
///
/// # Errors
/// [`Error`] when it cannot begin.
pub fn run(asked: &cli::Share, global: &Global) -> Result<(), Error> {
    let dir = directory(&asked.dir)?;
    let color = is_colored(global);
    let adjust = log::Adjust {
        verbose: global.verbose,
        quiet: global.quiet,
    };
    let level = log::level(LogLevel::Warn, adjust);
    let level = log::start(LogFormat::Text, level, color);
    let listeners = listeners(asked.address, asked.port);
    let listeners = listeners.map_err(|error| name_the_flag(error, asked.port))?;
    let listening = local_addresses(&listeners)?;
    let secret = passphrase::make()?;
    let papers = Papers::find(&dir)?;
    let named = asked.address.filter(|address| !address.is_unspecified());
    let own = named.unwrap_or_else(lan::own_address);
    make_certificate(&papers, own)?;
    let config = config(asked, &dir, &listening, &secret, &papers)?;
    let fingerprint = selfsigned::facts(&papers.cert)?.fingerprint;
    privilege::raise_open_files(config.limits.max_clients);
    let passive = config.passive.ports;
    let start = Start {
        config,
        config_path: None,
        read_as: Stamps::default(),
        listeners,
        log: level,
        adjust,
        around: Surroundings::of_this_process(),
    };
    serve(async {
        let Some(daemon) = Daemon::start(start).await? else {
            return Ok(());
        };
        // It is read, and no file of it has to lie about.
        drop(papers);
        let address = daemon.addresses().first().copied();
        let until = asked.duration.map(end_in_words);
        say::text(
            Screen {
                dir: &log::shown(&dir.to_string_lossy()),
                read_only: asked.read_only,
                address: screen::told(address.unwrap_or(listening[0]), own),
                user: asked.name.as_str(),
                passphrase: secret.expose(),
                fingerprint: &fingerprint,
                tls_required: asked.require_tls,
                passive,
                until: until.as_deref(),
                color,
            }
            .draw(),
        );
        daemon.serve(wait(asked.duration)).await;
        say::line("The share has ended.");
        Ok(())
    })
}

fn is_colored(global: &Global) -> bool {
    match global.color {
        Color::Auto => say::to_terminal() && log::may_color(),
        Color::Always => true,
        Color::Never => false,
    }
}

async fn wait(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

/// The end as a local time, with the day when it is not today.
fn end_in_words(duration: Duration) -> String {
    let now = jiff::ZonedDateTime::now();
    let end = SystemTime::now()
        .checked_add(duration)
        .and_then(|end| jiff::Timestamp::try_from(end).ok())
        .map(|end| end.to_zoned_datetime(now.time_zone().clone()));
    match end {
        Some(end) if end.date() == now.date() => end.strftime("%H:%M:%S").to_string(),
        Some(end) => end.strftime("%Y-%m-%d %H:%M").to_string(),
        None => "the end of time".to_owned(),
    }
}

fn directory(dir: &Path) -> Result<PathBuf, Error> {
    let dir = fs_err::canonicalize(dir).map_err(|error| {
        Error::Failed(match error.kind() {
            io::ErrorKind::NotFound => format!("there is no directory `{}`", dir.display()),
            _ => error.to_string(),
        })
    })?;
    if !dir.is_dir() {
        return Err(Error::Failed(format!(
            "`{}` is not a directory",
            dir.display()
        )));
    }
    if dir.to_str().is_none() {
        let shown = dir.display();
        return Err(Error::Failed(format!("the name of `{shown}` is not UTF-8")));
    }
    Ok(dir)
}

/// Keeps the certificate that clients know already, unless it cannot serve any more.
fn make_certificate(papers: &Papers, own: IpAddr) -> Result<(), Error> {
    let is_good = || {
        tls::load(&papers.cert, &papers.key).is_ok()
            && selfsigned::facts(&papers.cert).is_ok_and(|facts| {
                selfsigned::days_until(facts.not_after_unix, SystemTime::now()) > 0
            })
    };
    if is_good() {
        return Ok(());
    }
    // Two shares that start at once make one, and the second finds it.
    let _turn = selfsigned::take_turn(&papers.cert);
    if !is_good() {
        selfsigned::make(&papers.cert, &papers.key, &selfsigned::names_for(&[own]))?;
    }
    Ok(())
}

/// Writes what a file would say, so that everything unsaid is at its usual default.
fn config(
    asked: &cli::Share,
    dir: &Path,
    listening: &[SocketAddr],
    secret: &Secret,
    papers: &Papers,
) -> Result<ServerConfig, Error> {
    let path_text = |path: &Path| path.to_string_lossy().into_owned();
    let mut document = DocumentMut::new();
    let mut user = Table::new();
    user["name"] = value(asked.name.as_str());
    user["password"] = value(password::hash(secret)?);
    user["can"] = value(if asked.read_only {
        "read-only"
    } else {
        "read-write"
    });
    let mut users = ArrayOfTables::new();
    users.push(user);
    document["user"] = Item::ArrayOfTables(users);
    let listen: Array = listening.iter().map(ToString::to_string).collect();
    document["server"]["listen"] = value(listen);
    document["share"]["root"] = value(path_text(dir));
    document["tls"]["mode"] = value(if asked.require_tls {
        "required"
    } else {
        "optional"
    });
    document["tls"]["cert"] = value(path_text(&papers.cert));
    document["tls"]["key"] = value(path_text(&papers.key));
    document["announce"]["mdns"] = value(!asked.no_mdns && !listening[0].ip().is_loopback());
    Ok(ServerConfig::from_toml(
        &document.to_string(),
        &dir.join("ftp.toml"),
    )?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn asked(args: &[&str]) -> cli::Share {
        let cli = cli::Cli::parse_from([&["ftpd", "share"], args].concat());
        match cli.verb {
            Some(cli::Verb::Share(asked)) => asked,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_become_a_configuration_with_the_usual_defaults() {
        let asked = asked(&["--read-only", "--name", "ann", "--require-tls"]);
        let papers = Papers::in_test(Path::new("/c"));
        let listening = ["127.0.0.1:2121".parse().unwrap()];
        let secret = Secret::new("lusab-babad");
        let config = config(&asked, Path::new("/x \"y"), &listening, &secret, &papers).unwrap();
        assert_eq!(config.users[0].can, ftp_config::Rights::READ_ONLY);
        assert_eq!(config.users[0].name.as_str(), "ann");
        assert_eq!(config.share.root, Path::new("/x \"y"));
        assert_eq!(config.tls.mode, ftp_config::server::TlsMode::Required);
        assert!(!config.announce.mdns, "loopback is not announced");
        assert_eq!(config.limits.max_clients, 200);
    }

    #[test]
    fn shares_that_start_at_once_make_one_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let papers = Papers::in_test(dir.path());
        let own = "192.168.1.5".parse().unwrap();
        let made = std::thread::scope(|scope| {
            let make = || {
                make_certificate(&papers, own).unwrap();
                selfsigned::facts(&papers.cert).unwrap()
            };
            let makers = [(); 8].map(|()| scope.spawn(make));
            makers.map(|maker| maker.join().unwrap())
        });
        assert!(made.iter().all(|facts| *facts == made[0]), "{made:?}");
    }

    #[test]
    fn a_known_certificate_stays_and_a_broken_one_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let papers = Papers::in_test(dir.path());
        let own = "192.168.1.5".parse().unwrap();
        make_certificate(&papers, own).unwrap();
        let first = selfsigned::facts(&papers.cert).unwrap();
        make_certificate(&papers, own).unwrap();
        assert_eq!(selfsigned::facts(&papers.cert).unwrap(), first);
        std::fs::write(&papers.key, "junk").unwrap();
        make_certificate(&papers, own).unwrap();
        assert_ne!(selfsigned::facts(&papers.cert).unwrap(), first);
    }

    #[test]
    fn only_a_directory_can_be_shared() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(
            directory(file.path())
                .unwrap_err()
                .to_string()
                .contains("is not a directory")
        );
        let missing = directory(Path::new("/nonexistent/x")).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "there is no directory `/nonexistent/x`"
        );
    }
}
