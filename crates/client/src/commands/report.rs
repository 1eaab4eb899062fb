//! How a run went: in words, as JSON, as an exit code.

use serde_json::json;

use crate::{
    app::{App, hint},
    exit::ExitCode,
    transfer::Summary,
    ui::{Volume, escape::shown, table},
};

/// Says how a run went and makes the exit code of it; `again` is the command that goes on with it, where
/// that is another.
pub(super) fn report(app: &App, summary: &Summary, again: Option<String>) -> ExitCode {
    let code = code_of(summary);
    if app.ui.json {
        app.ui.answer(as_json(summary, code));
        return code;
    }
    // A single file has said so already, whether it went well or not.
    let lone = summary.files + summary.failed.len() as u64 == 1 && summary.deleted == 0;
    let mut failed = summary.failed.iter().map(|failed| &failed.error);
    if let Some(hint) = failed.clone().find_map(hint) {
        app.ui.hint(hint);
    } else if failed.any(|error| ExitCode::from(error) == ExitCode::Connect) {
        let how = match &again {
            Some(again) => format!("`{}`", shown(again)),
            None => "the same command".to_owned(),
        };
        let words = format!("what has arrived is kept: {how} goes on with it");
        app.ui.hint(words);
    }
    if app.ui.volume != Volume::Quiet && !lone {
        app.ui.remark(in_words(summary));
    }
    if code == ExitCode::Interrupted {
        app.ui.error("interrupted; what can be resumed was kept");
        if let Some(again) = again {
            app.ui.hint(format!("`{}` goes on with it", shown(&again)));
        }
    }
    code
}

fn in_words(summary: &Summary) -> String {
    let mut parts = vec![format!(
        "{}, {} in {}, {}",
        table::count(summary.files, "file"),
        table::size(summary.bytes),
        table::duration(summary.took),
        table::rate(summary.bytes, summary.took)
    )];
    let mut add = |number: u64, word: &str| {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    };
    add(summary.verified, "verified");
    add(summary.skipped, "unchanged");
    add(summary.deleted, "removed");
    add(summary.failed.len() as u64, "failed");
    parts.join("; ")
}

fn as_json(summary: &Summary, code: ExitCode) -> serde_json::Value {
    let failed: Vec<_> = summary
        .failed
        .iter()
        .map(|outcome| json!({ "name": outcome.name, "error": outcome.error.chain() }))
        .collect();
    json!({
        "files": summary.files,
        "bytes": summary.bytes,
        "seconds": summary.took.as_secs_f64(),
        "verified": summary.verified,
        "skipped": summary.skipped,
        "deleted": summary.deleted,
        "failed": failed,
        "interrupted": summary.interrupted,
        "exit_code": code as u8,
    })
}

/// One failed file is its own cause; among several, some failed.
fn code_of(summary: &Summary) -> ExitCode {
    match summary.failed.as_slice() {
        _ if summary.interrupted => ExitCode::Interrupted,
        [] => ExitCode::Done,
        [one] if summary.files == 0 => (&one.error).into(),
        all if summary.files == 0 => {
            let first: ExitCode = (&all[0].error).into();
            let same = all
                .iter()
                .all(|outcome| ExitCode::from(&outcome.error) == first);
            if same { first } else { ExitCode::SomeFailed }
        }
        _ => ExitCode::SomeFailed,
    }
}
