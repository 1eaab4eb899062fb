//! `put`: local files and trees to the server.

mod operands;

use std::{io, path::Path, sync::Arc, time::Instant};

use self::operands::{To, check_sources, destination, split};
use super::{
    Answer,
    carry::{carry_out, prepared, streamed},
    operands::{filter, local_file_name, takes_operand},
    report::report,
    sync::sync_command,
    tell_left, tell_notes,
};
use crate::{
    app::{App, Failure, Link},
    cli::Put,
    error::Error,
    plan::{
        Plan, Step,
        blind::Aim,
        filter::Filter,
        sync::{self, Way, Wishes},
        walk::{self, Tree, local_path},
    },
    remote::{Dial, names},
    transfer::{
        Options, Outcome, Summary,
        stream::{Input, send_from},
    },
    ui::{escape::shown, table},
};

/// Runs `put`.
///
/// # Errors
/// Nothing could be sent.
pub async fn run(app: &App, args: &Put) -> Answer {
    let (link, ready) = prepared(app, prepare(app, args)).await?;
    let plan = match ready {
        Ready::Plan(plan) => plan,
        Ready::Stream(path) => return from_stdin(app, &link, &path).await,
    };
    let options = Options {
        resume: !args.no_resume,
        move_files: args.move_files,
        ..app.options()
    };
    carry_out(app, &link, plan, options).await
}

/// What is to be sent.
enum Ready {
    Plan(Plan),
    /// Standard input, to this path.
    Stream(String),
}

async fn prepare(app: &App, args: &Put) -> Result<(Link, Ready), Failure> {
    let (mut sources, target) = split(app, args)?;
    let may_lack = args.move_files && sources.len() > 1;
    check_sources(&sources, args, may_lack)?;
    let filter = filter(&args.patterns)?;
    // What was named decides where it goes, not what a pattern leaves of it.
    let named = sources.len();
    sources.retain(|source| takes_source(app, &filter, source));
    if sources.is_empty() {
        return Err(Failure::usage("nothing was chosen"));
    }
    let link = app.open(&target).await?;
    let to = names::join(&link.base, target.path());
    if sources == [Path::new("-")] {
        let path = name_of_stream(args, &to)?;
        return Ok((link, Ready::Stream(path)));
    }
    let mut plan = Plan::new(".");
    let to = destination(app, &link, args, (&sources, named), &to, &mut plan).await?;
    for source in &sources {
        add(app, &mut plan, source, &to, (args, &filter)).await?;
    }
    if let (To::New(_), [source]) = (&to, sources.as_slice())
        && !args.move_files
        && args.patterns.rules.is_empty()
        && target.is_explicit()
    {
        let from = source.display().to_string();
        plan.again = Some(sync_command(&from, &target.again()));
    }
    plan.one_source_each()?;
    spare_twins(app, &link, args, &mut plan).await?;
    Ok((link, Ready::Plan(plan)))
}

/// Tells whether an operand takes part; standard input has no name.
fn takes_source(app: &App, filter: &Filter, source: &Path) -> bool {
    let Ok(name) = local_file_name(source) else {
        return true;
    };
    source == Path::new("-") || takes_operand(app, filter, &name, source.is_dir())
}

async fn add(
    app: &App,
    plan: &mut Plan,
    source: &Path,
    to: &To,
    (args, filter): (&Put, &Filter),
) -> Result<(), Failure> {
    let meta = match std::fs::metadata(source) {
        // Sources were looked at before: this one is one of several, and is moved.
        Err(error) if args.move_files && error.kind() == io::ErrorKind::NotFound => {
            let name = source.display().to_string();
            let what = "what is not here (a run of before may have moved it)".to_owned();
            plan.push(Step::Refuse { name, what });
            return Ok(());
        }
        other => other.map_err(|error| Error::local("open", source, error))?,
    };
    let remote = to.of(&local_file_name(source)?);
    if meta.is_file() {
        plan.push(Step::send(source, &remote, meta.len()));
        return Ok(());
    }
    let tree = walk::here(source, filter, &app.cancel).await?;
    tell_notes(app, &tree.notes);
    if !matches!(to, To::New(_)) {
        plan.push(Step::MakeRemoteDir {
            path: remote.clone(),
        });
    }
    let wishes = Wishes::new(Way::Up);
    let steps = sync::plan(&tree, &Tree::default(), source, &remote, &wishes).steps;
    plan.steps
        .extend(steps.into_iter().map(|step| below_operand(source, step)));
    if args.move_files {
        plan.push(clear(source, &tree));
    }
    Ok(())
}

/// Tells what is left out by its operand's name too: there may be several.
fn below_operand(source: &Path, step: Step) -> Step {
    match step {
        Step::Refuse { name, what } => {
            let top = names::display(&source.display().to_string());
            let name = match name.as_str() {
                "." => top,
                below => names::join(&top, below),
            };
            Step::Refuse { name, what }
        }
        other => other,
    }
}

/// Makes the step that removes the directories of a tree that was moved.
fn clear(source: &Path, tree: &Tree) -> Step {
    let dirs = tree.nodes.iter().filter(|node| node.is_dir);
    let below = dirs.map(|node| source.join(local_path(&node.path)));
    // A link is no directory to remove; it stays, with the one that it leads to.
    let top = Some(source.components().as_path().to_owned());
    let top = top.filter(|top| !top.is_symlink());
    Step::ClearSent {
        dirs: top.into_iter().chain(below).collect(),
    }
}

/// Refuses names that would overwrite one another on the server's disk. Where that cannot be seen
/// only what would lose its source is refused.
async fn spare_twins(app: &App, link: &Link, args: &Put, plan: &mut Plan) -> Result<(), Failure> {
    let pairs = plan.pairs();
    if pairs.is_empty() {
        return Ok(());
    }
    let mut session = link.session().await?;
    let judged = pairs.judge(&mut Aim::There(&mut *session, "")).await?;
    link.pool.give_back(session);
    for judged in judged {
        tell_left(app, &judged.left);
        plan.refuse_twins(&judged.one, "the server's disk takes them for one");
        // What was not asked about is likely as what was.
        if args.move_files || !judged.one.is_empty() {
            plan.refuse_twins(&judged.unseen, "the server's disk may take them for one");
        }
    }
    Ok(())
}

fn name_of_stream(args: &Put, to: &str) -> Result<String, Failure> {
    match &args.output {
        Some(name) if !name.ends_with('/') => Ok(names::join(to, name)),
        None if !to.is_empty() && !to.ends_with('/') => Ok(to.to_owned()),
        _ => Err(Failure::Usage(
            "standard input has no name".to_owned(),
            Some("name it with `-o NAME`".to_owned()),
        )),
    }
}

async fn from_stdin(app: &App, link: &Link, path: &str) -> Answer {
    let mut session = link.session().await?;
    let input = Input::new(io::stdin());
    let began = Instant::now();
    let terms = app
        .terms()
        .dialling(Arc::clone(&link.pool) as Arc<dyn Dial>);
    let sent = streamed(app, send_from(&mut *session, input, path, &terms)).await;
    link.pool.give_back(session);
    link.close().await;
    let mut summary = Summary {
        took: began.elapsed(),
        ..Summary::default()
    };
    let sent = match sent {
        Ok(sent) => sent,
        Err(error) if app.ui.json => {
            summary.interrupted = matches!(error, Error::Interrupted);
            let name = "-".to_owned();
            summary.failed.push(Outcome { name, error });
            return Ok(report(app, &summary, None));
        }
        Err(error) => return Err(error.into()),
    };
    (summary.files, summary.bytes) = (1, sent.bytes);
    app.ui.remark(format!(
        "↑ {}  {}",
        shown(&sent.name),
        table::size(sent.bytes)
    ));
    if let Some(old) = &sent.aside {
        app.ui.remark(format!(
            "`{}`: what was there could not be removed; it is now `{}`",
            shown(&sent.name),
            shown(old)
        ));
    }
    Ok(report(app, &summary, None))
}
