//! The lists of names: whom vsftpd jails, and whom it lets in.

use ftp_config::defaults::is_guest;

use super::{
    Findings,
    conf::Conf,
    machine::{List, Machine},
};

const CHROOT_LIST: &str = "chroot_list_enable";

/// Judges the chroot_list and returns its names.
pub(super) fn chroot_list(
    conf: &Conf,
    machine: &Machine,
    may_log_in: bool,
    findings: &mut Findings,
) -> Vec<String> {
    let names = match &machine.chroot_list {
        List::Names(names) => names.clone(),
        List::Unreadable(why) if conf.flag(CHROOT_LIST) || may_log_in => {
            findings.refuse(conf.about(
                CHROOT_LIST,
                format!("`chroot_list_file`: {why}: name the list with --chroot-list"),
            ));
            return Vec::new();
        }
        List::Unused if may_log_in => {
            findings.refuse(conf.about(CHROOT_LIST,
                "--chroot-list-is-allow-list: the file names no chroot_list: name it with --chroot-list"));
            return Vec::new();
        }
        List::Unreadable(_) | List::Unused => return Vec::new(),
    };
    judge_jailed(conf, &names, may_log_in, findings);
    names
}

/// Tells what the names of the chroot_list mean here.
fn judge_jailed(conf: &Conf, names: &[String], may_log_in: bool, findings: &mut Findings) {
    let shown = names.join(", ").escape_debug().to_string();
    if may_log_in {
        findings.note(conf.about(CHROOT_LIST, format!(
            "the names of the chroot_list are the allow-list, as you say ({shown}); vsftpd would \
             have let others in too"
        )));
    } else if conf.flag("chroot_local_user") && !names.is_empty() {
        findings.refuse(conf.about(CHROOT_LIST, format!(
            "`chroot_list_enable=YES` with `chroot_local_user=YES` lets {shown} out of the jail: \
             nobody is ever let out here. Empty the list, or give --chroot-list-is-allow-list if \
             they were meant as the users who may log in"
        )));
    } else {
        findings.note(conf.about(CHROOT_LIST, format!(
            "the chroot_list ({shown}) names whom vsftpd jails, not who may log in: everyone else \
             logs in too and sees the whole disk. Here everyone is jailed. If these names were \
             meant as the users who may log in, run this again with --chroot-list-is-allow-list"
        )));
    }
}

/// Returns the allow-list and the deny-list that the userlist is.
pub(super) fn userlist(
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
pub(super) fn could_log_in(machine: &Machine, jailed: Vec<String>, deny: &[String]) -> Vec<String> {
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
