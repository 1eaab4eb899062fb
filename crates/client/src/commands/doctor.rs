//! `doctor`: a connection step by step, each with OK or the one thing to change.

use std::time::{Instant, SystemTime};

use serde_json::json;

use super::Answer;
use crate::{
    app::{App, Failure, Link, hint},
    error::Error,
    exit::ExitCode,
    remote::{Remote, names},
    transfer::stream::{fetch_into, send_from},
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
    if missing {
        findings.push(wrong(
            "list",
            format!("there is no directory `{dir}`"),
            "name one that is there, or make it with `ftpc mkdir`",
        ));
    } else {
        listing(&mut *session, &dir, &mut findings).await;
    }
    // The rest goes over the same connection: a server may allow no second one.
    link.pool.give_back(session);
    if !missing {
        round_trip(app, &link, &dir, &mut findings).await;
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
    findings.push(match &facts.security {
        Some(security) => {
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
        None => wrong(
            "tls",
            "clear text: names, passwords and files can be read on the way",
            "turn TLS on at the server; `ftpd` does so by itself",
        ),
    });
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

/// Tells whether the server knows that nothing has this name.
async fn is_missing(session: &mut dyn Remote, dir: &str) -> bool {
    let dir = dir.trim_end_matches('/');
    !dir.is_empty() && matches!(session.stat(dir).await, Ok(None))
}

async fn listing(session: &mut dyn Remote, dir: &str, findings: &mut Vec<Finding>) {
    match session.list(dir).await {
        Ok(listing) => findings.push(ok(
            "list",
            table::count(listing.entries.len() as u64, "name"),
        )),
        Err(error) => findings.push(wrong(
            "list",
            error.to_string(),
            "open the server's passive ports in its firewall; `ftpd doctor` there tells which",
        )),
    }
    let facts = session.facts();
    let data = facts
        .data_peer
        .map_or("no data connection".to_owned(), |peer| peer.to_string());
    findings.push(ok("data", format!("{} to {data}", facts.passive)));
}

/// A small upload and its way back, under a name of its own, removed at the end.
async fn round_trip(app: &App, link: &Link, dir: &str, findings: &mut Vec<Finding>) {
    let name = format!(".ftpc-doctor-{}", std::process::id());
    let path = names::join(dir, &name);
    let bytes: Vec<u8> = (0..4096u32).flat_map(u32::to_le_bytes).collect();
    let sent = SystemTime::now();
    match upload(app, link, &path, bytes.clone()).await {
        Err(error) => {
            findings.push(wrong(
                "upload",
                error.chain(),
                "if you should be able to write, look at `can` of the user on the server",
            ));
            return;
        }
        Ok(()) => findings.push(ok("upload", table::size(bytes.len() as u64))),
    }
    match download(app, link, &path).await {
        Ok(back) if back == bytes => findings.push(ok("download", "the same bytes came back")),
        Ok(back) => findings.push(wrong(
            "download",
            format!("{} bytes came back, changed", back.len()),
            "the server or something on the way converts files: report it",
        )),
        Err(error) => findings.push(wrong(
            "download",
            error.chain(),
            "look at `can` of the user on the server",
        )),
    }
    if let Ok(mut session) = link.session().await {
        clock(&mut *session, &path, sent, findings).await;
        if let Err(error) = session.remove_file(&path).await {
            findings.push(wrong(
                "remove",
                error.to_string(),
                format!("remove `{}` by hand", shown(&path)),
            ));
        }
        link.pool.give_back(session);
    }
}

async fn upload(app: &App, link: &Link, path: &str, bytes: Vec<u8>) -> Result<(), Error> {
    let mut session = link.session().await?;
    send_from(
        &mut *session,
        std::io::Cursor::new(bytes),
        path,
        &app.cancel,
    )
    .await?;
    link.pool.give_back(session);
    Ok(())
}

async fn download(app: &App, link: &Link, path: &str) -> Result<Vec<u8>, Error> {
    let sink = Sink::default();
    let mut session = link.session().await?;
    fetch_into(&mut *session, path, sink.clone(), &app.cancel).await?;
    link.pool.give_back(session);
    let bytes = sink
        .0
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(bytes.clone())
}

/// A writer whose bytes can be looked at afterwards.
#[derive(Clone, Default)]
struct Sink(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn clock(
    session: &mut dyn Remote,
    path: &str,
    sent: SystemTime,
    findings: &mut Vec<Finding>,
) {
    let Ok(Some(theirs)) = session.modified(path).await else {
        findings.push(wrong(
            "clock",
            "the server tells no times",
            "nothing to change here",
        ));
        return;
    };
    let off = match theirs.duration_since(sent) {
        Ok(ahead) => ahead,
        Err(behind) => behind.duration(),
    };
    findings.push(if off.as_secs() <= 60 {
        ok("clock", "within a minute of ours")
    } else {
        wrong(
            "clock",
            format!("{} apart", table::duration(off)),
            "set the clock, or the time zone, of one of the two machines",
        )
    });
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
    let broken = ["list", "upload", "download"];
    if findings
        .iter()
        .any(|f| f.fix.is_some() && broken.contains(&f.step))
    {
        return ExitCode::SomeFailed;
    }
    ExitCode::Done
}
