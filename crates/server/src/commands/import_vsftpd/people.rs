//! Who may log in, and where each user's root is. Pure: everything read from the disk comes in.

use std::path::PathBuf;

use ftp_config::{SharePath, UserName};

use super::{
    Findings,
    conf::Conf,
    draft::DraftUser,
    homes::{anonymous_dir, homes, seats},
    lists::Lists,
    machine::Machine,
    own::{note_unused_files, user},
};

/// The user that stands in the file when none is known, as a file without users serves nobody.
const STAND_IN: &str = "ann";

/// Who may log in, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct People {
    /// The allow-list, if there is one.
    pub allow: Option<Vec<UserName>>,
    /// The deny-list.
    pub deny: Vec<UserName>,
    /// The users, without passwords.
    pub users: Vec<DraftUser>,
    /// The directory that holds every user's root.
    pub root: PathBuf,
    /// Where anonymous users are at home in it.
    pub anonymous_home: SharePath,
}

/// Works out who may log in. `listed_may_log_in`: the chroot_list is meant as the allow-list.
#[must_use]
pub(super) fn people(
    conf: &Conf,
    machine: &Machine,
    listed_may_log_in: bool,
    findings: &mut Findings,
) -> People {
    let lists = Lists::judge(conf, machine, listed_may_log_in, findings);
    let names = match conf.flag("local_enable") {
        true => lists.let_in(machine),
        false => Vec::new(),
    };
    let mut names = user_names(conf, &names, findings);
    let mut is_listed = lists.allow.is_some();
    if names.is_empty() {
        names = stand_in(conf, findings);
        is_listed = false;
    }
    note_unused_files(machine, &names, findings);
    let seats = seats(conf, machine, &names);
    let anonymous_dir = conf
        .lets_anonymous_in()
        .then(|| anonymous_dir(conf, machine));
    let homes = homes(conf, &seats, anonymous_dir.as_deref(), findings);
    let users = names.iter().zip(homes.of_users);
    People {
        users: users
            .map(|(name, home)| user(conf, machine, name, home, findings))
            .collect(),
        allow: is_listed.then_some(names),
        deny: user_names(conf, &lists.deny, findings),
        root: homes.root,
        anonymous_home: homes.of_anonymous,
    }
}

fn user_names(conf: &Conf, names: &[String], findings: &mut Findings) -> Vec<UserName> {
    let mut typed = Vec::new();
    for name in names {
        match name.parse() {
            Ok(name) => typed.push(name),
            Err(_) => {
                let shown = name.escape_debug();
                findings.note(conf.about(
                    "",
                    format!("`{shown}` cannot be a user name here; left out"),
                ));
            }
        }
    }
    typed
}

fn stand_in(conf: &Conf, findings: &mut Findings) -> Vec<UserName> {
    if conf.lets_anonymous_in() && !conf.flag("local_enable") {
        return Vec::new();
    }
    let why = if conf.flag("local_enable") {
        "these files name nobody who could log in"
    } else {
        "`local_enable` is NO, so nobody but anonymous users could log in"
    };
    findings.note(conf.about(
        "local_enable",
        format!("{why}: user `{STAND_IN}` stands in the file as an example, without a password"),
    ));
    STAND_IN.parse().into_iter().collect()
}
