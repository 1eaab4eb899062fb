//! By which clock the server tells times, and what `sync` says of files that this leaves open.

use crate::{
    app::{App, Failure, Link},
    cli::Sync,
    commands::tell_left,
    plan::{
        Plan, Step,
        sync::{MAY_BE_NEWER, Way, Wishes},
        times::{self, Skew},
        walk::Tree,
    },
    ui::escape::shown,
};

/// Measures the server's clock, if what is done depends on it.
pub(super) async fn measure(
    app: &App,
    args: &Sync,
    link: &Link,
    wishes: &mut Wishes,
    (here, there, top): (&Tree, &Tree, &str),
) -> Result<(), Failure> {
    let mut session = link.session().await?;
    let abilities = session.abilities();
    let is_untried = wishes.way == Way::Up && !abilities.sets_times();
    let is_wanted = times::is_clock_wanted(wishes, here, there, abilities.mlst());
    if args.dry_run {
        let what = if is_untried && times::is_any_newer(here, there) {
            Some("try whether the server keeps times, nor measures its clock")
        } else {
            is_wanted.then_some("measure the server's clock")
        };
        if let Some(what) = what {
            let words = format!("a dry run does not {what}: the run may move more, or less");
            app.ui.remark(words);
        }
    } else if is_wanted {
        let (skew, left) = match times::measure(&mut *session, top).await {
            // Who fetches need not be let write.
            Err(_) if wishes.way == Way::Down && !app.cancel.is_stopped() => {
                (Skew::UNMEASURED, None)
            }
            measured => measured?,
        };
        tell_left(app, left.as_slice());
        wishes.skew = match wishes.keeps_times {
            true => skew.or_none(),
            false => skew,
        };
    }
    link.pool.give_back(session);
    Ok(())
}

/// Says which files are left as they are, since either may be the newer one.
pub(super) fn tell_open(app: &App, plan: &Plan, way: Way) {
    const SHOWN: usize = 10;
    let (left, place) = match way {
        Way::Up => ("not sent", "there"),
        Way::Down => ("not fetched", "here"),
    };
    let open = plan.steps.iter().filter_map(|step| match step {
        Step::Skip { name, reason } if reason == MAY_BE_NEWER => Some(name),
        _ => None,
    });
    let open: Vec<_> = open.collect();
    for name in open.iter().take(SHOWN) {
        app.ui.warn(format!(
            "{left}: `{}`: the file {place} may be newer, for the server does not tell exactly when its own was \
             changed, or by which clock",
            shown(name)
        ));
    }
    if let Some(more) = open.len().checked_sub(SHOWN + 1) {
        app.ui.warn(format!("{left}: {} more", more + 1));
    }
}
