//! `[[user]]` and `[anonymous]`.

use std::ops::Range;

use crate::{
    Right, Rights, Secret, SharePath, UserName, defaults,
    reader::Section,
    server::{Anonymous, Password, User},
    value::ValueError,
};

/// A user and where its name stands.
pub(super) type Placed<T> = (T, Option<Range<usize>>);

pub(super) fn read_users(root: &Section<'_, '_>) -> Vec<Placed<User>> {
    let mut users: Vec<Placed<User>> = Vec::new();
    for section in root.sections("user") {
        let span = section.span_of("name");
        let name = section.parsed::<UserName>("name", "ann");
        let user = read_user(&section, name.clone());
        section.finish();
        match (name, user) {
            (Some(name), Some(user)) if users.iter().all(|(other, _)| other.name != name) => {
                users.push((user, span));
            }
            (Some(name), _) => root.faults().add(
                span,
                format!("user `{name}` stands twice"),
                "remove one of the [[user]] tables",
            ),
            (None, _) => {}
        }
    }
    users
}

fn read_user(section: &Section<'_, '_>, name: Option<UserName>) -> Option<User> {
    let home = section.text("home", "/");
    let home = home.map_or(Some(SharePath::root()), |(text, span)| {
        // A name that is a fault is faulted already.
        let word = name.as_ref().map_or("user", UserName::as_str);
        let text = text.replace("{user}", word);
        without_placeholders(&text)
            .and_then(str::parse)
            .map_err(|ValueError { what, fix }| {
                let who = name.as_ref().map_or("?", UserName::as_str);
                section
                    .faults()
                    .add(Some(span), format!("user `{who}`: home {what}"), fix);
            })
            .ok()
    });
    let rate = |key| section.parsed(key, "20 MiB/s").unwrap_or_default();
    let password = read_password(section, name.as_ref());
    let can = read_rights(section, Rights::READ_WRITE);
    let (rate_down, rate_up) = (rate("rate_down"), rate("rate_up"));
    let max_sessions = section.number("max_sessions", 0, defaults::MOST_SESSIONS);
    if name.is_none() && section.text("name", "ann").is_none() {
        section.faults().add(
            section.span(),
            "this [[user]] has no `name`",
            "write name = \"ann\"",
        );
    }
    // A home that is a fault is faulted already; the user still counts as named.
    let home = home.unwrap_or_else(SharePath::root);
    Some(User {
        name: name?,
        password,
        home,
        can,
        rate_down,
        rate_up,
        max_sessions,
    })
}

/// `{user}` is the only word in braces; another one is a slip and no directory.
fn without_placeholders(home: &str) -> Result<&str, ValueError> {
    match home.contains(['{', '}']) {
        true => Err(ValueError::new(
            format!(
                "`{}` has braces around another word than `user`",
                home.escape_debug()
            ),
            "write \"{user}\" where the name is meant, as in \"/{user}\"",
        )),
        false => Ok(home),
    }
}

fn read_password(section: &Section<'_, '_>, name: Option<&UserName>) -> Password {
    let Some((text, span)) = section.text("password", "$argon2id$...") else {
        return Password::Unset;
    };
    let who = name.map_or("NAME", UserName::as_str);
    if who == defaults::SAMPLE_USER && text == defaults::SAMPLE_PASSWORD {
        return Password::Sample;
    }
    match check_hash(text) {
        Ok(()) => Password::Hash(Secret::new(text)),
        Err(what) => {
            let what = format!("user `{who}`: the password {what}");
            section
                .faults()
                .add(Some(span), what, format!("run `ftpd user passwd {who}`"));
            Password::Unset
        }
    }
}

/// Checks the form of a PHC string and that its cost is not a joke.
fn check_hash(text: &str) -> Result<(), &'static str> {
    const NOT: &str = "is not an argon2id hash; clear text is never kept";
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "argon2id", "v=19", costs, salt, hash] = parts[..] else {
        return Err(NOT);
    };
    let base64 = |part: &str, least| {
        part.len() >= least
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
    };
    let cost = |name: &str| {
        let found = costs
            .split(',')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found.and_then(|number| number.parse::<u32>().ok())
    };
    let (Some(memory), Some(passes), Some(lanes)) = (cost("m"), cost("t"), cost("p")) else {
        return Err(NOT);
    };
    if !base64(salt, 11) || !base64(hash, 22) {
        return Err(NOT);
    }
    if memory < defaults::LEAST_HASH_KIB || passes == 0 || lanes == 0 {
        return Err("has a hash that is too cheap to guess against");
    }
    if memory > 1 << 20 || passes > 100 || lanes > 64 {
        return Err("has a hash so dear that a login would stop the server");
    }
    Ok(())
}

/// A preset word, or a list of rights.
fn read_rights(section: &Section<'_, '_>, default: Rights) -> Rights {
    const FIX: &str = "write \"read-only\", \"read-write\", \"dropbox\", or a list of list, read, \
                       write, overwrite, delete, rename, mkdir, chmod";
    let Some(words) = section.texts("can", "read-only") else {
        return default;
    };
    if let [(word, _)] = words[..]
        && let Some(preset) = Rights::from_preset(word)
    {
        return preset;
    }
    let mut rights = Rights::NONE;
    for (word, span) in words {
        match Right::from_word(word) {
            Some(right) => rights = rights.with(right),
            None => {
                let what = format!("`{}` is not a right", word.escape_debug());
                section.faults().add(Some(span), what, FIX);
            }
        }
    }
    rights
}

pub(super) fn read_anonymous(root: &Section<'_, '_>) -> Anonymous {
    let section = root.section("anonymous");
    let rate = |key| section.parsed(key, "20 MiB/s").unwrap_or_default();
    let anonymous = Anonymous {
        enabled: section.boolean("enabled", false),
        home: section.parsed("home", "/").unwrap_or_else(SharePath::root),
        can: read_rights(&section, Rights::READ_ONLY),
        rate_down: rate("rate_down"),
        rate_up: rate("rate_up"),
        max_sessions: section.number("max_sessions", 0, defaults::MOST_SESSIONS),
    };
    section.finish();
    anonymous
}
