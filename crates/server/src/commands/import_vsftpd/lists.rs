//! What the lists of names say: who may log in, and who may not. Pure.

use ftp_config::defaults::is_guest;

use super::{
    Findings,
    conf::Conf,
    machine::{List, Machine},
};

const CHROOT_LIST: &str = "chroot_list_enable";

/// Why an allow-list in the userlist keeps anonymous users out.
pub(super) const USERLIST_SHUTS_OUT: &str = "the userlist names neither `anonymous` nor `ftp`, and \
     `userlist_deny=NO`, so vsftpd keeps anonymous users out: they are kept out here too";

/// Why the chroot_list as the allow-list keeps them out.
pub(super) const CHROOT_LIST_SHUTS_OUT: &str = "the chroot_list is the allow-list, as you say, and names neither \
     `anonymous` nor `ftp`: anonymous users are kept out here, whom vsftpd lets in; `[anonymous] enabled = true` \
     lets them in";

/// The names of all lists together.
pub(super) struct Lists {
    /// The allow-list, if there is one.
    pub allow: Option<Vec<String>>,
    /// The deny-list.
    pub deny: Vec<String>,
    /// The names of the chroot_list.
    jailed: Vec<String>,
}

impl Lists {
    /// Judges the lists. `listed_may_log_in`: the chroot_list is meant as the allow-list.
    pub(super) fn judge(
        conf: &Conf,
        machine: &Machine,
        listed_may_log_in: bool,
        findings: &mut Findings,
    ) -> Self {
        let jailed = chroot_list(conf, machine, listed_may_log_in, findings);
        let (mut allow, mut deny) = userlist(conf, machine, findings);
        if listed_may_log_in {
            allow = Some(match allow {
                Some(names) => names
                    .into_iter()
                    .filter(|name| jailed.contains(name))
                    .collect(),
                // To vsftpd these are guests, whoever has the name.
                None => jailed
                    .iter()
                    .filter(|name| !is_guest(name))
                    .cloned()
                    .collect(),
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
        Self {
            allow,
            deny,
            jailed,
        }
    }

    /// Returns everyone whom vsftpd would let in.
    pub(super) fn let_in(&self, machine: &Machine) -> Vec<String> {
        match &self.allow {
            Some(names) => names.clone(),
            None => could_log_in(machine, &self.jailed, &self.deny),
        }
    }
}

/// Takes the names of the chroot_list, and says what they mean here.
fn chroot_list(
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
fn could_log_in(machine: &Machine, jailed: &[String], deny: &[String]) -> Vec<String> {
    let mut names: Vec<String> = machine
        .people
        .iter()
        .map(|person| person.name.clone())
        .collect();
    let others = jailed
        .iter()
        .chain(machine.user_confs.iter().map(|(name, _)| name));
    for name in others {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names.retain(|name| !deny.contains(name));
    names
}
