//! Checks of this machine: users, the record, open files. The share has its own.

use std::path::Path;

use ftp_config::{ServerConfig, server::Password};
use rustix::fs::{Access, access};

use super::Finding;
use crate::{auth::accounts::Accounts, privilege};

/// Who can log in, and who of the list cannot.
pub(super) fn users(config: &ServerConfig, path: &Path) -> Finding {
    const CHECK: &str = "users";
    let command = |verb: &str| format!("ftpd --config {} user {verb}", path.display());
    let able = Accounts::new(config).names();
    let listed = |name: &ftp_config::UserName| {
        let allowed = config.auth.allow_users.as_ref();
        allowed.is_none_or(|names| names.contains(name)) && !config.auth.deny_users.contains(name)
    };
    let mut unset = config
        .users
        .iter()
        .filter(|user| user.password == Password::Unset && listed(&user.name));
    match (able.is_empty(), unset.next()) {
        (true, Some(user)) => Finding::fault(
            CHECK,
            "nobody can log in: no password is set",
            command(&format!("passwd {}", user.name)),
        ),
        (true, None) => Finding::fault(CHECK, "nobody can log in", command("add NAME")),
        (false, Some(user)) => {
            let text = format!(
                "{} can log in; `{}` has no password",
                able.join(", "),
                user.name
            );
            Finding::warning(CHECK, text, command(&format!("passwd {}", user.name)))
        }
        (false, None) => Finding::good(CHECK, format!("{} can log in", able.join(", "))),
    }
}

/// Whether the record of transfers can be written.
pub(super) fn record(config: &ServerConfig) -> Option<Finding> {
    let path = config.log.xferlog.as_deref()?;
    let place = match path.exists() {
        true => path,
        false => path.parent().unwrap_or(Path::new("/")),
    };
    access(place, Access::WRITE_OK).err()?;
    Some(Finding::warning(
        "log",
        format!(
            "`{}` cannot be written: no transfer is recorded",
            path.display()
        ),
        "make its directory writable for the server, or correct log.xferlog",
    ))
}

/// What is told where the disk of the record gives no answer.
pub(super) fn silent_record(config: &ServerConfig) -> Option<Finding> {
    let path = config.log.xferlog.as_deref()?.display();
    let text = format!("the disk of `{path}` does not answer: no transfer is recorded");
    Some(Finding::fault("log", text, super::share::SEE_DISK))
}

/// Whether open files suffice for the sessions allowed.
pub(super) fn open_files(config: &ServerConfig) -> Option<Finding> {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let text = privilege::too_few(most, config.limits.max_clients)?;
    Some(Finding::warning("files", text, "ulimit -Hn 65536"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    fn config(text: &str, dir: &Path) -> ServerConfig {
        ServerConfig::from_toml(text, &dir.join("ftp.toml")).unwrap()
    }

    #[test]
    fn a_user_without_a_password_is_told_with_the_command() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("[[user]]\nname = \"ann\"\n", dir.path());
        let finding = users(&config, Path::new("f.toml"));
        assert_eq!(finding.verdict, Verdict::Fault);
        assert_eq!(
            finding.fix.as_deref(),
            Some("ftpd --config f.toml user passwd ann")
        );
    }
}
