//! The exact times that a `sync` asks for, and what it says where there are none.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    app::{App, Failure, Link},
    plan::{
        times::{self, Exact},
        walk::Tree,
    },
    remote::names,
    ui::{escape::shown, table},
};

/// Asks for the exact times of files where the listing told coarse ones, and equal is not enough; says of how many
/// there are none.
pub(super) async fn ask_times(
    app: &App,
    link: &Link,
    here: &Tree,
    there: &mut Tree,
    top: &str,
) -> Result<(), Failure> {
    let asking = app.persist(link, async |session| {
        times::exact(session, here, (there, top), &app.cancel).await
    });
    let exact = asking.await?;
    if !exact.untold.is_empty() {
        app.ui.remark(format!(
            "{} unchanged by times that the server tells to the minute or the day: a change within that, of the \
             same size, is not seen",
            table::count(exact.untold.len() as u64, "file")
        ));
    }
    take(there, &exact);
    Ok(())
}

/// Returns the files that may be older than those here, though the server's listing shows them as newer, and
/// says which they are. `equal` are known to be the same.
pub(super) async fn unsure(
    app: &App,
    link: &Link,
    here: &Tree,
    (there, top): (&mut Tree, &str),
    equal: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Failure> {
    const SHOWN: usize = 10;
    let asking = app.persist(link, async |session| {
        times::exact_of_newer(session, here, (there, top), equal, &app.cancel).await
    });
    let exact = asking.await?;
    take(there, &exact);
    let unsure = exact.untold.iter().map(|place| &there.nodes[*place].path);
    let unsure: BTreeSet<String> = unsure.cloned().collect();
    let why =
        "the file here may be newer, for the server does not tell by which clock it shows times";
    for path in unsure.iter().take(SHOWN) {
        let path = shown(&names::display(path));
        app.ui.warn(format!("not fetched: `{path}`: {why}"));
    }
    if let Some(more) = unsure.len().checked_sub(SHOWN + 1) {
        app.ui.warn(format!("not fetched: {} more", more + 1));
    }
    Ok(unsure)
}

fn take(there: &mut Tree, exact: &Exact) {
    for (place, time) in &exact.told {
        let facts = &mut there.nodes[*place].facts;
        (facts.modified, facts.precision) = (Some(*time), Duration::from_secs(1));
    }
}
