//! Checks of the certificate: its dates and its key.

use std::time::SystemTime;

use ftp_config::{
    ServerConfig,
    server::{Tls, TlsMode},
};
use rustix::fs::{Access, access};

use super::Finding;
use crate::tls::{
    self,
    selfsigned::{self, DUE_DAYS},
};

const CHECK: &str = "tls";

/// Dates and key of the certificate.
pub(super) fn certificate(
    config: &ServerConfig,
    by_root: bool,
    now: SystemTime,
) -> Option<Finding> {
    let tls = &config.tls;
    if tls.mode == TlsMode::Off {
        let text = "TLS is off: passwords and files go over the network in clear";
        return Some(Finding::warning(CHECK, text, "tls.mode = \"optional\""));
    }
    if tls.self_signed && !tls.cert.exists() && !tls.key.exists() {
        return Some(made_on_start(tls, by_root));
    }
    let renew = match tls.self_signed {
        true => "ftpd cert --renew".to_owned(),
        false => format!("put a new one in the place of {}", tls.cert.display()),
    };
    let facts = tls::load(&tls.cert, &tls.key).and_then(|_| selfsigned::facts(&tls.cert));
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => {
            let fix = match tls.self_signed {
                true => renew,
                false => {
                    "correct tls.cert and tls.key, or remove both: ftpd makes its own".to_owned()
                }
            };
            return Some(Finding::fault(CHECK, error.to_string(), fix));
        }
    };
    Some(in_time(&facts, renew, now))
}

/// Whether the server can make its certificate itself.
fn made_on_start(tls: &Tls, by_root: bool) -> Finding {
    let place = tls.cert.ancestors().skip(1).find(|dir| dir.is_dir());
    let may_make = Access::WRITE_OK | Access::EXEC_OK;
    let is_made = by_root || place.is_some_and(|dir| access(dir, may_make).is_ok());
    match is_made {
        true => Finding::good(CHECK, "a certificate is made on first start"),
        false => Finding::fault(
            CHECK,
            format!(
                "this user cannot make the certificate `{}`",
                tls.cert.display()
            ),
            format!(
                "sudo ftpd cert --renew, then chgrp and chmod 640 {}",
                tls.key.display()
            ),
        ),
    }
}

/// Whether it is good now, and for long enough.
fn in_time(facts: &selfsigned::Facts, renew: String, now: SystemTime) -> Finding {
    let begins = selfsigned::days_until(facts.not_before_unix, now);
    let days = selfsigned::days_until(facts.not_after_unix, now);
    match days {
        _ if begins > 0 => Finding::fault(
            CHECK,
            format!("the certificate is good only in {begins} days"),
            "set the clock",
        ),
        ..0 => Finding::fault(
            CHECK,
            format!("the certificate expired {} days ago", -days),
            renew,
        ),
        0..DUE_DAYS => Finding::warning(
            CHECK,
            format!("the certificate expires in {days} days"),
            renew,
        ),
        _ => Finding::good(
            CHECK,
            format!("the certificate and its key serve, {days} days left"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;
    use crate::commands::doctor::Verdict;

    fn config(text: &str, dir: &Path) -> ServerConfig {
        ServerConfig::from_toml(text, &dir.join("ftp.toml")).unwrap()
    }

    #[test]
    fn a_certificate_is_judged_by_its_dates_and_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("[anonymous]\nenabled = true\n", dir.path());
        let now = SystemTime::now();
        let judge = |now| certificate(&config, false, now).unwrap();
        assert_eq!(judge(now).text, "a certificate is made on first start");
        selfsigned::make(&config.tls.cert, &config.tls.key, &["x".to_owned()]).unwrap();
        assert_eq!(judge(now).verdict, Verdict::Good);
        let day = Duration::from_secs(86_400);
        assert_eq!(judge(now + day * 3635).verdict, Verdict::Warning);
        assert_eq!(
            judge(now + day * 3700).fix.as_deref(),
            Some("ftpd cert --renew")
        );
        assert_eq!(judge(now - day * 30).fix.as_deref(), Some("set the clock"));
        std::fs::write(&config.tls.key, "junk").unwrap();
        assert_eq!(judge(now).verdict, Verdict::Fault);
        let text = "[anonymous]\nenabled = true\n[tls]\ncert = \"x.pem\"\nkey = \"y.pem\"\n";
        let bought = certificate(&self::config(text, dir.path()), false, now).unwrap();
        assert!(bought.text.contains("x.pem"), "{bought:?}");
        let fix = bought.fix.unwrap();
        assert!(fix.starts_with("correct tls.cert and tls.key"), "{fix}");
    }
}
