//! Where a password comes from: the URL, the environment, the site, a command, netrc, the prompt.

mod netrc;

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ftp_config::{
    Secret, Site,
    defaults::{GUEST, is_guest},
};

/// Why no password could be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// `password_command` failed.
    #[error("the password command of the site failed: {0}")]
    Command(String),
    /// `password_command` stands in a file that nobody named.
    #[error(
        "`{}` was not named, only found here: the password_command in it is not run", path.display()
    )]
    CommandNotRun {
        /// The file.
        path: PathBuf,
    },
    /// The netrc may be read by others.
    #[error("`{}` holds passwords and others may read it (mode {mode:o})", path.display())]
    NetrcReadable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Nobody can be asked.
    #[error("no password for `{user}` at {endpoint}, and no terminal to ask on")]
    NoPrompt {
        /// The login name.
        user: String,
        /// Host and port.
        endpoint: String,
    },
    /// Ctrl-C was pressed in place of an answer.
    #[error("interrupted")]
    Interrupted,
}

/// A login name and its password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// Where to look, most particular first.
#[derive(Debug)]
pub struct Sources<'a> {
    /// Name and password of the URL or `--user`.
    pub user: Option<&'a str>,
    /// The URL's password.
    pub url_password: Option<&'a str>,
    /// `FTPC_PASSWORD`.
    pub environment: Option<String>,
    /// The site's table.
    pub site: Option<&'a Site>,
    /// The site's file, if it only happened to be in the working directory: no command runs from it.
    pub by_chance: Option<&'a Path>,
    /// `~/.netrc`, when it may be asked.
    pub netrc: Option<PathBuf>,
}

impl Sources<'_> {
    /// Finds the login for a host, asking `prompt` last.
    ///
    /// # Errors
    /// A source that was meant to have it failed, or nobody can be asked, or answers.
    pub fn find(
        &self,
        host: &str,
        endpoint: &str,
        prompt: impl FnOnce(&str) -> io::Result<Option<Secret>>,
    ) -> Result<Login, CredentialError> {
        let read = |path: &PathBuf| read_netrc(path, host, self.user);
        let mut entry = self.netrc.as_ref().map_or(Ok(None), read);
        if self.user.is_none() {
            entry = Ok(entry?);
        }
        let named_there = || Some(entry.as_ref().ok()?.as_ref()?.user.clone());
        let user = self.user.map(str::to_owned).or_else(named_there);
        // What the environment holds is the password of whoever was named, not of another whom netrc has.
        let is_named = self.user.is_some();
        let user = user.unwrap_or_else(|| GUEST.to_owned());
        if let Some(password) = self.given(is_named)? {
            return Ok(Login { user, password });
        }
        // What is wrong with the file counts where it is wanted.
        if let Some(login) = entry? {
            return Ok(login);
        }
        if is_guest(&user) {
            return Ok(Login {
                user,
                password: Secret::new("ftpc@"),
            });
        }
        match prompt(&user).map_err(|_| CredentialError::Interrupted)? {
            Some(password) => Ok(Login { user, password }),
            None => Err(CredentialError::NoPrompt {
                user,
                endpoint: endpoint.to_owned(),
            }),
        }
    }

    fn given(&self, is_named: bool) -> Result<Option<Secret>, CredentialError> {
        if let Some(password) = self.url_password {
            return Ok(Some(Secret::new(password)));
        }
        if let Some(password) = self.environment.as_ref().filter(|_| is_named) {
            return Ok(Some(Secret::new(password)));
        }
        let Some(site) = self.site else {
            return Ok(None);
        };
        if let Some(password) = &site.password {
            return Ok(Some(password.clone()));
        }
        match (&site.password_command, self.by_chance) {
            (None, _) => Ok(None),
            (Some(_), Some(path)) => Err(CredentialError::CommandNotRun {
                path: path.to_owned(),
            }),
            (Some(command), None) => run_command(command).map(Some),
        }
    }
}

fn run_command(line: &str) -> Result<Secret, CredentialError> {
    let said = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| CredentialError::Command(error.to_string()))?;
    if !said.status.success() {
        return Err(CredentialError::Command(said.status.to_string()));
    }
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(Secret::new(line)),
        None => Err(CredentialError::Command("it printed nothing".to_owned())),
    }
}

/// Looks a host up in a netrc; a file that does not exist has no entry.
fn read_netrc(
    path: &Path,
    host: &str,
    user: Option<&str>,
) -> Result<Option<Login>, CredentialError> {
    let Ok(meta) = std::fs::metadata(path) else {
        return Ok(None);
    };
    let Ok(text) = std::fs::read_to_string(path) else {
        return Ok(None);
    };
    let found = netrc::find(&text, host, user);
    let mode = meta.mode() & 0o777;
    if found.is_some() && mode & 0o077 != 0 {
        return Err(CredentialError::NetrcReadable {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
