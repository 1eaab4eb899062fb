//! From the settings of a `vsftpd.conf` to the keys of `ftp.toml`. Pure.

use ftp_config::defaults::MOST_FAILURES;

use super::{
    Findings,
    conf::Conf,
    draft::Draft,
    limits::{OF_ALL_TOGETHER, at_most, limits, rate},
    machine::Machine,
    network::{network, server},
    people::{People, people},
    rights::Layers,
};

/// How the import was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// The chroot_list is meant as the allow-list.
    pub chroot_list_is_allow_list: bool,
    /// The server will be able to take ports below 1024.
    pub privileged: bool,
}

/// Writes the draft of an `ftp.toml`.
#[must_use]
pub(super) fn translate(
    conf: &Conf,
    machine: &Machine,
    wish: Wish,
    findings: &mut Findings,
) -> Draft {
    let mut draft = Draft::default();
    let people = people(conf, machine, wish.chroot_list_is_allow_list, findings);
    server(conf, machine, wish.privileged, &mut draft, findings);
    draft.text("share", "root", &people.root.to_string_lossy());
    share(conf, &mut draft, findings);
    auth(conf, &people, &mut draft, findings);
    if conf.lets_anonymous_in() {
        draft.flag("anonymous", "enabled", true);
        draft.text("anonymous", "home", people.anonymous_home.as_str());
        anonymous(conf, &mut draft, findings);
    } else if !conf.has("anonymous_enable") {
        findings.note(conf.about(
            "anonymous_enable",
            "the file does not say `anonymous_enable`, so vsftpd itself lets anonymous users in \
             (whatever its manual says); they are kept out here: `[anonymous] enabled = true` lets \
             them in",
        ));
    }
    network(conf, &mut draft, findings);
    limits(conf, &mut draft, findings);
    uploads(conf, &mut draft, findings);
    log(conf, &mut draft);
    draft.users = people.users;
    draft
}

fn auth(conf: &Conf, people: &People, draft: &mut Draft, findings: &mut Findings) {
    if let Some(allow) = &people.allow {
        draft.texts("auth", "allow_users", allow);
        if conf.flag("userlist_enable") && !conf.flag("userlist_deny") {
            let file = conf.text("userlist_file").unwrap_or_default();
            draft.comment(
                "auth",
                &format!("allow_users_file = {file:?} keeps the list in its file"),
            );
        }
    }
    if !people.deny.is_empty() {
        draft.texts("auth", "deny_users", &people.deny);
    }
    if let Some(fails) = at_most(conf, "max_login_fails", MOST_FAILURES, findings) {
        draft.number("auth.lockout", "after", fails);
    }
}

fn share(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    umask(conf, draft, findings);
    if conf.flag("force_dot_files") {
        draft.flag("share", "show_dotfiles", true);
    }
    if conf.has("hide_ids") {
        draft.flag("share", "show_owner", !conf.flag("hide_ids"));
    }
    if !conf.flag("chroot_local_user") {
        findings.note(conf.about(
            "chroot_local_user",
            "everyone is jailed in the share here; vsftpd lets local users go anywhere unless \
             `chroot_local_user=YES`",
        ));
    }
}

/// One umask serves everybody here: that of local users, where they are not all like anonymous ones.
fn umask(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    let anonymous = conf.lets_anonymous_in() && conf.has("anon_umask");
    let option = if everyone(conf).is_like_anonymous() {
        "anon_umask"
    } else if conf.has("local_umask") || !anonymous {
        "local_umask"
    } else {
        "anon_umask"
    };
    match conf.given_number(option) {
        Some(umask) => {
            note_cut_bits(conf, option, umask, findings);
            let umask = umask & 0o777;
            draft.text("share", "umask", &format!("{umask:03o}"));
            let written = conf.text(option).unwrap_or_default();
            if !written.starts_with('0') {
                findings.note(conf.about(option, format!(
                    "`{option}={written}` has no leading 0, so vsftpd reads it as decimal: it is \
                     {umask:03o} in octal, which stands here. Was {written:0>3} meant?"
                )));
            }
            if option == "local_umask" && anonymous && conf.number("anon_umask") & 0o777 != umask {
                findings.note(conf.about(
                    "anon_umask",
                    "`anon_umask` left out: one umask serves the whole share",
                ));
            }
        }
        None => findings.note(conf.about(
            option,
            format!(
                "the file does not say `{option}`, so vsftpd keeps uploads from everyone but their \
             owner (077); here other users of this machine may read them (022; `umask = \"077\"` keeps them out), and other \
                 FTP users whatever their mode is: one system user owns all files, so give each a home of its own",
            ),
        )),
    }
}

/// What holds where no user's own file says otherwise.
pub(super) fn everyone(conf: &Conf) -> Layers<'_> {
    Layers {
        own: None,
        all: conf,
    }
}

fn anonymous(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    draft.rights("anonymous", "can", everyone(conf).anonymous_rights());
    let rate = rate(conf, "anon_max_rate", findings);
    if rate.limit().is_some() {
        draft.text("anonymous", "rate_down", &rate.to_string());
        draft.text("anonymous", "rate_up", &rate.to_string());
        findings.note(conf.about("anon_max_rate", OF_ALL_TOGETHER));
    }
}

fn uploads(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    if conf.flag("delete_failed_uploads") {
        draft.text("uploads", "keep_partial_for", "0s");
    }
    let chown_mode = conf
        .flag("chown_uploads")
        .then(|| conf.given_number("chown_upload_mode"));
    let mode = conf.given_number("file_open_mode").or(chown_mode.flatten());
    if let Some(mode) = mode {
        for option in ["file_open_mode", "chown_upload_mode"] {
            note_cut_bits(conf, option, mode, findings);
        }
        draft.text("uploads", "mode", &format!("{:03o}", mode & 0o777));
        let written = conf.given_text("file_open_mode").unwrap_or("0");
        if !written.starts_with('0') {
            findings.note(conf.about("file_open_mode", format!(
                "`file_open_mode={written}` has no leading 0, so vsftpd reads it as decimal: it is \
                 {:03o} in octal, which stands here", mode & 0o777
            )));
        }
    }
}

/// Nothing that a server makes is setuid, setgid or sticky here.
fn note_cut_bits(conf: &Conf, option: &str, bits: u64, findings: &mut Findings) {
    if bits > 0o777 && conf.given_number(option) == Some(bits) {
        let written = conf.text(option).unwrap_or_default();
        findings.note(conf.about(
            option,
            format!("`{option}={written}`: the bits above 777 are left out"),
        ));
    }
}

fn log(conf: &Conf, draft: &mut Draft) {
    if conf.flag("log_ftp_protocol") {
        draft.text("log", "level", "debug");
    }
    let standard = conf.flag("xferlog_std_format") || conf.flag("dual_log_enable");
    if conf.flag("xferlog_enable") && standard && !conf.flag("syslog_enable") {
        draft.text(
            "log",
            "xferlog",
            conf.text("xferlog_file").unwrap_or_default(),
        );
    }
}
