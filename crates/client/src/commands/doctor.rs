//! `doctor`: a connection step by step, each with OK or the one thing to change.

mod trip;

use std::time::Instant;

use serde_json::json;

use super::Answer;
use crate::{
    app::{App, Failure, hint},
    error::{Error, RemoteError},
    exit::ExitCode,
    remote::{Remote, Security, names},
    ui::{escape::shown, table},
};

/// Where the words of a finding begin.
const INDENT: usize = 14;

/// What one step found.
struct Finding {
    step: &'static str,
    /// What is so.
    said: String,
    /// What to change; `None`: nothing.
    fix: Option<String>,
}

/// Runs `doctor`.
///
/// # Errors
/// It was stopped, or the server is not named rightly.
pub async fn run(app: &App, path: &str) -> Answer {
    let target = app.target(path)?;
    let begun = Instant::now();
    let link = match app.open(&target).await {
        Ok(link) => link,
        Err(Failure::Work(error)) if ExitCode::from(&error) != ExitCode::Interrupted => {
            report(app, &nobody_gets_in(&error));
            return Ok((&error).into());
        }
        Err(failure) => return Err(failure),
    };
    let mut findings = vec![ok(
        "connect",
        format!("{} in {}", link.endpoint, table::duration(begun.elapsed())),
    )];
    let mut session = link.session().await?;
    describe(&mut *session, &mut findings);
    let dir = names::join(&link.base, target.path());
    let missing = is_missing(&mut *session, &dir).await;
    let through = if missing {
        findings.push(wrong(
            "list",
            format!("there is no directory `{dir}`"),
            "name one that is there, or make it with `ftpc mkdir`",
        ));
        false
    } else {
        listing(&mut *session, &dir, &mut findings).await
    };
    // The rest goes over the same connection: a server may allow no second one.
    link.pool.give_back(session);
    if through {
        trip::round_trip(app, &link, &dir, &mut findings).await;
    }
    link.close().await;
    Ok(report(app, &findings))
}

fn ok(step: &'static str, said: impl Into<String>) -> Finding {
    Finding {
        step,
        said: said.into(),
        fix: None,
    }
}

fn wrong(step: &'static str, said: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        step,
        said: said.into(),
        fix: Some(fix.into()),
    }
}

/// How far the way in went.
fn nobody_gets_in(error: &Error) -> Vec<Finding> {
    let fix = |other: &str| hint(error).unwrap_or_else(|| other.to_owned());
    match ExitCode::from(error) {
        ExitCode::Login => {
            let fix = fix("look at the name and the password, and whether the server lets them in");
            vec![
                ok("connect", "the server answers"),
                wrong("login", error.chain(), fix),
            ]
        }
        ExitCode::Certificate => {
            let fix = fix("`-v` shows how far it went");
            vec![
                ok("connect", "the server answers"),
                wrong("tls", error.chain(), fix),
            ]
        }
        _ => {
            let fix = fix("look at the address and the port, and whether the server runs");
            vec![wrong("connect", error.chain(), fix)]
        }
    }
}

fn describe(session: &mut dyn Remote, findings: &mut Vec<Finding>) {
    let facts = session.facts();
    findings.push(ok("greeting", facts.greeting.join(" / ")));
    findings.push(protection(facts.security.as_ref()));
    findings.push(ok("login", "accepted"));
    let abilities = session.abilities();
    let lines: Vec<String> = abilities.lines().collect();
    findings.push(ok("features", lines.join(", ")));
    findings.push(if abilities.has("UTF8") {
        ok("encoding", "UTF-8")
    } else {
        wrong(
            "encoding",
            "the server does not say that its names are UTF-8",
            "if names look wrong, try `--encoding gbk` or the one of that machine",
        )
    });
    if !abilities.mlst() {
        findings.push(wrong(
            "listings",
            "no MLSD: times are exact to a minute at best",
            "nothing to change here",
        ));
    }
    if !abilities.rest_stream() {
        findings.push(wrong(
            "resume",
            "no REST STREAM: broken transfers begin anew",
            "nothing to change here",
        ));
    }
}

fn protection(security: Option<&Security>) -> Finding {
    let Some(security) = security else {
        return wrong(
            "tls",
            "clear text: names, passwords and files can be read on the way",
            "turn TLS on at the server; `ftpd` does so by itself",
        );
    };
    let print = security
        .fingerprint
        .map_or(String::new(), |print| format!(", {print}"));
    let root = if security.by_root {
        ", vouched by a known root"
    } else {
        ""
    };
    ok("tls", format!("{}{root}{print}", security.version))
}

/// Tells whether the server knows that nothing has this name.
async fn is_missing(session: &mut dyn Remote, dir: &str) -> bool {
    let dir = dir.trim_end_matches('/');
    !dir.is_empty() && matches!(session.stat(dir).await, Ok(None))
}

/// Tells whether bytes get through.
async fn listing(session: &mut dyn Remote, dir: &str, findings: &mut Vec<Finding>) -> bool {
    let listed = session.list(dir).await.map_err(Error::from);
    let facts = session.facts();
    let peer = facts.data_peer.map(|peer| peer.to_string());
    let peer = peer.unwrap_or_else(|| "no data connection".to_owned());
    let data = format!("{} to {peer}", facts.passive);
    match listed {
        Ok(listing) => {
            let names = table::count(listing.entries.len() as u64, "name");
            findings.push(ok("list", names));
            findings.push(ok("data", data));
            true
        }
        Err(error) if is_cut_off(&error) => {
            findings.push(wrong("data", format!("{data}: {}", error.chain()), PORTS));
            false
        }
        Err(error) => {
            let fix = "look at `can` of the user and at the directory's mode on the server";
            findings.push(wrong("list", error.chain(), fix));
            true
        }
    }
}

/// What to change where no bytes get through.
const PORTS: &str =
    "open the server's passive ports in its firewall; `ftpd doctor` there tells which";

/// Tells whether the network, and not the server, stands in the way.
fn is_cut_off(error: &Error) -> bool {
    matches!(
        error,
        Error::Remote(
            RemoteError::Timeout { .. } | RemoteError::Connect { .. } | RemoteError::Io { .. }
        )
    )
}

/// What to change after a transfer that did not go well.
fn advice(error: &Error, refused: &'static str) -> &'static str {
    match error {
        error if is_cut_off(error) => PORTS,
        Error::Remote(RemoteError::Refused { reply, .. }) if matches!(reply.code, 452 | 552) => {
            "make room on the server's disk, or look at the user's quota there"
        }
        _ => refused,
    }
}

fn report(app: &App, findings: &[Finding]) -> ExitCode {
    if app.ui.json {
        let all: Vec<_> = findings
            .iter()
            .map(|f| json!({ "step": f.step, "ok": f.fix.is_none(), "said": f.said, "fix": f.fix }))
            .collect();
        app.ui.answer(serde_json::Value::from(all));
    } else {
        for finding in findings {
            let mark = if finding.fix.is_none() { "OK " } else { "!! " };
            let line = format!("{mark} {:<9} {}", finding.step, shown(&finding.said));
            app.ui.answer_wrapped(&line, INDENT);
            if let Some(fix) = &finding.fix {
                app.ui
                    .answer_wrapped(&format!("{:INDENT$}-> {fix}", ""), INDENT + 3);
            }
        }
    }
    let broken = ["list", "data", "upload", "download"];
    if findings
        .iter()
        .any(|f| f.fix.is_some() && broken.contains(&f.step))
    {
        return ExitCode::SomeFailed;
    }
    ExitCode::Done
}
