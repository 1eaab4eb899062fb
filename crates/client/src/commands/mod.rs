//! One file a command, or a family of them: open, plan, run, report.

pub mod below;
pub mod discover;
pub mod doctor;
pub mod files;
pub mod get;
pub mod list;
pub mod papers;
pub mod put;
pub mod remove;
pub mod sync;
pub mod trust;

use serde_json::json;

use crate::{
    app::{App, Failure, Link, hint},
    cli::{Cli, Command, Patterns},
    error::{Error, RemoteError},
    event::Events,
    exit::ExitCode,
    plan::{
        Plan, Step,
        filter::{BadPattern, Filter},
        walk::inner_name,
    },
    remote::{Kind, Remote, names},
    transfer::{Engine, Options, Summary},
    ui::{Volume, ask, escape::shown, progress, table},
};

/// What a command answers: its exit code, or why it could not work.
pub type Answer = Result<ExitCode, Failure>;

/// Tells whether a path on the server is a directory, or a link to one: what is put there goes into it.
async fn is_dir(session: &mut dyn Remote, path: &str) -> Result<bool, RemoteError> {
    match session.stat(path).await?.map(|entry| entry.kind) {
        None | Some(Kind::File) => return Ok(false),
        Some(Kind::Dir) => return Ok(true),
        Some(Kind::Link | Kind::Other) => {}
    }
    let back = session.pwd().await?;
    match session.cwd(path).await {
        Err(RemoteError::Refused { .. }) if session.is_usable() => Ok(false),
        entered => {
            entered?;
            session.cwd(&back).await?;
            Ok(true)
        }
    }
}

/// Runs the command of the command line.
///
/// # Errors
/// The command could not do its work.
pub async fn run(app: &mut App, cli: Cli) -> Answer {
    let Some(command) = cli.command else {
        return crate::shell::run(app, None, false).await;
    };
    // These end by themselves: what they have is kept for a resume.
    let moves = matches!(
        command,
        Command::Put(_) | Command::Get(_) | Command::Sync(_) | Command::Shell(_)
    );
    let cancel = app.cancel.clone();
    let work = obey(app, command);
    if moves {
        return work.await;
    }
    let ended = cancel.or_leave(work).await;
    ended.unwrap_or_else(|| Err(Error::Interrupted.into()))
}

async fn obey(app: &mut App, command: Command) -> Answer {
    match command {
        Command::Put(args) => put::run(app, &args).await,
        Command::Get(args) => get::run(app, &args).await,
        Command::Sync(args) => sync::run(app, &args).await,
        Command::Ls(args) => list::ls(app, &args).await,
        Command::Tree(args) => below::tree(app, &args.path).await,
        Command::Du(args) => below::du(app, &args.path).await,
        Command::Find(args) => below::find(app, &args.path, args.name.as_deref()).await,
        Command::Cat(args) => files::cat(app, &args.paths).await,
        Command::Rm(args) => remove::rm(app, &args).await,
        Command::Mv(args) => files::mv(app, &args.from, &args.to).await,
        Command::Mkdir(args) => files::mkdir(app, &args.paths, args.parents).await,
        Command::Rmdir(args) => files::rmdir(app, &args.paths).await,
        Command::Chmod(args) => files::chmod(app, args.mode, &args.paths).await,
        Command::Quote(args) => files::quote(app, args.on.as_deref(), &args.words).await,
        Command::Shell(args) => {
            crate::shell::run(app, args.server.as_deref(), args.keep_going).await
        }
        Command::Sites => Ok(papers::sites(app)),
        Command::Trust(args) => trust::run(app, &args).await,
        Command::Doctor(args) => doctor::run(app, &args.path).await,
        Command::Discover(args) => discover::run(app, args.wait).await,
        Command::Completions { shell } => Ok(papers::completions(app, shell)),
        Command::Man { dir } => papers::man(app, dir.as_deref()),
    }
}

/// Resolves remote operands: all must be on one server.
pub(crate) async fn open_all(
    app: &App,
    operands: &[String],
) -> Result<(Link, Vec<String>), Failure> {
    let targets = operands
        .iter()
        .map(|text| app.target(text))
        .collect::<Result<Vec<_>, _>>()?;
    let first = targets
        .first()
        .ok_or_else(|| Failure::usage("nothing is named"))?;
    let server = |target: &crate::target::Target| match target {
        crate::target::Target::Url(server, _) => server.to_string(),
        crate::target::Target::Site(name, _) => format!("{name}:"),
        crate::target::Target::Path(_) => String::new(),
    };
    if targets
        .iter()
        .any(|target| target.is_explicit() && server(target) != server(first))
    {
        return Err(Failure::usage("the operands are on different servers"));
    }
    let user = |target: &crate::target::Target| match target {
        crate::target::Target::Url(server, _) => server.user.clone(),
        _ => None,
    };
    // One that names no user means the first one's.
    if targets
        .iter()
        .any(|target| user(target).is_some() && user(target) != user(first))
    {
        return Err(Failure::usage("the operands are for different users"));
    }
    let link = app.open(first).await?;
    let paths = targets
        .iter()
        .map(|target| names::join(&link.base, target.path()))
        .collect();
    Ok((link, paths))
}

/// Reads include and exclude patterns.
pub(crate) fn filter(patterns: &Patterns) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    let bad = |error: BadPattern| Failure::usage(error.to_string());
    for (includes, pattern) in &patterns.rules {
        match includes {
            true => filter.include(pattern).map_err(bad)?,
            false => filter.exclude(pattern).map_err(bad)?,
        }
    }
    Ok(filter)
}

/// Tells whether an operand takes part, and says so when it does not. A directory that is named by no name
/// of its own (`DIR/.`) means what it holds.
fn takes_operand(app: &App, filter: &Filter, name: &str, is_dir: bool) -> bool {
    let takes = matches!(name, "" | "." | "..") || filter.takes(name, is_dir);
    if !takes {
        app.ui
            .remark(format!("{}: left out by a pattern", shown(name)));
    }
    takes
}

/// Runs a plan with its progress on the screen, and reports.
pub(crate) async fn carry_out(app: &App, link: &Link, plan: Plan, options: Options) -> Answer {
    let (events, screen) = start_screen(app);
    let engine = Engine::with_pool(
        std::sync::Arc::clone(&link.pool),
        options,
        events,
        app.cancel.clone(),
    );
    let again = plan.again.clone();
    let summary = engine.run(plan).await;
    link.close().await;
    drop(engine);
    let _ = screen.await;
    app.remember()?;
    Ok(report(app, &summary, again))
}

/// Prepares a transfer: nothing is kept of that, so the first Ctrl-C ends it.
async fn prepared<T>(
    app: &App,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let ended = app.cancel.or_leave(work).await;
    ended.unwrap_or_else(|| Err(Error::Interrupted.into()))
}

/// Moves a stream; what waits for the server once it was stopped is left soon.
async fn streamed<T>(app: &App, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let ended = app.cancel.or_keep(work).await;
    ended.unwrap_or(Err(Error::Interrupted))
}

fn start_screen(app: &App) -> (Events, tokio::task::JoinHandle<()>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let screen = tokio::spawn(progress::show(app.ui, receiver));
    (Events::new(sender).terse(app.ui.hides_files()), screen)
}

/// The command that makes one tree like another, as a shell takes it.
fn sync_command(from: &str, to: &str) -> String {
    let word = |text: &str| {
        let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+,=~[]".contains(c);
        match !text.is_empty() && text.chars().all(is_plain) {
            true => text.to_owned(),
            false => format!("'{}'", text.replace('\'', "'\\''")),
        }
    };
    format!("ftpc sync {} {}", word(from), word(to))
}

/// Says how a run went and makes the exit code of it; `again` is the command that goes on with it, where
/// that is another.
fn report(app: &App, summary: &Summary, again: Option<String>) -> ExitCode {
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

/// Puts the local targets of a plan below `name`, for a tree that lands inside a directory.
pub(crate) fn below(mut plan: Plan, name: &std::path::Path) -> Vec<Step> {
    for step in &mut plan.steps {
        match step {
            Step::MakeLocalDir { path } | Step::DeleteLocal { path, .. } => {
                *path = name.join(&path);
            }
            Step::Fetch { local, .. } => *local = name.join(&local),
            _ => {}
        }
    }
    plan.steps
}

/// Asks whether to do it; where nobody can be asked it is refused, with what to do about it.
pub(crate) fn agree(app: &App, why: String, otherwise: &str) -> Result<(), Failure> {
    if !ask::somebody() {
        return Err(Failure::Usage(why, Some(otherwise.to_owned())));
    }
    app.ui.remark(&why);
    if ask::yes("Remove them?", &app.cancel) {
        return Ok(());
    }
    if app.cancel.is_stopped() {
        return Err(Error::Interrupted.into());
    }
    Err(Failure::Said(ExitCode::Usage))
}

/// Says which of our own files a server does not let us remove.
fn tell_left(app: &App, left: &[String]) {
    for path in left {
        let path = shown(&names::display(path));
        app.ui.remark(format!(
            "`{path}`: an empty file of ours that may not be removed"
        ));
    }
}

/// Says what a walk left out.
pub(crate) fn tell_notes(app: &App, notes: &[String]) {
    notes
        .iter()
        .for_each(|note| app.ui.remark(format!("left out: {}", shown(note))));
}

/// The last component of a local path, in the inner form.
pub(crate) fn local_file_name(path: &std::path::Path) -> Result<String, Error> {
    let absolute = std::path::absolute(path).map_err(|error| Error::local("open", path, error))?;
    let name = absolute
        .file_name()
        .map(|name| inner_name(std::path::Path::new(name)));
    name.ok_or_else(|| Error::local("send", path, std::io::ErrorKind::InvalidFilename.into()))
}
