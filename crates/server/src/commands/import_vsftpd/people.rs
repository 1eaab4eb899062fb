//! Who may log in, and where each user's root is. Pure: everything read from the disk comes in.

use std::path::PathBuf;

use ftp_config::{SharePath, UserName, defaults::is_guest};

use super::{
    Findings,
    conf::Conf,
    draft::DraftUser,
    homes::{anonymous_dir, homes, seats},
    machine::{List, Machine},
    rights::Layers,
    table::Verdict,
};

/// Options that a user's own file may set here too.
const PER_USER: [&str; 14] = [
    "local_root",
    "write_enable",
    "download_enable",
    "dirlist_enable",
    "chmod_enable",
    "cmds_allowed",
    "cmds_denied",
    "local_max_rate",
    "anon_max_rate",
    "anon_mkdir_write_enable",
    "anon_other_write_enable",
    "anon_upload_enable",
    "guest_username",
    "virtual_use_local_privs",
];
/// Options that tighten when a user's own file sets them, and that we have for all users only.
const TIGHTENING: [&str; 2] = ["force_local_data_ssl", "force_local_logins_ssl"];
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
    let jailed = chroot_list(conf, machine, listed_may_log_in, findings);
    let (mut allow, mut deny) = userlist(conf, machine, findings);
    if listed_may_log_in {
        allow = Some(match allow {
            Some(names) => names
                .into_iter()
                .filter(|name| jailed.contains(name))
                .collect(),
            None => jailed.clone(),
        });
    }
    deny.extend(
        machine
            .ftpusers
            .iter()
            .filter(|name| !deny.contains(name))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let names = match (&allow, conf.flag("local_enable")) {
        (_, false) => Vec::new(),
        (Some(names), true) => names.clone(),
        (None, true) => could_log_in(machine, jailed, &deny),
    };
    let mut names = user_names(conf, &names, findings);
    if names.is_empty() {
        names = stand_in(conf, findings);
        allow = None;
    }
    note_unused_files(machine, &names, findings);
    let seats = seats(conf, machine, &names);
    let anonymous_dir = conf
        .lets_anonymous_in()
        .then(|| anonymous_dir(conf, machine));
    let (root, homes, anonymous_home) = homes(conf, &seats, anonymous_dir.as_deref(), findings);
    let users = names.iter().zip(homes);
    People {
        users: users
            .map(|(name, home)| user(conf, machine, name, home, findings))
            .collect(),
        allow: allow.map(|_| names),
        deny: user_names(conf, &deny, findings),
        root,
        anonymous_home,
    }
}

/// Judges the chroot_list and returns its names.
fn chroot_list(
    conf: &Conf,
    machine: &Machine,
    may_log_in: bool,
    findings: &mut Findings,
) -> Vec<String> {
    const OPTION: &str = "chroot_list_enable";
    let names = match &machine.chroot_list {
        List::Names(names) => names.clone(),
        List::Unreadable(why) if conf.flag(OPTION) || may_log_in => {
            findings.refuse(conf.about(
                OPTION,
                format!("`chroot_list_file`: {why}: name the list with --chroot-list"),
            ));
            return Vec::new();
        }
        List::Unused if may_log_in => {
            findings.refuse(conf.about(OPTION,
                "--chroot-list-is-allow-list: the file names no chroot_list: name it with --chroot-list"));
            return Vec::new();
        }
        List::Unreadable(_) | List::Unused => return Vec::new(),
    };
    let shown = names.join(", ").escape_debug().to_string();
    if may_log_in {
        findings.note(conf.about(OPTION, format!(
            "the names of the chroot_list are the allow-list, as you say ({shown}); vsftpd would \
             have let others in too"
        )));
    } else if conf.flag("chroot_local_user") && !names.is_empty() {
        findings.refuse(conf.about(OPTION, format!(
            "`chroot_list_enable=YES` with `chroot_local_user=YES` lets {shown} out of the jail: \
             nobody is ever let out here. Empty the list, or give --chroot-list-is-allow-list if \
             they were meant as the users who may log in"
        )));
    } else {
        findings.note(conf.about(OPTION, format!(
            "the chroot_list ({shown}) names whom vsftpd jails, not who may log in: everyone else \
             logs in too and sees the whole disk. Here everyone is jailed. If these names were \
             meant as the users who may log in, run this again with --chroot-list-is-allow-list"
        )));
    }
    names
}

/// Returns the allow-list and the deny-list that the userlist is.
fn userlist(
    conf: &Conf,
    machine: &Machine,
    findings: &mut Findings,
) -> (Option<Vec<String>>, Vec<String>) {
    let names = match &machine.userlist {
        List::Names(names) => names.clone(),
        List::Unused => return (None, Vec::new()),
        List::Unreadable(why) => {
            findings.refuse(conf.about(
                "userlist_enable",
                format!(
                    "`userlist_file`: {why}: it says who may log in, so name it with --userlist"
                ),
            ));
            return (None, Vec::new());
        }
    };
    if !conf.flag("userlist_enable") {
        findings.note(conf.about(
            "userlist_enable",
            "--userlist is not used: the file does not say `userlist_enable=YES`",
        ));
        return (None, Vec::new());
    }
    match machine.allow_list(conf) {
        // To vsftpd these are guests, whoever has the name.
        Some(_) => (
            Some(names.into_iter().filter(|name| !is_guest(name)).collect()),
            Vec::new(),
        ),
        None => (None, names),
    }
}

/// Without an allow-list, everyone whom vsftpd would let in.
fn could_log_in(machine: &Machine, jailed: Vec<String>, deny: &[String]) -> Vec<String> {
    let mut names: Vec<String> = machine
        .people
        .iter()
        .map(|person| person.name.clone())
        .collect();
    let others = jailed
        .into_iter()
        .chain(machine.user_confs.iter().map(|(name, _)| name.clone()));
    for name in others {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.retain(|name| !deny.contains(name));
    names
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

fn note_unused_files(machine: &Machine, names: &[UserName], findings: &mut Findings) {
    for (name, own) in &machine.user_confs {
        if !names.iter().any(|known| known.as_str() == name) {
            let shown = name.escape_debug();
            findings.note(own.about(
                "",
                format!("`{shown}` could not log in; the file is left out"),
            ));
        }
    }
}

pub(super) fn own_conf<'m>(machine: &'m Machine, name: &UserName) -> Option<&'m Conf> {
    let found = machine
        .user_confs
        .iter()
        .find(|(of, _)| of == name.as_str());
    found.map(|(_, conf)| conf)
}

fn user(
    conf: &Conf,
    machine: &Machine,
    name: &UserName,
    home: SharePath,
    findings: &mut Findings,
) -> DraftUser {
    let layers = Layers {
        own: own_conf(machine, name),
        all: conf,
    };
    if let Some(own) = layers.own {
        judge_own(conf, own, findings);
    }
    let rate = layers
        .own
        .and_then(|own| own.given_number(layers.rate_option()));
    if let (Some(own), Some(rate)) = (layers.own, rate) {
        judge_rate(conf, own, layers.rate_option(), rate, findings);
    }
    DraftUser {
        name: name.clone(),
        home,
        can: layers.user_rights(),
        rate: super::translate::rate(rate.unwrap_or(0)),
    }
}

/// The rate of everyone's sessions holds for a user whose own one is higher too, or none.
fn judge_rate(conf: &Conf, own: &Conf, option: &'static str, rate: u64, findings: &mut Findings) {
    let of_all = conf.number(option);
    if of_all > 0 && (rate == 0 || rate > of_all) {
        findings.note(own.about(
            option,
            "`limits.session_rate_down` and `session_rate_up` hold for this user too: raise them, and give \
             the others `rate_down` and `rate_up` of their own",
        ));
    }
}

/// Says which options of a user's own file are passed over, and refuses those that tighten.
fn judge_own(conf: &Conf, own: &Conf, findings: &mut Findings) {
    let (notes, refusals) = own.verdicts();
    notes.into_iter().for_each(|note| findings.note(note));
    refusals
        .into_iter()
        .for_each(|refusal| findings.refuse(refusal));
    for row in own.names() {
        let mapped = matches!(row.verdict, Verdict::Key(_) | Verdict::Asked);
        if !mapped || PER_USER.contains(&row.name) {
            continue;
        }
        let tightens = TIGHTENING.contains(&row.name)
            && own.flag(row.name)
            && !super::network::tls_is_required(conf);
        if tightens {
            let text = format!(
                "`{}=YES` for one user only: TLS is demanded of all or of none",
                row.name
            );
            findings.refuse(own.about(row.name, text));
        } else {
            let text = format!(
                "`{}` left out: it holds for the whole server only",
                row.name
            );
            findings.note(own.about(row.name, text));
        }
    }
}
