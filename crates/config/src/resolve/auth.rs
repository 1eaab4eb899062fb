//! `[auth]`: who may log in, and who is locked out.

use std::{ops::Range, path::Path, time::Duration};

use super::{relative_to, users::Placed};
use crate::{
    ConfigError, UserName, defaults,
    load::ensure_trusted,
    reader::{Section, nearest},
    server::{Auth, Lockout, User},
    value::ValueError,
};

pub(super) fn read_auth(
    root: &Section<'_, '_>,
    users: &[Placed<User>],
    anonymous: bool,
    warnings: &mut Vec<String>,
) -> Auth {
    let section = root.section("auth");
    let listed = section.list::<UserName>("allow_users", "ann");
    let file = section.path("allow_users_file", "allowed_users");
    let from_file = file.as_ref().map(|(text, span)| {
        let path = relative_to(root.faults().source().dir(), text);
        let names = read_names(&section, &path, span);
        (path, names)
    });
    let allow_users = match (listed, &from_file) {
        (None, None) => None,
        (listed, from_file) => {
            let mut names: Vec<UserName> = listed
                .unwrap_or_default()
                .into_iter()
                .map(|(n, _)| n)
                .collect();
            names.extend(from_file.iter().flat_map(|(_, names)| names.clone()));
            Some(names)
        }
    };
    let deny_users = section
        .list::<UserName>("deny_users", "eve")
        .unwrap_or_default();
    let auth = Auth {
        allow_users,
        deny_users: deny_users.into_iter().map(|(name, _)| name).collect(),
        allow_users_file: from_file.map(|(path, _)| path),
        lockout: read_lockout(&section),
    };
    check_denied(&auth, users, warnings);
    check_somebody(&section, &auth, users, anonymous, warnings);
    section.finish();
    auth
}

fn read_lockout(auth: &Section<'_, '_>) -> Lockout {
    let section = auth.section("lockout");
    let second = Duration::from_secs(1);
    let lockout = Lockout {
        after: section.number("after", 5, defaults::MOST_FAILURES),
        first: section.duration("for", Duration::from_secs(60), second),
        max: section.duration("max", Duration::from_secs(3600), second),
    };
    if lockout.max < lockout.first {
        section.faults().add(
            section.span_of("max"),
            "`auth.lockout.max` is shorter than `auth.lockout.for`",
            "write a longer `max` or a shorter `for`",
        );
    }
    section.finish();
    lockout
}

/// Reads a list file in vsftpd's form: one name a line, `#` begins a comment.
fn read_names(section: &Section<'_, '_>, path: &Path, span: &Range<usize>) -> Vec<UserName> {
    let refused = |what: String, fix: &str| {
        section.faults().add(Some(span.clone()), what, fix);
        Vec::new()
    };
    // Whoever can write it decides who logs in, as by the configuration itself.
    match ensure_trusted(path) {
        Err(error @ ConfigError::Writable { .. }) => {
            let fix = format!("run `chmod o-w {}`", path.display());
            return refused(error.to_string(), &fix);
        }
        Err(error @ ConfigError::NotAFile { .. }) => {
            return refused(error.to_string(), "name a file, one name a line");
        }
        // Told by the reading.
        Err(_) | Ok(_) => {}
    }
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return refused(error.to_string(), "write the file, one name a line"),
    };
    let mut names = Vec::new();
    // Some editors begin a file with a mark of byte order.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for (i, line) in text.lines().enumerate() {
        let word = line.split('#').next().unwrap_or_default().trim();
        if word.is_empty() {
            continue;
        }
        match word.parse() {
            Ok(name) => names.push(name),
            Err(ValueError { what, fix }) => {
                let what = format!("`{}` line {}: {what}", path.display(), i + 1);
                section.faults().add(Some(span.clone()), what, fix);
            }
        }
    }
    names
}

/// A name that is shut out by a slip of the pen is let in.
fn check_denied(auth: &Auth, users: &[Placed<User>], warnings: &mut Vec<String>) {
    let exists = |name: &UserName| users.iter().any(|(user, _)| user.name == *name);
    let names = || users.iter().map(|(user, _)| user.name.as_str());
    for name in &auth.deny_users {
        if exists(name) || defaults::is_guest(name.as_str()) {
            continue;
        }
        if let Some(near) = nearest(name.as_str(), names()) {
            warnings.push(format!(
                "`{name}` is on the deny-list but has no [[user]] table; `{near}` is not shut out by it"
            ));
        }
    }
}

/// A server that nobody can log in to is a mistake, and so is most often a name without a user.
fn check_somebody(
    section: &Section<'_, '_>,
    auth: &Auth,
    users: &[Placed<User>],
    anonymous: bool,
    warnings: &mut Vec<String>,
) {
    let exists = |name: &UserName| users.iter().any(|(user, _)| user.name == *name);
    if let Some(allowed) = &auth.allow_users {
        for name in allowed
            .iter()
            .filter(|name| !exists(name) && !defaults::is_guest(name.as_str()))
        {
            warnings.push(format!(
                "`{name}` is on the allow-list but has no [[user]] table: `ftpd user add {name}` writes it"
            ));
        }
        if !anonymous && !allowed.iter().any(exists) {
            let key = if auth.allow_users_file.is_some() {
                "allow_users_file"
            } else {
                "allow_users"
            };
            section.faults().add(
                section.span_of(key),
                "the allow-list names nobody who has a [[user]] table",
                "run `ftpd user add NAME`, or correct the names",
            );
        }
    } else if users.is_empty() && !anonymous {
        section.faults().add(
            None,
            "there is no [[user]], so nobody could log in",
            "run `ftpd user add NAME`, or write the file with `ftpd init`",
        );
    }
}
