//! Where a password comes from: the URL, the environment, the site, a command, netrc, the prompt.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ftp_config::{Secret, Site};

/// Why no password could be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// `password_command` failed.
    #[error("the password command of the site failed: {0}")]
    Command(String),
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
    /// `~/.netrc`, when it may be asked.
    pub netrc: Option<PathBuf>,
}

impl Sources<'_> {
    /// Finds the login for a host, asking `prompt` last.
    ///
    /// # Errors
    /// A source that was meant to have it failed, or nobody can be asked.
    pub fn find(
        &self,
        host: &str,
        endpoint: &str,
        prompt: impl FnOnce(&str) -> Option<Secret>,
    ) -> Result<Login, CredentialError> {
        let entry = match &self.netrc {
            Some(path) => read_netrc(path, host, self.user)?,
            None => None,
        };
        let user = self
            .user
            .map(str::to_owned)
            .or_else(|| entry.as_ref().map(|e| e.user.clone()));
        let user = user.unwrap_or_else(|| "anonymous".to_owned());
        if let Some(password) = self.given()? {
            return Ok(Login { user, password });
        }
        if let Some(login) = entry {
            return Ok(login);
        }
        if is_guest(&user) {
            return Ok(Login {
                user,
                password: Secret::new("ftpc@"),
            });
        }
        match prompt(&user) {
            Some(password) => Ok(Login { user, password }),
            None => Err(CredentialError::NoPrompt {
                user,
                endpoint: endpoint.to_owned(),
            }),
        }
    }

    fn given(&self) -> Result<Option<Secret>, CredentialError> {
        if let Some(password) = self.url_password {
            return Ok(Some(Secret::new(password)));
        }
        if let Some(password) = &self.environment {
            return Ok(Some(Secret::new(password)));
        }
        let Some(site) = self.site else {
            return Ok(None);
        };
        if let Some(password) = &site.password {
            return Ok(Some(password.clone()));
        }
        site.password_command
            .as_deref()
            .map(run_command)
            .transpose()
    }
}

/// Tells whether a login name is that of a guest, whom nobody asks for a password.
pub(crate) fn is_guest(user: &str) -> bool {
    matches!(user, "anonymous" | "ftp")
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
    let found = find_in_netrc(&text, host, user);
    let mode = meta.mode() & 0o777;
    if found.is_some() && mode & 0o077 != 0 {
        return Err(CredentialError::NetrcReadable {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(found)
}

/// Reads netrc's words: `machine`, `default`, `login`, `password`, `account`, `macdef`.
fn find_in_netrc(text: &str, host: &str, user: Option<&str>) -> Option<Login> {
    let text = without_macros(text);
    let mut words = text.split_whitespace();
    let (mut applies, mut login, mut password) = (false, None::<&str>, None::<&str>);
    let take = |applies: bool, login: Option<&str>, password: Option<&str>| {
        let named = login.or(user)?;
        let fits = applies && user.is_none_or(|user| user == named);
        let password = password.filter(|_| fits)?;
        Some(Login {
            user: named.to_owned(),
            password: Secret::new(password),
        })
    };
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if let Some(found) = take(applies, login, password) {
                    return Some(found);
                }
                applies = word == "default" || words.next().is_some_and(|name| name == host);
                (login, password) = (None, None);
            }
            "login" => login = words.next(),
            "password" => password = words.next(),
            "account" => {
                words.next();
            }
            _ => {}
        }
    }
    take(applies, login, password)
}

/// A `macdef` goes on to the next empty line and may hold any word.
fn without_macros(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines() {
        if inside {
            inside = !line.trim().is_empty();
            continue;
        }
        let (kept, rest) = line.split_once("macdef").unwrap_or((line, ""));
        inside = !rest.is_empty();
        out.push_str(kept.split(" #").next().unwrap_or(kept));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETRC: &str = "machine nas login ann password s3\nmacdef init\nmachine evil\n\n\
                         machine two\n login bob\n password p2\ndefault login any password d\n";

    fn found(host: &str, user: Option<&str>) -> Option<(String, String)> {
        find_in_netrc(NETRC, host, user).map(|l| (l.user, l.password.expose().to_owned()))
    }

    #[test]
    fn netrc_is_read_by_machine_then_default() {
        assert_eq!(found("nas", None), Some(("ann".into(), "s3".into())));
        assert_eq!(found("two", Some("bob")), Some(("bob".into(), "p2".into())));
        assert_eq!(found("else", None), Some(("any".into(), "d".into())));
        assert_eq!(found("nas", Some("zed")), None);
    }

    #[test]
    fn a_readable_netrc_is_refused_only_when_it_would_be_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netrc");
        std::fs::write(&path, "machine nas login a password b").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_netrc(&path, "nas", None).is_err());
        assert!(read_netrc(&path, "other", None).unwrap().is_none());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read_netrc(&path, "nas", None).unwrap().is_some());
    }

    #[test]
    fn the_environment_beats_the_site_and_nobody_asks_for_a_guest() {
        let sources = |environment: Option<&str>, user| Sources {
            user,
            url_password: None,
            environment: environment.map(str::to_owned),
            site: None,
            netrc: None,
        };
        let login = sources(Some("e"), Some("ann"))
            .find("h", "h:21", |_| None)
            .unwrap();
        assert_eq!(login.password.expose(), "e");
        assert_eq!(
            sources(None, None)
                .find("h", "h:21", |_| None)
                .unwrap()
                .user,
            "anonymous"
        );
        let error = sources(None, Some("ann"))
            .find("h", "h:21", |_| None)
            .unwrap_err();
        assert!(error.to_string().contains("no password for `ann` at h:21"));
    }
}
