//! A user's own file, from the `user_config_dir`: what it may set, and what it may not. Pure.

use ftp_config::{ByteRate, SharePath, UserName};

use super::{
    Findings, conf::Conf, draft::DraftUser, limits, machine::Machine, network, rights::Layers,
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

/// Returns the file of a user, if there is one.
pub(super) fn own_conf<'m>(machine: &'m Machine, name: &UserName) -> Option<&'m Conf> {
    let found = machine
        .user_confs
        .iter()
        .find(|(of, _)| of == name.as_str());
    found.map(|(_, conf)| conf)
}

/// Notes the files of those who could not log in.
pub(super) fn note_unused_files(machine: &Machine, names: &[UserName], findings: &mut Findings) {
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

/// Drafts the table of a user, by its own file over the server's.
pub(super) fn user(
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
    let own_rate = rate.filter(|rate| *rate > 0);
    if let (Some(own), Some(_)) = (layers.own, own_rate) {
        findings.note(own.about(layers.rate_option(), limits::OF_ALL_TOGETHER));
    }
    DraftUser {
        name: name.clone(),
        home,
        can: layers.user_rights(),
        rate: match (layers.own, rate) {
            (Some(own), Some(_)) => limits::rate(own, layers.rate_option(), findings),
            _ => ByteRate(0),
        },
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
    findings.append(own.verdicts());
    for row in own.names() {
        let mapped = matches!(row.verdict, Verdict::Key(_) | Verdict::Asked);
        if !mapped || PER_USER.contains(&row.name) {
            continue;
        }
        let tightens =
            TIGHTENING.contains(&row.name) && own.flag(row.name) && !network::tls_is_required(conf);
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
