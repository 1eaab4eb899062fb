//! `sync`: makes one tree like another, one way.

mod clock;
mod exact;
mod show;
mod trees;

use std::path::Path;

use self::{
    clock::tell_open,
    exact::ask_times_of_open,
    show::{Told, open, show},
    trees::{Trees, trees},
};
use super::{
    Answer, agree,
    carry::{carry_out, prepared},
};
use crate::{
    app::{App, Failure, Link},
    cli::Sync,
    plan::{
        Plan, Step, checksum,
        sync::{self, Way, Wishes},
        times,
        walk::Tree,
    },
    remote::{OnDuplicate, names},
    target::Target,
    transfer::Options,
    ui::escape::shown,
};

/// Runs `sync`.
///
/// # Errors
/// The trees cannot be read, or it was not allowed.
pub async fn run(app: &App, args: &Sync) -> Answer {
    let (link, plan, (doubt, open)) = prepared(app, prepare(app, args)).await?;
    if args.dry_run {
        return Ok(show(app, &plan, (doubt, open)));
    }
    if let Some(why) = doubt {
        agree(app, why, "look with `--dry-run`; `--yes` does it")?;
    }
    // The plan has compared both sides: what it replaces is meant to be replaced.
    let options = Options {
        force: true,
        ..app.options()
    };
    carry_out(app, &link, plan, options).await
}

/// Why a plan is to be asked about, and what a dry run leaves open.
type Doubts = (Option<String>, Vec<Told>);

/// Makes the plan, and says what is in doubt.
async fn prepare(app: &App, args: &Sync) -> Result<(Link, Plan, Doubts), Failure> {
    let from = app.target_or_local(&args.from)?;
    let to = app.target_or_local(&args.to)?;
    let (way, target, local) = match (from.is_explicit(), to.is_explicit()) {
        (true, false) => (Way::Down, from, args.to.as_str()),
        (false, true) => (Way::Up, to, args.from.as_str()),
        _ => return Err(one_side_only()),
    };
    let local = Path::new(local);
    let link = app.open(&target).await?;
    let top = remote_top(&link, &target);
    let Trees {
        here,
        mut there,
        is_there,
        doubtful,
    } = trees(app, args, &link, local, &top, way).await?;
    let sides = ((&here, local), (&there, top.as_str()));
    let mut wishes = wishes(app, args, &link, way, sides).await?;
    wishes.doubtful = doubtful;
    if args.update {
        let there = (&mut there, top.as_str());
        ask_times_of_open(app, &link, &here, there, &wishes).await?;
    }
    let (source, aim) = match way {
        Way::Up => (&here, &there),
        Way::Down => (&there, &here),
    };
    tell_unseen(app, aim);
    let mut plan = sync::plan(source, aim, local, &top, &wishes);
    tell_open(app, &plan, way);
    if way == Way::Up && !is_there {
        plan.steps
            .insert(0, Step::MakeRemoteDir { path: top.clone() });
    }
    let doubt = doubt(app, args, source, aim, &plan)?;
    let open = args.dry_run.then(|| open(source, &wishes));
    let open = open.unwrap_or_default();
    Ok((link, plan, (doubt, open)))
}

fn one_side_only() -> Failure {
    Failure::Usage(
        "one side must be local and the other on a server".to_owned(),
        Some("as in `ftpc sync ./site web:/htdocs`".to_owned()),
    )
}

/// Says what the target holds that could not be read: it is neither compared nor removed.
fn tell_unseen(app: &App, aim: &Tree) {
    const SHOWN: usize = 10;
    for (dir, what) in aim.refused.iter().take(SHOWN) {
        let words = format!("not compared: {what}, in {}", shown(dir));
        app.ui.warn(words);
    }
    if let Some(more) = aim.refused.len().checked_sub(SHOWN + 1) {
        app.ui.warn(format!("not compared: {} more", more + 1));
    }
}

/// What the flags wish, and what must be asked of the server to compare by.
async fn wishes(
    app: &App,
    args: &Sync,
    link: &Link,
    way: Way,
    (here, there): ((&Tree, &Path), (&Tree, &str)),
) -> Result<Wishes, Failure> {
    let mut wishes = Wishes {
        delete: args.delete,
        update_only: args.update,
        ..Wishes::new(way)
    };
    if way == Way::Up {
        let mut session = link.session().await?;
        let may_try = !args.dry_run;
        wishes.keeps_times = times::are_kept(&mut *session, here.0, there, may_try).await?;
        wishes.replaces = session.abilities().on_duplicate() == OnDuplicate::Overwrite;
        link.pool.give_back(session);
    }
    let sides = (here.0, there.0, there.1);
    clock::measure(app, args, link, &mut wishes, sides).await?;
    if args.checksum {
        let hashing = app.persist(link, async |session| {
            checksum::compare(session, here, there, &app.cancel, &mut wishes).await
        });
        hashing.await?;
    }
    Ok(wishes)
}

fn remote_top(link: &Link, target: &Target) -> String {
    let top = names::join(&link.base, target.path());
    let trimmed = top.trim_end_matches('/');
    match (trimmed, top.starts_with('/')) {
        ("", true) => "/".to_owned(),
        ("", false) => ".".to_owned(),
        _ => trimmed.to_owned(),
    }
}

/// Many removals, and all of them, are a mistake more often than a wish: says why it is to be asked.
fn doubt(
    app: &App,
    args: &Sync,
    source: &Tree,
    aim: &Tree,
    plan: &Plan,
) -> Result<Option<String>, Failure> {
    let removals = plan.deletions();
    if removals == 0 || args.yes {
        return Ok(None);
    }
    let emptied = source.nodes.is_empty() && !aim.nodes.is_empty();
    let many = removals > args.max_delete;
    if !emptied && !many {
        return Ok(None);
    }
    Ok(Some(if emptied {
        let (from, to) = (app.target(&args.from)?, app.target(&args.to)?);
        shown(&format!(
            "`{from}` is empty: all {removals} entries of `{to}` would be removed"
        ))
    } else {
        format!(
            "{removals} entries would be removed, more than --max-delete {}",
            args.max_delete
        )
    }))
}

/// The command that makes one tree like another, as a shell takes it.
pub(super) fn sync_command(from: &str, to: &str) -> String {
    let word = |text: &str| {
        let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+,=~[]".contains(c);
        match !text.is_empty() && text.chars().all(is_plain) {
            true => text.to_owned(),
            false => format!("'{}'", text.replace('\'', "'\\''")),
        }
    };
    format!("ftpc sync {} {}", word(from), word(to))
}
