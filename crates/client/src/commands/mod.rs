//! One file a command, or a family of them: open (`operands`), plan, run (`carry`), `report`.

pub mod below;
mod carry;
pub mod discover;
pub mod doctor;
pub mod files;
pub mod get;
pub mod list;
pub(crate) mod look;
mod operands;
pub mod papers;
pub mod put;
pub mod remove;
mod report;
pub mod sync;
pub mod trust;

use crate::{
    app::{App, Failure},
    cli::{Cli, Command},
    error::Error,
    exit::ExitCode,
    remote::names,
    ui::{ask, escape::shown},
};

/// What a command answers: its exit code, or why it could not work.
pub type Answer = Result<ExitCode, Failure>;

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

/// Asks whether to do it; where nobody can be asked it is refused, with what to do about it.
pub(crate) fn agree(app: &App, why: String, otherwise: &str) -> Result<(), Failure> {
    if !ask::somebody() {
        return Err(Failure::Usage(why, Some(otherwise.to_owned())));
    }
    app.ui.remark(shown(&why));
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
        app.ui
            .remark(format!("`{path}`: a file of ours that may not be removed"));
    }
}

/// Says what a walk left out.
pub(crate) fn tell_notes(app: &App, notes: &[String]) {
    notes
        .iter()
        .for_each(|note| app.ui.remark(format!("left out: {}", shown(note))));
}
