//! `ftpd init`: writes a commented `ftp.toml` for this machine, with one user and a passphrase that
//! is shown once. Never writes over a file.

mod answers;
mod file;

use std::path::{Path, PathBuf};

use ftp_config::{
    Environment, Secret,
    defaults::{PASSIVE_PORTS, SYSTEM_FILE},
};

use self::{
    answers::{Answers, answers, whole},
    file::{taken, text, write_new},
};
use crate::{
    auth::{passphrase, password},
    cli, config_file,
    error::Error,
    firewall::Firewall,
    say,
};

/// Asks what the flags do not say, writes the file, shows the passphrase.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn run(asked: cli::Init, config: Option<&Path>) -> Result<(), Error> {
    let around = Environment::of_process();
    let path = whole(&destination(config, &around)?)?;
    if path.symlink_metadata().is_ok() {
        return Err(taken(&path));
    }
    let answers = answers(asked, &around)?;
    let secret = passphrase::make()?;
    let text = text(&answers, &password::hash(&secret)?);
    config_file::check_text(&text, &path)?;
    write_new(&path, &text)?;
    tell(&path, &answers, &secret);
    Ok(())
}

/// The file named, or where `ftpd` looks without being told.
fn destination(config: Option<&Path>, around: &Environment) -> Result<PathBuf, Error> {
    if let Some(path) = config.or(around.ftp_config.as_deref()) {
        return Ok(path.to_owned());
    }
    if rustix::process::geteuid().is_root() {
        return Ok(SYSTEM_FILE.into());
    }
    around.own_file().ok_or_else(|| {
        Error::Usage("there is no home directory: name the file with `--config`".to_owned())
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
    let passive = PASSIVE_PORTS.parse();
    if let (Some(firewall), Ok(passive)) = (Firewall::in_use(Path::new("/")), passive) {
        say::line(format_args!(
            "open the firewall with: {}",
            firewall.line(listen.port(), passive)
        ));
    }
}

#[cfg(test)]
mod tests;
