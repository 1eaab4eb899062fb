//! `ftpd user add|passwd|remove|list`: edits the users of the configuration.

mod list;

use std::{
    io::{self, BufRead, IsTerminal},
    path::Path,
};

use ftp_config::{Right, Rights, Secret, SharePath, UserName};

use self::list::list;
use super::{ask, edit::Editor};
use crate::{
    auth::{RefusalReason, accounts::Accounts, password},
    cli::UserVerb,
    config_file,
    error::Error,
    say,
};

/// Longer passwords are cut by some clients, and cost time to hash.
const LONGEST_PASSWORD_BYTES: usize = 512;

/// Does one of the user verbs on the configuration at `config`.
///
/// # Errors
/// [`Error`] with what is wrong; the file is unchanged then.
pub fn run(config: &Path, verb: UserVerb) -> Result<(), Error> {
    match verb {
        UserVerb::Add {
            name,
            home,
            can,
            password_stdin,
        } => add(
            config,
            &name,
            home.as_deref(),
            can.as_deref(),
            password_stdin,
        ),
        UserVerb::Passwd {
            name,
            password_stdin,
        } => passwd(config, &name, password_stdin),
        UserVerb::Remove { name } => remove(config, &name),
        UserVerb::List { json } => list(config, json),
    }
}

fn add(
    config: &Path,
    name: &UserName,
    home: Option<&str>,
    can: Option<&str>,
    from_stdin: bool,
) -> Result<(), Error> {
    let can = can.map(parse_rights).transpose()?;
    if let Some(home) = home {
        // As the file wants it.
        home.replace("{user}", name.as_str())
            .parse::<SharePath>()
            .map_err(|e| Error::Usage(format!("`--home`: {e}")))?;
    }
    // What cannot be done is told before the question; others may change the file during it.
    Editor::open(config)?.add(name, &Secret::new(""), home, can)?;
    let hash = ask_and_hash(name, from_stdin)?;
    let mut editor = Editor::open(config)?;
    editor.add(name, &hash, home, can)?;
    editor.save()?;
    say::line(format_args!("user `{name}` added to {}", config.display()));
    let told = ask::tell_change(config);
    // The lists of the file, or beside it, may still keep the new user out.
    if let Ok(loaded) = config_file::load(config)
        && let Err(reason) = Accounts::new(&loaded.config).find(name.as_str())
    {
        let list = loaded.config.auth.allow_users_file.as_deref();
        let list = list.filter(|_| reason == RefusalReason::NotOnAllowList);
        let fix = list.map(|list| format!("; write `{name}` into {}", list.display()));
        say::note(format_args!(
            "ftpd: warning: `{name}` cannot log in: {reason}{}",
            fix.unwrap_or_default()
        ));
    }
    told
}

fn passwd(config: &Path, name: &UserName, from_stdin: bool) -> Result<(), Error> {
    Editor::open(config)?.set_password(name, &Secret::new(""))?;
    let hash = ask_and_hash(name, from_stdin)?;
    let mut editor = Editor::open(config)?;
    editor.set_password(name, &hash)?;
    editor.save()?;
    say::line(format_args!("password of `{name}` changed"));
    warn_of_other_faults(config);
    ask::tell_change(config)
}

/// A file may be changed that is not good yet, if it has fewer faults then.
fn warn_of_other_faults(config: &Path) {
    if config_file::load(config).is_err() {
        say::note("ftpd: warning: the file has other faults: `ftpd check` tells them");
    }
}

fn remove(config: &Path, name: &UserName) -> Result<(), Error> {
    let mut editor = Editor::open(config)?;
    let was_good = editor.check().is_ok();
    editor.remove(name)?;
    editor.save().map_err(|error| match error {
        // Nothing else can become wrong by a removal.
        Error::Config(_) if was_good => Error::Usage(format!(
            "`{name}` is the last who can log in, so nothing was changed: let another one in first, \
             with `ftpd user add NAME` (and by `auth.allow_users_file`, where there is one)"
        )),
        other => other,
    })?;
    say::line(format_args!(
        "user `{name}` removed; the files stay in the share"
    ));
    warn_of_other_faults(config);
    ask::tell_change(config)
}

/// Parses `read-only` or `list,read` as the file would.
///
/// # Errors
/// [`Error::Usage`] naming the word that is no right.
pub fn parse_rights(text: &str) -> Result<Rights, Error> {
    if let Some(preset) = Rights::from_preset(text.trim()) {
        return Ok(preset);
    }
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let rights: Rights = words
        .map(|word| {
            Right::from_word(word).ok_or_else(|| {
                let all = Right::ALL.map(Right::word).join(", ");
                Error::Usage(format!(
                    "`{word}` is no right: use read-only, read-write, dropbox, or some of {all}"
                ))
            })
        })
        .collect::<Result<_, _>>()?;
    if rights == Rights::NONE {
        return Err(Error::Usage("`--can` names no right".to_owned()));
    }
    Ok(rights)
}

fn ask_and_hash(name: &UserName, from_stdin: bool) -> Result<Secret, Error> {
    let password = if from_stdin {
        read_line()?
    } else {
        ask_twice(name)?
    };
    if password.is_empty() {
        return Err(Error::Usage("the password is empty".to_owned()));
    }
    if password.len() > LONGEST_PASSWORD_BYTES || password.contains(char::is_control) {
        return Err(Error::Usage(format!(
            "a password has at most {LONGEST_PASSWORD_BYTES} bytes and no control characters"
        )));
    }
    Ok(Secret::new(password::hash(&Secret::new(password))?))
}

fn read_line() -> Result<String, Error> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(Error::system("read the password from stdin"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask_twice(name: &UserName) -> Result<String, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::Usage(
            "no terminal to ask for the password: use --password-stdin".to_owned(),
        ));
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(Error::system("ask for the password"))
    };
    let first = ask(format!("New password for {name}: "))?;
    let second = ask("Once more: ".to_owned())?;
    if first != second {
        return Err(Error::Usage("the two passwords differ".to_owned()));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_a_preset_or_words() {
        assert_eq!(parse_rights("read-only").unwrap(), Rights::READ_ONLY);
        assert_eq!(parse_rights("list,read").unwrap(), Rights::READ_ONLY);
        assert_eq!(parse_rights("list read").unwrap(), Rights::READ_ONLY);
        let error = parse_rights("read,wirte").unwrap_err().to_string();
        assert!(error.starts_with("`wirte` is no right"), "{error}");
        assert!(parse_rights(",").is_err());
    }
}
