//! What a dry run of `sync` would do.

use crate::{
    app::App,
    exit::ExitCode,
    plan::{Plan, Step, sync::Wishes, walk::Tree},
    remote::names,
    ui::{escape::shown, table},
};

/// Shows what would be done; what could not be done fails, as it would then. `open` is what a run would ask the
/// target before.
pub(super) fn show(app: &App, plan: &Plan, (doubt, open): (Option<String>, Vec<Told>)) -> ExitCode {
    let is_refused = |step: &Step| matches!(step, Step::Refuse { .. });
    let code = match plan.steps.iter().any(is_refused) {
        true => ExitCode::SomeFailed,
        false => ExitCode::Done,
    };
    let asked = open.len();
    let told: Vec<_> = plan.steps.iter().filter_map(Told::of).chain(open).collect();
    let is_skip = |step: &&Step| matches!(step, Step::Skip { .. });
    let unchanged = plan.steps.iter().filter(is_skip).count();
    if app.ui.json {
        let steps: Vec<_> = told.iter().map(Told::as_json).collect();
        app.ui.answer(serde_json::json!({
            "dry_run": true,
            "steps": steps,
            "files": plan.files(),
            "bytes": plan.bytes(),
            "removals": plan.deletions(),
            "unchanged": unchanged,
            "asks": doubt,
        }));
        return code;
    }
    for step in &told {
        app.ui.answer(shown(&step.in_words()));
    }
    sum_up(app, plan, unchanged, asked);
    if let Some(why) = doubt {
        app.ui
            .remark(format!("{why}: that needs `--yes`, or is asked"));
    }
    code
}

fn sum_up(app: &App, plan: &Plan, unchanged: usize, asked: usize) {
    app.ui.remark(format!(
        "{}, {}; {} to remove; {unchanged} unchanged; nothing was done",
        table::count(plan.files(), "file"),
        table::size(plan.bytes()),
        plan.deletions()
    ));
    if asked > 0 {
        app.ui.remark(format!(
            "{} to ask the target about, so that the run may remove or refuse more",
            table::count(asked as u64, "name")
        ));
    }
}

/// What only a run finds out, since it gives the target files to ask by: whether names are one there.
pub(super) fn open(source: &Tree, wishes: &Wishes) -> Vec<Told> {
    const SPELLING: &str =
        "it may be another spelling of what the source has; the run may ask, and remove it";
    let twins = source.unjudged_twins().into_iter();
    let doubtful = wishes.doubtful.iter().filter(|_| wishes.delete);
    let doubtful = doubtful.map(|path| (names::display(path), SPELLING.to_owned()));
    let told = twins.chain(doubtful).map(|(name, why)| Told {
        verb: "ask",
        name,
        bytes: None,
        why: Some(why),
    });
    told.collect()
}

/// One step as a dry run tells it.
pub(super) struct Told {
    verb: &'static str,
    name: String,
    bytes: Option<u64>,
    why: Option<String>,
}

impl Told {
    /// `None`: nothing is done to it, or it is a part of another step.
    fn of(step: &Step) -> Option<Self> {
        let (verb, name, bytes, why) = match step {
            Step::MakeRemoteDir { path } => ("make", path.clone(), None, None),
            Step::MakeLocalDir { path } => ("make", path.display().to_string(), None, None),
            Step::Send { local, size, .. } => {
                ("send", local.display().to_string(), Some(*size), None)
            }
            Step::Fetch { remote, size, .. } => {
                ("fetch", remote.clone(), Some(size.unwrap_or(0)), None)
            }
            Step::DeleteRemote { path, .. } => ("remove", path.clone(), None, None),
            Step::DeleteLocal { path, .. } => ("remove", path.display().to_string(), None, None),
            Step::Refuse { name, what } => ("cannot", name.clone(), None, Some(what.to_string())),
            Step::ClearSent { .. } | Step::UnlinkRemote { .. } | Step::Skip { .. } => return None,
        };
        Some(Self {
            verb,
            name,
            bytes,
            why,
        })
    }

    fn in_words(&self) -> String {
        let Self { verb, name, .. } = self;
        match (self.bytes, &self.why) {
            (Some(bytes), _) => format!("{verb:<8}{name} ({})", table::size(bytes)),
            (None, Some(why)) => format!("{verb:<8}{name}: {why}"),
            (None, None) => format!("{verb:<8}{name}"),
        }
    }

    fn as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "do": self.verb,
            "name": self.name,
            "bytes": self.bytes,
            "why": self.why,
        })
    }
}
