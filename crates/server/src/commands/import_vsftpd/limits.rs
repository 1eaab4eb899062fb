//! Rates, sessions and waits, and what is said where a number becomes another one here. Pure.

use ftp_config::{
    ByteRate,
    defaults::{LEAST_RATE, MOST_SESSIONS},
};

use super::{Findings, conf::Conf, draft::Draft, translate::everyone};

/// Fewer sessions of one address than this starve clients that open several.
const FEW_PER_IP: u64 = 10;

/// What a rate means here that vsftpd gives each session.
pub(super) const OF_ALL_TOGETHER: &str = "`rate_down` and `rate_up` are of all sessions together here; \
                                          vsftpd gives each session that much";

/// A rate as the file may say it: none, or at least the least, which is said.
#[must_use]
pub(super) fn rate(conf: &Conf, option: &str, findings: &mut Findings) -> ByteRate {
    match conf.number(option) {
        0 => ByteRate(0),
        bytes if bytes >= LEAST_RATE => ByteRate(bytes),
        bytes => {
            findings.note(conf.about(
                option,
                format!(
                    "`{option}={bytes}` is {} here, the least that a limit can be",
                    ByteRate(LEAST_RATE)
                ),
            ));
            ByteRate(LEAST_RATE)
        }
    }
}

/// Returns a number that the file says, or `most`, which is said.
#[must_use]
pub(super) fn at_most(
    conf: &Conf,
    option: &str,
    most: u32,
    findings: &mut Findings,
) -> Option<u64> {
    let (given, most) = (conf.given_number(option)?, u64::from(most));
    if given > most {
        findings.note(conf.about(
            option,
            format!("`{option}={given}` is {most} here, the most that it can be"),
        ));
    }
    Some(given.min(most))
}

/// `[limits]` and `[timeouts]`
pub(super) fn limits(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    for option in ["max_clients", "max_per_ip"] {
        if let Some(most) = at_most(conf, option, MOST_SESSIONS, findings) {
            draft.number("limits", option, most);
        }
    }
    if conf
        .given_number("max_per_ip")
        .is_some_and(|most| (1..FEW_PER_IP).contains(&most))
    {
        findings.note(conf.about(
            "max_per_ip",
            "many clients open several sessions at once; a low `limits.max_per_ip` turns them away",
        ));
    }
    let session = rate(conf, everyone(conf).rate_option(), findings);
    if session.limit().is_some() {
        draft.text("limits", "session_rate_down", &session.to_string());
        draft.text("limits", "session_rate_up", &session.to_string());
    }
    timeouts(conf, draft, findings);
}

fn timeouts(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    let rows = [
        ("idle", ["idle_session_timeout", ""]),
        ("stalled", ["data_connection_timeout", ""]),
        ("data_connect", ["accept_timeout", "connect_timeout"]),
    ];
    for (key, options) in rows {
        let given = options
            .iter()
            .filter_map(|option| conf.given_number(option));
        match given.max() {
            Some(0) => findings.note(conf.about(
                options[0],
                format!("no wait is without a limit here: `timeouts.{key}` keeps its default"),
            )),
            Some(secs) => draft.text(
                "timeouts",
                key,
                &format!("{}s", secs.min(u64::from(u32::MAX))),
            ),
            None => {}
        }
    }
}
