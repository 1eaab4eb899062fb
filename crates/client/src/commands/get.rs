//! `get`: remote files, patterns and trees to this machine.

mod chosen;
mod stdout;

use std::path::{Path, PathBuf};

use self::{
    chosen::{Chosen, chosen},
    stdout::{named_files, to_stdout},
};
use super::{
    Answer,
    carry::{carry_out, prepared},
    files::named,
    look::Found,
    operands::open_all,
    sync::sync_command,
    tell_notes,
};
use crate::{
    app::{App, Failure, Link},
    cli::Get,
    exit::ExitCode,
    plan::{
        Plan, Step,
        blind::Aim,
        filter::Filter,
        sync::{self, Way, Wishes},
        walk::{self, Tree, local_name},
    },
    remote::{Entry, Kind, Remote, names},
    transfer::Options,
    ui::escape::shown,
};

/// Runs `get`.
///
/// # Errors
/// Nothing could be fetched.
pub async fn run(app: &App, args: &Get) -> Answer {
    run_chosen(app, args, |_, found| Ok(found)).await
}

/// Runs `get` on what `choose` leaves of what each operand names.
///
/// # Errors
/// As [`run`], or what `choose` says.
pub(crate) async fn run_chosen(
    app: &App,
    args: &Get,
    choose: impl Fn(&str, Found) -> Result<Found, Failure>,
) -> Answer {
    let (link, ready) = prepared(app, prepare(app, args, choose)).await?;
    let plan = match ready {
        Ready::Plan(plan) => plan,
        Ready::Streams(paths, code) => return to_stdout(app, &link, &paths, code).await,
    };
    if args.force {
        tell_links(app, &plan);
    }
    let options = Options {
        resume: !args.no_resume,
        force: args.force,
        ..app.options()
    };
    carry_out(app, &link, plan, options).await
}

/// Tells of links in the place of files: a file replaces them, and what they lead to stays as it is.
fn tell_links(app: &App, plan: &Plan) {
    for step in &plan.steps {
        let Step::Fetch { local, .. } = step else {
            continue;
        };
        let path = plan.local_root.join(local);
        if path.is_symlink() {
            let path = shown(&path.display().to_string());
            app.ui
                .remark(format!("`{path}` is a link here; the file takes its place"));
        }
    }
}

/// What is to be fetched.
enum Ready {
    Plan(Plan),
    /// Files, to standard output, and the exit code where some are left out.
    Streams(Vec<String>, ExitCode),
}

async fn prepare(
    app: &App,
    args: &Get,
    choose: impl Fn(&str, Found) -> Result<Found, Failure>,
) -> Result<(Link, Ready), Failure> {
    let (operands, to) = split(app, args)?;
    let (link, paths) = open_all(app, &operands).await?;
    if to == Path::new("-") {
        let (named, code) = named_files(app, &link, args, &paths).await?;
        return Ok((link, Ready::Streams(named, code)));
    }
    let Chosen {
        found,
        lacks,
        is_several,
        filter,
    } = chosen(app, args, &link, &paths, choose).await?;
    let into = to.is_dir() || is_several || to.as_os_str().as_encoded_bytes().ends_with(b"/");
    let mut plan = Plan::new(if into { to.clone() } else { parent(&to) });
    if let (false, [operand]) = (into, operands.as_slice())
        && found.iter().any(|(_, entry)| entry.kind == Kind::Dir)
    {
        plan.again = again(app, args, operand, &to)?;
    }
    for (path, entry) in found {
        let local = match into {
            true => name_inside(&path, &entry),
            false => file_name(&to)?,
        };
        let what = (path.as_str(), &entry);
        add(app, &link, &mut plan, (args, &filter), what, &local).await?;
    }
    plan.steps.extend(lacks);
    plan.one_source_each()?;
    let to_root = plan.local_root.clone();
    for judged in plan.pairs().judge(&mut Aim::Here(&to_root)).await? {
        plan.refuse_twins(&judged.one, "this disk takes them for one");
        // What was not asked about is likely as what was.
        if !judged.one.is_empty() {
            plan.refuse_twins(&judged.unseen, "this disk may take them for one");
        }
    }
    Ok((link, Ready::Plan(plan)))
}

/// The command that goes on with a directory that got another name; only one that would do the same is named.
fn again(app: &App, args: &Get, operand: &str, to: &Path) -> Result<Option<String>, Failure> {
    let from = app.target(operand)?;
    let same = from.is_explicit() && args.patterns.rules.is_empty();
    Ok(same.then(|| sync_command(&from.again(), &to.display().to_string())))
}

/// Tells the remote operands from where they go: the last of several is local when it is the
/// second, an existing directory, or ends with `/`.
fn split(app: &App, args: &Get) -> Result<(Vec<String>, PathBuf), Failure> {
    let mut operands = args.files.clone();
    if let Some(output) = &args.output {
        return Ok((operands, output.clone()));
    }
    let last = operands.last().cloned().unwrap_or_default();
    let local = operands.len() > 1
        && !app.target_or_local(&last)?.is_explicit()
        && (operands.len() == 2 || last.ends_with('/') || last == "-" || Path::new(&last).is_dir());
    if local {
        operands.pop();
        return Ok((operands, PathBuf::from(last)));
    }
    Ok((operands, PathBuf::from(".")))
}

/// Returns the name that something has in the directory that it goes into.
fn name_inside(path: &str, entry: &Entry) -> PathBuf {
    match names::split(path).1 {
        // As for `cp`, `DIR/.` is what the directory holds.
        "" | "." if entry.kind == Kind::Dir => PathBuf::new(),
        name => local_name(name),
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn file_name(path: &Path) -> Result<PathBuf, Failure> {
    let name = path.file_name().map(PathBuf::from);
    name.ok_or_else(|| Failure::usage(format!("`{}` is not a name for a file", path.display())))
}

async fn add(
    app: &App,
    link: &Link,
    plan: &mut Plan,
    (args, filter): (&Get, &Filter),
    (path, entry): (&str, &Entry),
    local: &Path,
) -> Result<(), Failure> {
    if entry.kind != Kind::Dir {
        plan.push(Step::Fetch {
            remote: path.to_owned(),
            local: local.to_path_buf(),
            size: entry.size,
            // A time that is only a day or a minute is asked for instead.
            modified: entry.modified.filter(|_| entry.precision.as_secs() <= 1),
            seen: None,
        });
        return Ok(());
    }
    if !args.recursive {
        return Err(Failure::Usage(
            format!("`{}` is a directory", shown(named(path))),
            Some("fetch it with all it holds: `ftpc get -r`".to_owned()),
        ));
    }
    let walk =
        async |session: &mut dyn Remote| walk::remote(session, path, filter, &app.cancel).await;
    let tree = app.persist(link, walk).await?;
    tell_notes(app, &tree.notes);
    plan.push(Step::MakeLocalDir {
        path: local.to_path_buf(),
    });
    let wishes = Wishes::new(Way::Down);
    let inner = sync::plan(&tree, &Tree::default(), Path::new("."), path, &wishes);
    plan.steps.extend(inner.below(local).steps);
    Ok(())
}
